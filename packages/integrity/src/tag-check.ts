import type { HashBatch, UnitHash } from "@blockstrata/primitives"

/** The byte that a discard fills tags with. */
export const DISCARD_FILLER = 0xf6
const SECTOR_SIZE = 512
const WORD_RANGE = 2 ** 32

export interface TagCheckOptions {
  readonly hash: UnitHash
  readonly blockSize: number
  readonly tagSize: number
  /** Hashed before everything else where the superblock says fixed HMAC. */
  readonly salt: Uint8Array | undefined
  /** A tag of nothing but the filler goes with any data: only where discards are allowed. */
  readonly acceptsFiller: boolean
  /** Blocks that fail together: those in one block of the device. */
  readonly unitBlockCount: number
}

/** Whole units, from block `blockIndex` on and `blockCount` blocks, in each of which a tag does not match. */
export interface MismatchRun {
  readonly blockIndex: number
  readonly blockCount: number
}

/** Tags of whole blocks: H([salt] || le64(logical sector) || block), truncated or zero padded to the tag size. */
export interface TagCheck {
  /** Fills `tags` for the blocks in `data`, the first of which stands at byte `offset` of the integrity device. */
  compute(offset: number, data: Uint8Array, tags: Uint8Array): void
  /** The first maximal run of units that do not match; undefined if all do. `data` are whole units. */
  firstMismatch(offset: number, data: Uint8Array, tags: Uint8Array): MismatchRun | undefined
}

/** The check of one opened volume. Each call hashes its blocks as one batch. */
export function tagCheck({ hash, blockSize, tagSize, salt, acceptsFiller, unitBlockCount }: TagCheckOptions): TagCheck {
  function batchOf(offset: number, data: Uint8Array): HashBatch {
    const heads = sectorNumbers(offset, data.length / blockSize, blockSize)
    return { data, unitSize: blockSize, prefix: salt, heads, tagSize }
  }

  function matches(expected: Uint8Array, tags: Uint8Array, blockIndex: number): boolean {
    // Every byte is looked at, so that the time taken tells nothing of a keyed tag.
    let difference = 0
    let filler = 0
    for (let at = blockIndex * tagSize; at < (blockIndex + 1) * tagSize; at++) {
      difference |= expected[at]! ^ tags[at]!
      filler |= tags[at]! ^ DISCARD_FILLER
    }
    return difference === 0 || (acceptsFiller && filler === 0)
  }

  function unitMatches(expected: Uint8Array, tags: Uint8Array, unitIndex: number): boolean {
    const start = unitIndex * unitBlockCount
    for (let index = start; index < start + unitBlockCount; index++) {
      if (!matches(expected, tags, index)) return false
    }
    return true
  }

  return {
    compute: (offset, data, tags) => hash.digestUnits(batchOf(offset, data), tags),
    firstMismatch(offset, data, tags) {
      const batch = batchOf(offset, data)
      if (hash.verifyUnits(batch, tags) < 0) return undefined
      // Seldom: a bad block, or one that was discarded. Then every tag is needed, to find the end of the run.
      const expected = new Uint8Array(tags.length)
      hash.digestUnits(batch, expected)
      const unitCount = data.length / blockSize / unitBlockCount
      let first = 0
      while (first < unitCount && unitMatches(expected, tags, first)) first++
      if (first === unitCount) return undefined
      let end = first + 1
      while (end < unitCount && !unitMatches(expected, tags, end)) end++
      return { blockIndex: first * unitBlockCount, blockCount: (end - first) * unitBlockCount }
    },
  }
}

/** One le64 per block: the number of its first sector, as two halves, for a bigint a block would cost as much as its CRC. */
function sectorNumbers(offset: number, blockCount: number, blockSize: number): Uint8Array {
  const numbers = new Uint8Array(blockCount * 8)
  const view = new DataView(numbers.buffer)
  for (let index = 0; index < blockCount; index++) {
    const sector = (offset + index * blockSize) / SECTOR_SIZE
    view.setUint32(index * 8, sector % WORD_RANGE, true)
    view.setUint32(index * 8 + 4, Math.floor(sector / WORD_RANGE), true)
  }
  return numbers
}
