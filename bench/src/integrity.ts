import { createHash, hash as hashOnce, timingSafeEqual } from "node:crypto"
import { crc32 } from "node:zlib"
import type { Engine } from "@blockstrata/primitives"
import { type BlockDevice, formatIntegrity, memoryDevice, openIntegrity } from "blockstrata"
import { type Bench, type BenchContext, createEngine, type EngineName, measureCase } from "./bench.ts"
import { type BenchRecord, OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"
import { onePerBlock } from "./hash-tree.ts"

const KIB = 1024
const MIB = 1024 * KIB
const BENCH = "integrity"
const BLOCK_SIZE = 4096

interface Shape {
  readonly hash: "sha256" | "crc32c"
  readonly isWrite: boolean
  readonly requestSize: number
}

const SHAPES: readonly Shape[] = (["sha256", "crc32c"] as const).flatMap((hash) =>
  [false, true].flatMap((isWrite) => [4 * KIB, 64 * KIB].map((requestSize) => ({ hash, isWrite, requestSize }))),
)

/**
 * Volumes in mode D in memory, from start to end in blocks of 4 KiB. The limit is one hash over the same bytes that never
 * ends (of CRC32C, zlib's CRC32); the naive way is an object per block, its tag compared or stored. Writes are flushed each
 * time the end is reached. In mode J the limit is mode D, and the naive way mode D twice.
 */
export const integrityBench: Bench = {
  name: BENCH,
  question: "What does a tag for every block cost, reading and writing in mode D, and a journal on top?",
  async *run(context) {
    for (const engineName of context.engineNames) {
      const engine = createEngine(engineName)
      for (const shape of SHAPES) yield await measureVolume(context, engine, engineName, shape)
      for (const hash of ["sha256", "crc32c"] as const) yield await measureJournal(context, engine, engineName, hash)
    }
  },
}

async function measureVolume(
  context: BenchContext,
  engine: Engine,
  engineName: EngineName,
  shape: Shape,
): Promise<BenchRecord> {
  const { hash, isWrite, requestSize } = shape
  const size = context.pace.isSmall ? MIB : 16 * MIB
  const volume = await createVolume(size, hash, engine)
  const name = `${engineName}: ${hash}, sequential ${isWrite ? "writes" : "reads"} of ${requestSize / KIB} KiB`
  const amount = requestSize / MIB
  const contestants = contestantsOf(volume, engine, size, shape)
  const record = await measureCase(context, { bench: BENCH, case: name, unit: "MiB/s", amount }, contestants)
  await volume.close()
  return record
}

/** Bytes of a journal: the bytes of a volume go through it several times. */
const JOURNAL_SIZE = 4 * MIB

/** The same writes in mode J. The limit is mode D, which writes them once; the naive way is mode D that writes them twice. */
async function measureJournal(
  context: BenchContext,
  engine: Engine,
  engineName: EngineName,
  hash: Shape["hash"],
): Promise<BenchRecord> {
  const size = context.pace.isSmall ? MIB : 64 * MIB
  const buffer = fillNoise(engine.allocate(MIB))
  const journaled = await createVolume(size, hash, engine, "J")
  const direct = await createVolume(size, hash, engine, "D")
  const writes = (volume: BlockDevice, times: number) => {
    let next = 0
    return async (turnCount: number) => {
      for (let turn = 0; turn < turnCount; turn++) {
        for (let time = 0; time < times; time++) await volume.write(next, buffer)
        next = (next + buffer.length) % size
        if (next === 0) await volume.flush()
      }
    }
  }
  const contestants: Contestant[] = [
    { name: OURS, run: writes(journaled, 1) },
    { name: "limit", run: writes(direct, 1) },
    { name: "naive", run: writes(direct, 2) },
  ]
  const name = `${engineName}: ${hash}, sequential writes of 1 MiB in mode J`
  const record = await measureCase(context, { bench: BENCH, case: name, unit: "MiB/s", amount: 1 }, contestants)
  for (const volume of [journaled, direct]) await volume.close()
  return record
}

async function createVolume(
  size: number,
  name: Shape["hash"],
  engine: Engine,
  mode: "J" | "D" = "D",
): Promise<BlockDevice> {
  const journalSize = mode === "J" ? JOURNAL_SIZE : 64 * 512
  const lower = memoryDevice({ bytes: new Uint8Array(size + 2 * MIB + journalSize) })
  const internalHash = { name }
  const format = { blockSize: BLOCK_SIZE, tagSize: name === "sha256" ? 32 : 4, internalHash, engine }
  await formatIntegrity({ ...format, lower, journalSectors: journalSize / 512, mode, wipe: true })
  return await openIntegrity({ lower, size, mode, internalHash, engine })
}

function contestantsOf(volume: BlockDevice, engine: Engine, size: number, shape: Shape): Contestant[] {
  const { hash, isWrite, requestSize } = shape
  const buffer = fillNoise(engine.allocate(requestSize))
  const medium = new Uint8Array(size)
  const tags = new Uint8Array((size / BLOCK_SIZE) * 32)
  const head = new Uint8Array(8)
  const digestOne = onePerBlock(hash)
  const unending = createHash("sha256")
  let next = 0
  const goOn = (): number => {
    const offset = next
    next = (next + requestSize) % size
    return offset
  }
  const contestants: Contestant[] = [
    {
      name: OURS,
      async run(turnCount) {
        for (let turn = 0; turn < turnCount; turn++) {
          const offset = goOn()
          await (isWrite ? volume.write(offset, buffer) : volume.read(offset, buffer))
          if (isWrite && next === 0) await volume.flush()
        }
      },
    },
    { name: "limit", run: repeat(() => void (hash === "crc32c" ? crc32(buffer) : unending.update(buffer))) },
    {
      name: "naive",
      run: repeat(() => {
        const offset = goOn()
        for (let at = 0; at < requestSize; at += BLOCK_SIZE) {
          new DataView(head.buffer).setUint32(0, (offset + at) / 512, true)
          const block = buffer.subarray(at, at + BLOCK_SIZE)
          if (!isWrite) block.set(medium.subarray(offset + at, offset + at + BLOCK_SIZE))
          const digest = digestOne(head, block)
          const tag = tags.subarray(((offset + at) / BLOCK_SIZE) * digest.length).subarray(0, digest.length)
          if (!isWrite) timingSafeEqual(digest, tag)
          else {
            medium.set(block, offset + at)
            tag.set(digest)
          }
        }
      }),
    },
  ]
  return hash === "sha256" ? [...contestants, { name: "bare-loop", run: repeat(() => bareLoop(buffer)) }] : contestants
}

/** The blocks alone, without their number, their digests neither kept nor compared. */
function bareLoop(buffer: Uint8Array): void {
  for (let at = 0; at < buffer.length; at += BLOCK_SIZE)
    hashOnce("sha256", buffer.subarray(at, at + BLOCK_SIZE), "binary")
}

function repeat(work: () => void): (turnCount: number) => void {
  return (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) work()
  }
}
