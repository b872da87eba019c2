import type { Runtime } from "@blockstrata/device"
import type { BlockCipher, Engine } from "@blockstrata/primitives"

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

/** `plain64`: the sector number as le64, padded with zeros to 16 bytes. */
export function plain64Iv(numbering: SectorNumbering): IvGenerator {
  return {
    ivSize: IV_SIZE,
    fill(offset, ivs) {
      ivs.fill(0)
      writeSectorNumbers(numbering, offset, ivs, IV_SIZE)
    },
    destroy() {},
  }
}

/** `essiv:sha256`: plain64, encrypted with AES under SHA-256(key). One call of the block cipher for the whole batch. */
export function essivIv(numbering: SectorNumbering, key: Uint8Array, engine: Engine): IvGenerator {
  const numbers = plain64Iv(numbering)
  const cipher = saltCipher(key, engine)
  return {
    ivSize: IV_SIZE,
    fill(offset, ivs) {
      numbers.fill(offset, ivs)
      cipher.encryptBlocks(ivs, ivs)
    },
    destroy: () => cipher.destroy(),
  }
}

function saltCipher(key: Uint8Array, engine: Engine): BlockCipher {
  const hash = engine.hash("sha256")
  const salt = hash.digest(key)
  try {
    return engine.blockCipher("aes", salt)
  } finally {
    salt.fill(0)
    hash.destroy()
  }
}

/** `random`: fresh bytes for each sector of each write, stored beside the tag. */
export function randomIv(ivSize: number, runtime: Runtime): IvGenerator {
  return {
    ivSize,
    fill: (_offset, ivs) => runtime.fillRandom(ivs),
    destroy() {},
  }
}
