import { createHash } from "node:crypto"
import type { Engine } from "@blockstrata/primitives"
import { createNodeEngine } from "@blockstrata/primitives/node"
import { type Bench, type BenchContext, createEngine, type EngineName, measureCase } from "./bench.ts"
import { type BenchRecord, OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"
import { goRound, type RingRequest, requestRing } from "./harness/request-ring.ts"
import {
  type Direction,
  isAdiantum,
  KEY_SIZES,
  type Mode,
  nobleAlone,
  OPENSSL_NAMES,
  objectPerSector,
  rawCipher,
  type SectorWork,
} from "./sector-way.ts"

const KIB = 1024
const MIB = 1024 * KIB
const IV_SIZE = 16
const ADIANTUM_IV_SIZE = 32
/** Every request size goes into it. */
const MEMORY_SIZE = 4 * MIB

interface Shape {
  readonly mode: Mode
  readonly direction: Direction
  readonly sectorSize: number
  readonly requestSize: number
  /** The engine's own memory, or any. */
  readonly isAllocated: boolean
  readonly threadCount: number
}

const MODES: readonly Mode[] = ["aes-xts", "aes-cbc-essiv", "aes-lrw", "adiantum-xchacha12", "adiantum-xchacha20"]
const DIRECTIONS: readonly Direction[] = ["decrypt", "encrypt"]
const SECTOR_SIZES = [512, 4096]
/** How cost grows with a request; 64 KiB are in the other cases. */
const REQUEST_SIZES = [4 * KIB, 16 * KIB, 256 * KIB, MIB]
/** Where a second thread may gain. */
const SHARED_SIZES = [64 * KIB, 512 * KIB, MIB, 4 * MIB]

/**
 * What a batch of sectors costs, against one long-lived OpenSSL cipher over the same bytes (no IV per sector: nobody can be
 * faster with this OpenSSL) and against one cipher object per sector.
 */
export const sectorCiphers: Bench = {
  name: "sector-ciphers",
  question: "How near do batches of sectors come to OpenSSL, and how far are they from one object per sector?",
  async *run(context) {
    for (const engineName of context.engineNames) {
      const engines = [createEngine(engineName), ...(engineName === "node" ? [createNodeEngine({ threads: 2 })] : [])]
      // The engine's memory is not given back: all cases share what they get.
      const memories = engines.map((engine) => ({ engine, bytes: engine.allocate(MEMORY_SIZE), ivs: madeIvs(engine) }))
      for (const shape of shapes(engineName)) {
        const [single, several = single] = memories
        const memory = shape.threadCount > 1 ? several : single
        if (memory !== undefined) yield await measureShape(context, engineName, shape, memory, single)
      }
      for (const engine of engines) engine.close()
    }
  },
}

/** An engine and memory of its own: a region to work on, and room for IVs. */
interface EngineMemory {
  readonly engine: Engine
  readonly bytes: Uint8Array
  readonly ivs: Uint8Array
}

function madeIvs(engine: Engine): Uint8Array {
  return engine.allocate((MIB / 512) * IV_SIZE)
}

function shapes(engineName: EngineName): Shape[] {
  const common = { requestSize: 64 * KIB, isAllocated: true, threadCount: 1 }
  const all = MODES.flatMap((mode) =>
    SECTOR_SIZES.flatMap((sectorSize) =>
      DIRECTIONS.map((direction): Shape => ({ ...common, mode, direction, sectorSize })),
    ),
  )
  if (engineName === "portable") return all
  const xts = { ...common, mode: "aes-xts", direction: "decrypt" } as const
  const grown = SECTOR_SIZES.flatMap((sectorSize): Shape[] => [
    { ...xts, sectorSize, isAllocated: false },
    ...REQUEST_SIZES.map((requestSize): Shape => ({ ...xts, sectorSize, requestSize })),
  ])
  const shared = SHARED_SIZES.map((requestSize): Shape => ({ ...xts, sectorSize: 4096, requestSize, threadCount: 2 }))
  return [...all, ...grown, ...shared]
}

function nameOf(engineName: EngineName, shape: Shape): string {
  const { mode, direction, sectorSize, requestSize, isAllocated, threadCount } = shape
  const request = requestSize < MIB ? `${requestSize / KIB} KiB` : `${requestSize / MIB} MiB`
  const rest = `${isAllocated ? "" : ", any memory"}${threadCount > 1 ? `, ${threadCount} threads` : ""}`
  return `${engineName}: ${mode} ${direction}, sectors of ${sectorSize}, requests of ${request}${rest}`
}

async function measureShape(
  context: BenchContext,
  engineName: EngineName,
  shape: Shape,
  memory: EngineMemory,
  single: EngineMemory | undefined,
): Promise<BenchRecord> {
  const { mode, direction, sectorSize, requestSize } = shape
  const key = fillNoise(new Uint8Array(KEY_SIZES[mode]))
  const work: SectorWork = { mode, direction, key, essivKey: createHash("sha256").update(key).digest() }
  const ivSize = isAdiantum(mode) ? ADIANTUM_IV_SIZE : IV_SIZE
  const ringOf = (bytes: Uint8Array): readonly RingRequest[] =>
    requestRing({ memory: fillNoise(bytes), requestSize, sectorSize, ivSize })
  const ring = ringOf(shape.isAllocated ? memory.bytes : new Uint8Array(MEMORY_SIZE))
  const ours = engineWay(memory, work, sectorSize)
  const contestants: Contestant[] = [
    { name: OURS, run: goRound(ring, ours.apply) },
    { name: "limit", run: goRound(ring, rawCipher(work)) },
    { name: "naive", run: goRound(ring, objectPerSector(work)) },
  ]
  if (engineName === "portable") contestants.push(nobleContestant(work, ring))
  const alone = shape.threadCount > 1 && single ? engineWay(single, work, sectorSize) : undefined
  if (alone && single) contestants.push({ name: "one-thread", run: goRound(ringOf(single.bytes), alone.apply) })
  const flags = ["-evp", OPENSSL_NAMES[mode], ...(direction === "decrypt" ? ["-decrypt"] : [])]
  const name = { bench: "sector-ciphers", case: nameOf(engineName, shape), amount: requestSize / MIB }
  const speed = await context.opensslSpeed(flags, sectorSize)
  const record = await measureCase(context, { ...name, unit: "MiB/s" }, contestants, speed)
  ours.destroy()
  alone?.destroy()
  return record
}

function nobleContestant(work: SectorWork, ring: readonly RingRequest[]): Contestant {
  return { name: isAdiantum(work.mode) ? "noble-chacha" : "noble-ecb", run: goRound(ring, nobleAlone(work)) }
}

/** By the engine. ESSIV: the IV is the sector number, enciphered under the hash of the key; making it is part of the work. */
function engineWay(
  { engine, ivs }: EngineMemory,
  { mode, direction, key, essivKey }: SectorWork,
  sectorSize: number,
): { apply(request: RingRequest): void; destroy(): void } {
  const cipher = engine.sectorCipher(mode === "aes-cbc-essiv" ? "aes-cbc" : mode, key)
  const transform = cipher[`${direction}Sectors`]
  const essiv = mode === "aes-cbc-essiv" ? engine.blockCipher("aes", essivKey) : undefined
  return {
    apply(request) {
      const made = essiv === undefined ? request.ivs : ivs.subarray(0, request.ivs.length)
      essiv?.encryptBlocks(request.ivs, made)
      transform(request.bytes, request.bytes, sectorSize, made)
    },
    destroy() {
      cipher.destroy()
      essiv?.destroy()
    },
  }
}
