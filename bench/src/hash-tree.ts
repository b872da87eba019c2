import { createHash, createHmac, hash as hashOnce, timingSafeEqual } from "node:crypto"
import { crc32 } from "node:zlib"
import type { Engine, HashBatch, UnitHash } from "@blockstrata/primitives"
import { sha256 } from "@noble/hashes/sha2.js"
import { type BlockDevice, formatVerity, memoryDevice, verityTarget } from "blockstrata"
import { type Bench, type BenchContext, createEngine, type EngineName, measureCase } from "./bench.ts"
import { type BenchRecord, OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"

const KIB = 1024
const MIB = 1024 * KIB
const BENCH = "hash-tree"
const REQUEST_SIZE = 64 * KIB
const BLOCK_SIZE = 4096
const SALT = fillNoise(new Uint8Array(32))
const MAC_KEY = fillNoise(new Uint8Array(32))

type Algorithm = "sha256" | "hmac-sha256" | "crc32c"
type Purpose = "verify" | "digest"

interface Shape {
  readonly algorithm: Algorithm
  readonly unitSize: number
  /** Against the digests that are stored, or making them. */
  readonly purpose: Purpose
}

const PURPOSES: readonly Purpose[] = ["verify", "digest"]
const ALGORITHMS: readonly Algorithm[] = ["sha256", "hmac-sha256", "crc32c"]
const SPEED_FLAGS: Readonly<Record<Algorithm, readonly string[] | undefined>> = {
  sha256: ["-evp", "sha256"],
  "hmac-sha256": ["-hmac", "sha256"],
  crc32c: undefined,
}

/**
 * The hashes of the blocks of a request, as dm-verity and dm-integrity ask for them, and dm-verity's reading as a whole.
 * The limit is one SHA-256 state over the same bytes, which is never finished; of CRC32C, for which OpenSSL has nothing,
 * zlib's CRC32 in Node.
 */
export const hashTrees: Bench = {
  name: BENCH,
  question: "What does hashing every block cost, against a hash that never ends and against one object per block?",
  async *run(context) {
    for (const engineName of context.engineNames) {
      const engine = createEngine(engineName)
      for (const algorithm of ALGORITHMS) {
        for (const unitSize of [512, BLOCK_SIZE]) {
          for (const purpose of PURPOSES) {
            yield await measureHash(context, engineName, engine, { algorithm, unitSize, purpose })
          }
        }
      }
      yield await measureVerity(context, engine, engineName)
    }
  },
}

async function measureHash(
  context: BenchContext,
  engineName: EngineName,
  engine: Engine,
  shape: Shape,
): Promise<BenchRecord> {
  const { algorithm, unitSize, purpose } = shape
  const hash = algorithm === "hmac-sha256" ? engine.hmac("sha256", MAC_KEY) : engine.hash(algorithm)
  const flags = SPEED_FLAGS[algorithm]
  const name = {
    bench: BENCH,
    case: `${engineName}: ${purpose} ${unitSize === BLOCK_SIZE ? "salted" : "numbered"} ${algorithm}, blocks of ${unitSize}`,
    unit: "MiB/s",
    amount: REQUEST_SIZE / MIB,
  } as const
  const speed = flags === undefined ? {} : await context.opensslSpeed(flags, unitSize)
  const record = await measureCase(context, name, hashContestants(engine, hash, shape), speed)
  hash.destroy()
  return record
}

/** Blocks of 4096 bytes with a salt in front, as in dm-verity; sectors with their number in front, as in dm-integrity. */
function hashContestants(engine: Engine, hash: UnitHash, { algorithm, unitSize, purpose }: Shape): Contestant[] {
  const data = fillNoise(engine.allocate(REQUEST_SIZE))
  const unitCount = REQUEST_SIZE / unitSize
  const heads = new Uint8Array(unitCount * 8)
  const batch: HashBatch = unitSize === BLOCK_SIZE ? { data, unitSize, prefix: SALT } : { data, unitSize, heads }
  const digests = new Uint8Array(unitCount * hash.digestSize)
  const unending = algorithm === "hmac-sha256" ? createHmac("sha256", MAC_KEY) : createHash("sha256")
  const digestOne = onePerBlock(algorithm)
  hash.digestUnits(batch, digests)
  const ours =
    purpose === "verify" ? () => void hash.verifyUnits(batch, digests) : () => hash.digestUnits(batch, digests)
  return [
    { name: OURS, run: repeat(ours) },
    { name: "limit", run: repeat(() => void (algorithm === "crc32c" ? crc32(data) : unending.update(data))) },
    {
      name: "naive",
      run: repeat(() => {
        for (let index = 0; index < unitCount; index++) {
          const head = batch.prefix ?? heads.subarray(index * 8, (index + 1) * 8)
          const digest = digestOne(head, data.subarray(index * unitSize, (index + 1) * unitSize))
          if (purpose === "digest") digests.set(digest, index * hash.digestSize)
          else timingSafeEqual(digest, digests.subarray(index * hash.digestSize, (index + 1) * hash.digestSize))
        }
      }),
    },
    ...(algorithm === "sha256" ? sha256Rivals(data, unitSize) : []),
  ]
}

/**
 * The block alone, without salt or number, its digest neither kept nor compared, and as text, which `crypto.hash` hands out
 * faster than bytes; and a hash in JavaScript.
 */
function sha256Rivals(data: Uint8Array, unitSize: number): Contestant[] {
  const bareLoop = (): void => {
    for (let start = 0; start < data.length; start += unitSize) {
      hashOnce("sha256", data.subarray(start, start + unitSize), "binary")
    }
  }
  return [
    { name: "bare-loop", run: repeat(bareLoop) },
    { name: "noble-sha256", run: repeat(() => void sha256(data)) },
  ]
}

/** The obvious code: an object for every block; of CRC32C, a table. */
export function onePerBlock(algorithm: Algorithm): (head: Uint8Array, block: Uint8Array) => Uint8Array {
  if (algorithm === "sha256") return (head, block) => createHash("sha256").update(head).update(block).digest()
  if (algorithm === "hmac-sha256") {
    return (head, block) => createHmac("sha256", MAC_KEY).update(head).update(block).digest()
  }
  const table = castagnoliTable()
  const digest = new Uint8Array(4)
  return (head, block) => {
    let state = -1
    for (const part of [head, block])
      for (const byte of part) state = (state >>> 8) ^ (table[(state ^ byte) & 0xff] ?? 0)
    new DataView(digest.buffer).setInt32(0, ~state, true)
    return digest
  }
}

/** RFC 3720, B.4: the polynomial 0x1edc6f41, bits reversed, a byte at a time. */
function castagnoliTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? 0x82f63b78 : 0)
    return value
  })
}

/** A volume in memory, read from start to end: the leaves above 64 KiB at a time, each hash block once. */
async function measureVerity(context: BenchContext, engine: Engine, engineName: EngineName): Promise<BenchRecord> {
  const size = context.pace.isSmall ? MIB : 16 * MIB
  const content = fillNoise(new Uint8Array(size))
  const volume = await createVerity(content, engine)
  const buffer = engine.allocate(REQUEST_SIZE)
  const unending = createHash("sha256")
  let next = 0
  const goOn = (): number => {
    const offset = next
    next = (next + REQUEST_SIZE) % size
    return offset
  }
  const contestants: Contestant[] = [
    {
      name: OURS,
      async run(turnCount) {
        for (let turn = 0; turn < turnCount; turn++) await volume.read(goOn(), buffer)
      },
    },
    {
      name: "limit",
      run: repeat(() => {
        const offset = goOn()
        unending.update(content.subarray(offset, offset + REQUEST_SIZE))
      }),
    },
    {
      name: "naive",
      run: repeat(() => {
        const offset = goOn()
        for (let start = offset; start < offset + REQUEST_SIZE; start += BLOCK_SIZE) {
          const block = content.subarray(start, start + BLOCK_SIZE)
          createHash("sha256").update(SALT).update(block).digest()
          buffer.set(block, start - offset)
        }
      }),
    },
  ]
  const name = `${engineName}: verity over memory, sequential reads of 64 KiB`
  const amount = REQUEST_SIZE / MIB
  const record = await measureCase(context, { bench: BENCH, case: name, unit: "MiB/s", amount }, contestants)
  await volume.close()
  return record
}

async function createVerity(content: Uint8Array, engine: Engine): Promise<BlockDevice> {
  const data = memoryDevice({ bytes: content, blockSize: BLOCK_SIZE })
  const hash = memoryDevice({ size: MIB, blockSize: BLOCK_SIZE })
  const made = await formatVerity({
    data,
    hash,
    dataBlockSize: BLOCK_SIZE,
    hashBlockSize: BLOCK_SIZE,
    version: 1,
    algorithm: "sha256",
    salt: SALT,
    engine,
  })
  return verityTarget({ ...made.parameters, data, hash, size: content.length, rootHash: made.rootHash, engine })
}

function repeat(work: () => void): (turnCount: number) => void {
  return (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) work()
  }
}
