import type { UnitHash } from "@blockstrata/primitives"

/** The byte that a discard fills tags with. */
export const DISCARD_FILLER = 0xf6
const SECTOR_SIZE = 512

export interface TagCheckOptions {
  readonly hash: UnitHash
  readonly blockSize: number
  readonly tagSize: number
  /** Hashed before everything else where the superblock says fixed HMAC. */
  readonly salt: Uint8Array | undefined
  /** A tag of nothing but the filler goes with any data: only where discards are allowed. */
  readonly acceptsFiller: boolean
}

/** Blocks `blockIndex` and on, `blockCount` of them, whose tags do not match. */
export interface MismatchRun {
  readonly blockIndex: number
  readonly blockCount: number
}

/** Tags of whole blocks: H([salt] || le64(logical sector) || block), truncated or zero padded to the tag size. */
export interface TagCheck {
  /** Fills `tags` for the blocks in `data`, the first of which stands at byte `offset` of the integrity device. */
  compute(offset: number, data: Uint8Array, tags: Uint8Array): void
  /** The first maximal run of blocks that do not match; undefined if all do. */
  firstMismatch(offset: number, data: Uint8Array, tags: Uint8Array): MismatchRun | undefined
}

/** The check of one opened volume. Each call hashes its blocks as one batch. */
export function tagCheck({ hash, blockSize, tagSize, salt, acceptsFiller }: TagCheckOptions): TagCheck {
  const { digestSize } = hash
  const sharedSize = Math.min(digestSize, tagSize)

  function compute(offset: number, data: Uint8Array, tags: Uint8Array): void {
    const blockCount = data.length / blockSize
    const batch = { data, unitSize: blockSize, prefix: salt, heads: sectorNumbers(offset, blockCount, blockSize) }
    if (digestSize === tagSize) return hash.digestUnits(batch, tags)
    const digests = new Uint8Array(blockCount * digestSize)
    hash.digestUnits(batch, digests)
    tags.fill(0)
    for (let index = 0; index < blockCount; index++) {
      tags.set(digests.subarray(index * digestSize, index * digestSize + sharedSize), index * tagSize)
    }
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

  return {
    compute,
    firstMismatch(offset, data, tags) {
      const expected = new Uint8Array(tags.length)
      compute(offset, data, expected)
      const blockCount = data.length / blockSize
      let first = 0
      while (first < blockCount && matches(expected, tags, first)) first++
      if (first === blockCount) return undefined
      let end = first + 1
      while (end < blockCount && !matches(expected, tags, end)) end++
      return { blockIndex: first, blockCount: end - first }
    },
  }
}

/** One le64 per block: the number of its first sector. */
function sectorNumbers(offset: number, blockCount: number, blockSize: number): Uint8Array {
  const numbers = new Uint8Array(blockCount * 8)
  const view = new DataView(numbers.buffer)
  for (let index = 0; index < blockCount; index++) {
    view.setBigUint64(index * 8, BigInt((offset + index * blockSize) / SECTOR_SIZE), true)
  }
  return numbers
}
