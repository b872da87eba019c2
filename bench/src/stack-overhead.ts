import { createDecipheriv } from "node:crypto"
import { closeSync, openSync, readSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openFileDevice } from "@blockstrata/device/file"
import { type BlockDevice, cryptTarget, linearTarget, memoryDevice } from "blockstrata"
import { type Bench, type BenchContext, createEngine, type EngineName, measureCase } from "./bench.ts"
import { type BenchRecord, OURS, recordOf } from "./harness/bench-record.ts"
import { fillNoise, scatteredOffsets } from "./harness/noise.ts"
import { type Contestant, playRounds, type Rounds } from "./harness/paired-rounds.ts"
import { inScratchFolder } from "./harness/scratch-folder.ts"

const MIB = 1024 * 1024
const BENCH = "stack-overhead"
const READ_SIZE = 4096
const SECTOR_SIZE = 512
const JOINT_COUNT = 5
/** No joint is faster than this, in seconds: on a busy machine a difference of two short times can even be negative. */
const JOINT_SECONDS_MIN = 1e-9

/** What a layer costs that does nothing, and what is left of the page cache's speed behind a cipher. */
export const stackOverhead: Bench = {
  name: BENCH,
  question: "What does a joint between two layers cost, and how many small random reads does a stack answer?",
  async *run(context) {
    yield await measureJoint(context)
    yield* inScratchFolder(tmpdir(), async function* (folder) {
      const path = join(folder, "disk.img")
      const size = (context.pace.isSmall ? 1 : 64) * MIB
      writeFileSync(path, fillNoise(new Uint8Array(size)))
      for (const engineName of context.engineNames) {
        yield await measureReads(context, engineName, path, { size, sectorSize: SECTOR_SIZE, io: "sync" })
        if (engineName === "portable") continue
        yield await measureReads(context, engineName, path, { size, sectorSize: SECTOR_SIZE, io: "auto" })
        yield await measureReads(context, engineName, path, { size, sectorSize: READ_SIZE, io: "sync" })
      }
    })
  },
}

type Read = (offset: number, buffer: Uint8Array) => Promise<void>

/**
 * A joint is what each of five linear targets adds to a 4 KiB read from memory: the edge with its checks, and the target's
 * own addition. Its limit is an async function that awaits the one below, its naive way the same read sector by sector.
 */
async function measureJoint({ pace, memory }: BenchContext): Promise<BenchRecord> {
  const base = memoryDevice({ bytes: new Uint8Array(MIB) })
  const stack = passThrough(base, JOINT_COUNT)
  const bare = awaiting((offset, buffer) => base.read(offset, buffer), JOINT_COUNT)
  const buffer = new Uint8Array(READ_SIZE)
  const reader = (name: string, read: Read, pieceSize: number): Contestant => ({
    name,
    async run(turnCount) {
      for (let turn = 0; turn < turnCount; turn++) {
        for (let start = 0; start < READ_SIZE; start += pieceSize) {
          await read(
            ((turn * READ_SIZE) % MIB) + start,
            pieceSize === READ_SIZE ? buffer : buffer.subarray(0, pieceSize),
          )
        }
      }
    },
  })
  const contestants = [
    reader("base", base.read, READ_SIZE),
    reader("stack", stack.read, READ_SIZE),
    reader("bare", bare, READ_SIZE),
    reader("base by sector", base.read, SECTOR_SIZE),
    reader("stack by sector", stack.read, SECTOR_SIZE),
  ]
  const [rounds = new Map<string, number[]>()] = await playRounds(contestants, { pace, onSlice: memory.sample })
  const perJoint: Rounds = new Map([
    [OURS, difference(rounds, "stack", "base")],
    ["limit", difference(rounds, "bare", "base")],
    ["naive", difference(rounds, "stack by sector", "base by sector")],
  ])
  await stack.close()
  return recordOf({ bench: BENCH, case: "pass-through joint, reads of 4 KiB", unit: "joints/s", amount: 1 }, perJoint)
}

function difference(rounds: Rounds, upper: string, lower: string): number[] {
  const below = rounds.get(lower) ?? []
  return (rounds.get(upper) ?? []).map((seconds, round) =>
    Math.max((seconds - (below[round] ?? 0)) / JOINT_COUNT, JOINT_SECONDS_MIN),
  )
}

function passThrough(lower: BlockDevice, count: number): BlockDevice {
  return count === 0 ? lower : passThrough(linearTarget({ lower, start: 0, size: lower.size }), count - 1)
}

function awaiting(lower: Read, count: number): Read {
  return count === 0 ? lower : awaiting(async (offset, buffer) => await lower(offset, buffer), count - 1)
}

interface ReadShape {
  readonly size: number
  readonly sectorSize: number
  readonly io: "sync" | "auto"
}

/**
 * One read at a time, on one thread. The limit is the system call and one long-lived cipher, without IVs; the naive way
 * one cipher object per sector.
 */
async function measureReads(
  context: BenchContext,
  engineName: EngineName,
  path: string,
  { size, sectorSize, io }: ReadShape,
): Promise<BenchRecord> {
  const key = fillNoise(new Uint8Array(64))
  const lower = await openFileDevice(path, { readOnly: true, io, blockSize: sectorSize })
  const engine = createEngine(engineName)
  const device = cryptTarget({ lower, size, cipher: "aes-xts-plain64", key, ivOffsetSectors: 0, sectorSize, engine })
  const fd = openSync(path, "r")
  const offsets = scatteredOffsets(16 * 1024, size, READ_SIZE)
  const buffer = engine.allocate(READ_SIZE)
  const iv = new Uint8Array(16)
  const raw = createDecipheriv("aes-256-xts", key, iv)
  const contestants: Contestant[] = [
    {
      name: OURS,
      async run(turnCount) {
        for (let turn = 0; turn < turnCount; turn++) await device.read(offsets[turn % offsets.length] ?? 0, buffer)
      },
    },
    {
      name: "limit",
      run(turnCount) {
        for (let turn = 0; turn < turnCount; turn++) {
          readSync(fd, buffer, 0, READ_SIZE, offsets[turn % offsets.length] ?? 0)
          raw.update(buffer)
        }
      },
    },
    {
      name: "naive",
      run(turnCount) {
        for (let turn = 0; turn < turnCount; turn++) {
          const offset = offsets[turn % offsets.length] ?? 0
          readSync(fd, buffer, 0, READ_SIZE, offset)
          for (let start = 0; start < READ_SIZE; start += sectorSize) {
            new DataView(iv.buffer).setBigUint64(0, BigInt((offset + start) / SECTOR_SIZE), true)
            const sector = buffer.subarray(start, start + sectorSize)
            sector.set(createDecipheriv("aes-256-xts", key, iv).update(sector))
          }
        }
      },
    },
  ]
  const name = `${engineName}: random reads of 4 KiB, aes-xts-plain64 in sectors of ${sectorSize}, file ${io}`
  try {
    return await measureCase(context, { bench: BENCH, case: name, unit: "reads/s", amount: 1 }, contestants)
  } finally {
    await device.close()
    closeSync(fd)
  }
}
