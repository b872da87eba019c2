import type { SectorCipher } from "@blockstrata/primitives"
import type { SectorNumbering } from "./iv.ts"

/** Sectors one after the other; `source` and `target` may be the same memory. */
export interface SectorBatch {
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly ivs: Uint8Array
}

/** Hands the sectors of a request to the ciphers of their keys. */
export interface KeyedSectors {
  /** Calls `work` once for each key and piece of a request, with all of its sectors. */
  forEachKey(
    request: SectorBatch & { readonly offset: number; readonly ivSize: number },
    work: (cipher: SectorCipher, batch: SectorBatch) => void,
  ): void
  /** Forgets the plaintext of earlier requests. */
  wipe(): void
}

const SECTOR_SIZE = 512
/** Bytes of a request that are sorted by key at a time: a bound for the scratch. */
const PIECE_SIZE = 1024 * 1024

/**
 * Sector n, counted in units of 512 bytes and with the IV offset in it, has the key n modulo the number of keys, which
 * is a power of two: of larger sectors only some keys are used.
 */
export function keyedSectors(ciphers: readonly SectorCipher[], numbering: SectorNumbering): KeyedSectors {
  const { sectorSize, ivOffsetSectors } = numbering
  const step = sectorSize / SECTOR_SIZE
  // After so many sectors the keys begin again.
  const period = Math.max(1, ciphers.length / step)
  const firstKey = Number(ivOffsetSectors % BigInt(ciphers.length))
  const keyOf = (offset: number) => (firstKey + offset / SECTOR_SIZE) % ciphers.length
  let data = new Uint8Array(0)
  let ivScratch = new Uint8Array(0)

  return {
    forEachKey({ offset, source, target, ivs, ivSize }, work) {
      if (period === 1) return work(ciphers[keyOf(offset)]!, { source, target, ivs })
      for (let from = 0; from < source.length; from += PIECE_SIZE) {
        const to = Math.min(from + PIECE_SIZE, source.length)
        const firstIv = (from / sectorSize) * ivSize
        const pieceIvs = ivs.subarray(firstIv, firstIv + ((to - from) / sectorSize) * ivSize)
        const piece = { source: source.subarray(from, to), target: target.subarray(from, to), ivs: pieceIvs }
        sortPiece(offset + from, piece, ivSize, work)
      }
    },
    wipe() {
      data.fill(0)
    },
  }

  function sortPiece(
    offset: number,
    { source, target, ivs }: SectorBatch,
    ivSize: number,
    work: (cipher: SectorCipher, batch: SectorBatch) => void,
  ): void {
    const count = source.length / sectorSize
    for (let group = 0; group < Math.min(period, count); group++) {
      const groupCount = Math.ceil((count - group) / period)
      if (data.length < groupCount * sectorSize) data = grown(data, groupCount * sectorSize)
      if (ivScratch.length < groupCount * ivSize) ivScratch = new Uint8Array(groupCount * ivSize)
      const sectors = data.subarray(0, groupCount * sectorSize)
      const groupIvs = ivScratch.subarray(0, groupCount * ivSize)
      for (let index = 0, at = group; index < groupCount; index++, at += period) {
        sectors.set(source.subarray(at * sectorSize, (at + 1) * sectorSize), index * sectorSize)
        groupIvs.set(ivs.subarray(at * ivSize, (at + 1) * ivSize), index * ivSize)
      }
      work(ciphers[keyOf(offset + group * sectorSize)]!, { source: sectors, target: sectors, ivs: groupIvs })
      for (let index = 0, at = group; index < groupCount; index++, at += period) {
        target.set(sectors.subarray(index * sectorSize, (index + 1) * sectorSize), at * sectorSize)
      }
    }
  }
}

/** Larger memory in the place of `memory`, which held plaintext. */
function grown(memory: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  memory.fill(0)
  return new Uint8Array(length)
}
