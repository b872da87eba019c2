import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import {
  type FormatIntegrityOptions,
  formatIntegrity,
  type InternalHash,
  type OpenIntegrityOptions,
  openIntegrity,
} from "@blockstrata/integrity"
import { type SeededRandom, seededRandom, seededRuntime } from "@blockstrata/testkit"

/** Volumes for mode B, many of them one after the other in one image: the guest maps a slice for each. */
export const SLICE_SIZE = 2 * 1024 * 1024

type Format = Pick<
  FormatIntegrityOptions,
  "tagSize" | "blockSize" | "interleaveSectors" | "journalSectors" | "legacyPadding" | "legacyHmac"
>

export interface BitmapVolume {
  readonly index: number
  readonly format: Format & { readonly internalHash: InternalHash }
  readonly sectorsPerBit: number
  readonly bitmapFlushIntervalMs: number
}

const HASHES: readonly (readonly [InternalHash, tagSize: number])[] = [
  [{ name: "crc32c" }, 4],
  [{ name: "sha256" }, 32],
  [{ name: "sha256" }, 20],
  [{ name: "hmac(sha256)", key: seededRandom(1, "kernel bitmap key").bytes(32) }, 32],
]

/** A volume that the seed picks from the grid of what mode B can be. */
export function pickVolume(random: SeededRandom, index: number): BitmapVolume {
  const [internalHash, tagSize] = random.pick(HASHES)
  const legacyHmac = random.below(4) === 0
  return {
    index,
    format: {
      internalHash: { ...internalHash, ...("key" in internalHash && { key: new Uint8Array(internalHash.key) }) },
      tagSize,
      blockSize: random.pick([512, 1024, 2048, 4096]),
      interleaveSectors: random.pick([1024, 4096, 32768]),
      journalSectors: random.pick([1, 200]),
      legacyHmac,
      legacyPadding: legacyHmac && random.below(2) === 0,
    },
    sectorsPerBit: random.pick([1, 8, 64, 1024, 32768]),
    bitmapFlushIntervalMs: random.pick([20, 100, 60000]),
  }
}

/** Formats over zeroes; bytes of data that it provides. */
export async function formatVolume({ format, index }: BitmapVolume, bytes: Uint8Array, wipe = true): Promise<number> {
  const lower = memoryDevice({ bytes })
  const superblock = await formatIntegrity({ ...format, lower, mode: "B", wipe, runtime: seededRuntime(index) })
  return superblock.providedSectors * 512
}

/** Opens it here as `lineOf` opens it there, but for the mode. */
export async function openHere(
  volume: BitmapVolume,
  lower: BlockDevice,
  size: number,
  options: Partial<OpenIntegrityOptions> = {},
): Promise<BlockDevice> {
  const { format, sectorsPerBit, bitmapFlushIntervalMs } = volume
  return await openIntegrity({
    ...{ lower, size, mode: "B", internalHash: format.internalHash, sectorsPerBit, bitmapFlushIntervalMs },
    ...{ allowUnauthenticatedRecovery: true, ...options },
  })
}

/** The line over the slice that `mapSlice` makes. */
export function lineOf(
  { format, index, ...volume }: BitmapVolume,
  size: number,
  mode = "B",
  more: string[] = [],
): string {
  const { internalHash, blockSize, tagSize } = format
  const key = "key" in internalHash ? `:${Buffer.from(internalHash.key).toString("hex")}` : ""
  const words = [
    `block_size:${blockSize}`,
    `sectors_per_bit:${volume.sectorsPerBit}`,
    `bitmap_flush_interval:${volume.bitmapFlushIntervalMs}`,
    `internal_hash:${internalHash.name}${key}`,
    ...more,
  ]
  return `0 ${size / 512} integrity /dev/mapper/s${index} 0 ${tagSize} ${mode} ${words.length} ${words.join(" ")}`
}

/** The guest's command that maps a volume's slice of `/dev/img0`, or of another image. */
export function mapSlice(index: number, image = 0, place = index): string {
  const sectors = SLICE_SIZE / 512
  return `dmsetup create s${index} --table '0 ${sectors} linear /dev/img${image} ${place * sectors}'`
}

/** Waits until Linux has recalculated: its position is the end, or there is none. Fails after half a minute. */
export const waitForTags = (name: string): string =>
  `n=0; while :; do set -- $(dmsetup status ${name}); [ "$6" = - ] && break; [ "$6" = "$5" ] && break
n=$((n+1)); [ $n -lt 300 ] || { echo "$*"; exit 1; }; sleep 0.1; done`

export async function writeSlices(folder: string, name: string, slices: readonly Uint8Array[]): Promise<void> {
  await writeFile(join(folder, name), Buffer.concat(slices))
}

export async function readSlices(folder: string, name: string): Promise<Uint8Array[]> {
  const bytes = new Uint8Array(await readFile(join(folder, name)))
  return Array.from({ length: bytes.length / SLICE_SIZE }, (_, index) =>
    bytes.slice(index * SLICE_SIZE, (index + 1) * SLICE_SIZE),
  )
}
