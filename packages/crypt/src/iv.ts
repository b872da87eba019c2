import type { Runtime } from "@blockstrata/device"
import type { SectorCipher } from "@blockstrata/primitives"

/** How the sectors of a device are counted for their IVs. */
export interface SectorNumbering {
  /** Sectors of 512 bytes, 0 ... 2^64 - 1, added modulo 2^64; a multiple of the sector size. */
  readonly ivOffsetSectors: bigint
  /** Bytes: 512, 1024, 2048 or 4096. */
  readonly sectorSize: number
  /** Count in units of `sectorSize` instead of 512 bytes. */
  readonly ivLargeSectors: boolean
}

/** Makes the IVs of a batch of consecutive sectors. */
export interface IvGenerator {
  readonly ivSize: number
  /** Fills `ivs` with one IV of `ivSize` bytes per sector; the first sector begins at `offset` bytes. */
  fill(offset: number, ivs: Uint8Array): void
  destroy(): void
}

const SECTOR_SIZE = 512
const IV_SIZE = 16
const TWO_TO_32 = 2 ** 32
const BIG_TWO_TO_32 = 2n ** 32n

/**
 * Writes the numbers of consecutive sectors, 64-bit little-endian, one at the start of every `stride` bytes of
 * `target`; other bytes stay as they are.
 */
export function writeSectorNumbers(
  numbering: SectorNumbering,
  offset: number,
  target: Uint8Array,
  stride: number,
): void {
  const { ivOffsetSectors, sectorSize, ivLargeSectors } = numbering
  const sectorsPerUnit = sectorSize / SECTOR_SIZE
  const divisor = ivLargeSectors ? sectorsPerUnit : 1
  const step = ivLargeSectors ? 1 : sectorsPerUnit
  // In halves of 32 bits, each a number: this runs for every request, and bigints cost it a microsecond.
  const sector = offset / SECTOR_SIZE
  const lowSum = (sector % TWO_TO_32) + Number(ivOffsetSectors % BIG_TWO_TO_32)
  const highSum =
    Math.floor(sector / TWO_TO_32) + Number(ivOffsetSectors / BIG_TWO_TO_32) + Math.floor(lowSum / TWO_TO_32)
  const highSector = highSum % TWO_TO_32
  let low = Math.floor((lowSum % TWO_TO_32) / divisor) + (highSector % divisor) * (TWO_TO_32 / divisor)
  let high = Math.floor(highSector / divisor)
  // The sum wraps at 2^64 before it is divided: large sectors start again at 0 that much earlier.
  const highCount = TWO_TO_32 / divisor
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  for (let at = 0; at + 8 <= target.length; at += stride) {
    view.setUint32(at, low, true)
    view.setUint32(at + 4, high, true)
    low += step
    if (low >= TWO_TO_32) {
      low -= TWO_TO_32
      high = (high + 1) % highCount
    }
  }
}

/** How the number of a sector becomes an IV. */
export interface NumberIvOptions {
  readonly name: "plain" | "plain64" | "plain64be" | "benbi"
  /** Bytes, at least 8. */
  readonly ivSize: number
  /** Bytes: `benbi` counts blocks of the cipher, of which one is as long as this. */
  readonly cipherBlockSize: number
}

/** The sector number, at the start little-endian or at the end big-endian, with zeros around it. */
export function sectorNumberIv(numbering: SectorNumbering, options: NumberIvOptions): IvGenerator {
  const { name, ivSize, cipherBlockSize } = options
  return {
    ivSize,
    fill(offset, ivs) {
      ivs.fill(0)
      writeSectorNumbers(numbering, offset, ivs, ivSize)
      if (name === "plain64") return
      const view = new DataView(ivs.buffer, ivs.byteOffset, ivs.byteLength)
      for (let at = 0; at < ivs.length; at += ivSize) {
        if (name === "plain") view.setUint32(at + 4, 0)
        else if (name === "plain64be") moveToEnd(view, at, ivSize)
        else {
          multiplyNumber(view, at, SECTOR_SIZE / cipherBlockSize)
          // The first block is number 1. The product ends in zeros: nothing is carried.
          view.setUint32(at, view.getUint32(at, true) + 1, true)
          moveToEnd(view, at, ivSize)
        }
      }
    },
    destroy() {},
  }
}

/** `null`: zeros for every sector; also the IVs of no bytes of a mode that has none. */
export function nullIv(ivSize: number): IvGenerator {
  return { ivSize, fill: (_offset, ivs) => void ivs.fill(0), destroy() {} }
}

/** `eboiv`: a block of zeros, encrypted by the cipher of the sectors with the sector's byte offset as its IV. */
export function eboivIv(numbering: SectorNumbering, cipher: SectorCipher): IvGenerator {
  return {
    ivSize: IV_SIZE,
    fill(offset, ivs) {
      const offsets = new Uint8Array(ivs.length)
      writeSectorOffsets(numbering, offset, offsets, IV_SIZE)
      ivs.fill(0)
      cipher.encryptSectors(ivs, ivs, IV_SIZE, offsets)
    },
    destroy() {},
  }
}

/**
 * As `writeSectorNumbers`, each number times the sector size in bytes, modulo 2^64: the sector's place. Where sectors larger
 * than 512 bytes are counted by 512, it is not their place, but that is how Linux has it.
 */
export function writeSectorOffsets(
  numbering: SectorNumbering,
  offset: number,
  target: Uint8Array,
  stride: number,
): void {
  writeSectorNumbers(numbering, offset, target, stride)
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  for (let at = 0; at + 8 <= target.length; at += stride) multiplyNumber(view, at, numbering.sectorSize)
}

/** The le64 at `at` times a power of two of at most 2^12, modulo 2^64. */
function multiplyNumber(view: DataView, at: number, factor: number): void {
  const low = view.getUint32(at, true) * factor
  const high = view.getUint32(at + 4, true) * factor + Math.floor(low / TWO_TO_32)
  view.setUint32(at, low % TWO_TO_32, true)
  view.setUint32(at + 4, high % TWO_TO_32, true)
}

/** The le64 at the start of an IV becomes a be64 at its end. */
function moveToEnd(view: DataView, at: number, ivSize: number): void {
  const low = view.getUint32(at, true)
  const high = view.getUint32(at + 4, true)
  view.setBigUint64(at, 0n)
  view.setUint32(at + ivSize - 8, high)
  view.setUint32(at + ivSize - 4, low)
}

/** `random`: fresh bytes for each sector of each write, stored beside the tag. */
export function randomIv(ivSize: number, runtime: Runtime): IvGenerator {
  return {
    ivSize,
    fill: (_offset, ivs) => runtime.fillRandom(ivs),
    destroy() {},
  }
}
