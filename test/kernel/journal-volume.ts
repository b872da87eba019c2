import { encodeHex, memoryDevice } from "@blockstrata/device"
import {
  formatIntegrity,
  type InternalHash,
  type JournalAlgorithm,
  type OpenIntegrityOptions,
  openIntegrity,
} from "@blockstrata/integrity"
import { type SeededRandom, seededRandom, seededRuntime } from "@blockstrata/testkit"

/** A volume in mode J: of every combination of journal_mac and journal_crypt, and as different otherwise as can be. */
export interface JournalVolume {
  readonly name: string
  readonly random: SeededRandom
  readonly internalHash: InternalHash
  readonly tagSize: number
  readonly blockSize: number
  readonly journalSectors: number
  readonly watermark: number
  readonly legacyHmac: boolean
  readonly journalMac: JournalAlgorithm | undefined
  readonly journalCrypt: JournalAlgorithm | undefined
  /** Blocks of the volume that are written. */
  readonly blockCount: number
}

/** A request of the test, in blocks; `seed` says what is written. */
export type Step =
  | { readonly do: "write"; readonly block: number; readonly count: number; readonly seed: number }
  | { readonly do: "flush" }

/** Bytes of the medium of a volume. */
export const MEDIUM_SIZE: number = 2 * 1024 * 1024
/** Four of each combination of journal_mac and journal_crypt: of one alone a crash may leave nothing to recover. */
export const VOLUME_COUNT = 56
const SECTOR_SIZE = 512
const MACS = [undefined, "hmac(sha256)"]
const CRYPTS = [undefined, "ctr(aes)", "cbc(aes)", "chacha20", "xts(aes)", "lrw(aes)", "ecb(aes)"]
export const COMBINATION_COUNT: number = MACS.length * CRYPTS.length
const HASHES: readonly (readonly [InternalHash["name"], tagSize: number])[] = [
  ["crc32c", 4],
  ["sha256", 32],
  ["hmac(sha256)", 32],
  ["sha1", 20],
  ["hmac(sha256)", 12],
]

export function journalVolumes(seed: number): JournalVolume[] {
  return Array.from({ length: VOLUME_COUNT }, (_, index) => {
    const random = seededRandom(seed, `journal volume ${index}`)
    const [hash, tagSize] = HASHES[index % HASHES.length]!
    const keyed = (name: string | undefined) => name && { name, key: random.bytes(32) }
    const blockSize = [512, 4096, 512, 1024, 2048][Math.floor(index / 6) % 5]!
    const internalHash = (
      hash.startsWith("hmac") ? { name: hash, key: random.bytes(32) } : { name: hash }
    ) as InternalHash
    return {
      name: `v${index}`,
      random,
      internalHash,
      tagSize,
      blockSize,
      journalSectors: index % 20 === 9 ? 1 : random.pick([1200, 1600, 2000]),
      watermark: index % 14 === 6 ? 50 : 99,
      legacyHmac: index % 7 === 3,
      journalMac: keyed(MACS[index % 2]) || undefined,
      journalCrypt: keyed(CRYPTS[Math.floor(index / 2) % CRYPTS.length]) || undefined,
      blockCount: 48,
    }
  })
}

/** The combination of journal_mac and journal_crypt. */
export function protectionOf({ journalMac, journalCrypt }: JournalVolume): string {
  return `${journalMac?.name ?? "no MAC"}, ${journalCrypt?.name ?? "plain"}`
}

/** Writes all over the first blocks, again and again, with flushes in between; the end is not flushed. */
export function drawSteps({ random, blockCount }: JournalVolume, writeCount: number): Step[] {
  const steps: Step[] = [{ do: "write", block: 0, count: blockCount, seed: random.below(1000) }, { do: "flush" }]
  for (let index = 0; index < writeCount; index++) {
    const block = random.below(blockCount)
    const count = 1 + random.below(Math.min(10, blockCount - block))
    steps.push({ do: "write", block, count, seed: random.below(1000) })
    // The last one is flushed and the one after it is not: something is always owed, and something not.
    if (random.below(3) === 0 || index === writeCount - 2) steps.push({ do: "flush" })
  }
  return steps
}

/** What a step writes: each block differs from every other, of other steps too. */
export function contentOf({ blockSize }: JournalVolume, { block, count, seed }: Step & { do: "write" }): Uint8Array {
  const data = new Uint8Array(count * blockSize)
  for (let index = 0; index < count; index++) data.set(blockOf(blockSize, block + index, seed), index * blockSize)
  return data
}

export function blockOf(blockSize: number, block: number, seed: number): Uint8Array {
  return seededRandom(seed, `block ${block}`).bytes(blockSize)
}

/** Which contents each block may have after a crash: what was last flushed, and whatever was written since. */
export function allowedSeeds({ blockCount }: JournalVolume, steps: readonly Step[]): Set<number>[] {
  const allowed = Array.from({ length: blockCount }, () => new Set<number>())
  const last = Array.from({ length: blockCount }, (): number | undefined => undefined)
  for (const step of steps) {
    if (step.do === "flush") allowed.forEach((seeds, block) => keepOnly(seeds, last[block]))
    else
      for (let block = step.block; block < step.block + step.count; block++) {
        allowed[block]?.add(step.seed)
        last[block] = step.seed
      }
  }
  return allowed
}

function keepOnly(seeds: Set<number>, seed: number | undefined): void {
  seeds.clear()
  if (seed !== undefined) seeds.add(seed)
}

/** Blocks that hold none of what they may; `content` begins with the volume. */
export function wrongBlocks(volume: JournalVolume, steps: readonly Step[], content: Uint8Array): number[] {
  const { blockSize } = volume
  return allowedSeeds(volume, steps).flatMap((seeds, block) => {
    const found = content.subarray(block * blockSize, (block + 1) * blockSize)
    return [...seeds].some((seed) => Buffer.compare(blockOf(blockSize, block, seed), found) === 0) ? [] : [block]
  })
}

export function openingOf(volume: JournalVolume, size: number): Omit<OpenIntegrityOptions, "lower"> {
  const { internalHash, journalMac, journalCrypt, watermark } = volume
  const runtime = seededRuntime(1)
  return { size, mode: "J", internalHash, journalMac, journalCrypt, journalWatermark: watermark, runtime }
}

/** A volume without anything in it, every block readable, and how many bytes it has. */
export async function formatted(volume: JournalVolume): Promise<{ image: Uint8Array; size: number }> {
  const image = new Uint8Array(MEDIUM_SIZE)
  const superblock = await formatIntegrity({
    ...volume,
    lower: memoryDevice({ bytes: image }),
    interleaveSectors: 256,
    wipe: true,
    runtime: seededRuntime(volume.random.below(1000)),
  })
  return { image, size: superblock.providedSectors * SECTOR_SIZE }
}

/** The arguments of a line, on the operand `DEV`. */
export function lineOf(volume: JournalVolume, size: number): string {
  const { internalHash, tagSize, blockSize, journalMac, journalCrypt, journalSectors, watermark, legacyHmac } = volume
  const key = (algorithm: InternalHash | JournalAlgorithm) => ("key" in algorithm ? `:${encodeHex(algorithm.key)}` : "")
  const words = [
    `block_size:${blockSize}`,
    `journal_sectors:${journalSectors}`,
    `journal_watermark:${watermark}`,
    "commit_time:60000",
    "interleave_sectors:256",
    "fix_padding",
    ...(legacyHmac ? [] : ["fix_hmac"]),
    `internal_hash:${internalHash.name}${key(internalHash)}`,
    ...(journalMac ? [`journal_mac:${journalMac.name}${key(journalMac)}`] : []),
    ...(journalCrypt ? [`journal_crypt:${journalCrypt.name}${key(journalCrypt)}`] : []),
  ]
  return `0 ${size / SECTOR_SIZE} integrity DEV 0 ${tagSize} J ${words.length} ${words.join(" ")}`
}

/** Opens what a crash left, and reads all of it. */
export async function contentAfter(volume: JournalVolume, image: Uint8Array, size: number): Promise<Uint8Array> {
  const device = await openIntegrity({ ...openingOf(volume, size), lower: memoryDevice({ bytes: image }) })
  const content = new Uint8Array(size)
  await device.read(0, content)
  await device.close()
  return content
}
