import type { HashBatch, UnitHash } from "./engine.ts"
import { createScratch, PIECE_BYTES } from "./scratch.ts"

/** Units of a piece at most: it bounds the digests that are kept at a time. */
export const PIECE_UNIT_COUNT = 1024

/** A digest as hosts offer it. */
export interface UnitDigest {
  readonly digestSize: number
  /** The digest of the parts one after the other, into the `digestSize` bytes of `target`. */
  digestInto(parts: readonly Uint8Array[], target: Uint8Array): void
  /**
   * Whole digests of the units of a piece, if the host has something better than one by one. A piece has one unit, of any
   * size, or up to `PIECE_UNIT_COUNT`, of 128 KiB together, and heads of no more.
   */
  readonly digestPiece?: ((piece: HashBatch, digests: Uint8Array) => void) | undefined
  /** Whether the whole digests of a piece are these, if that is cheaper to say. Not of a keyed hash: the time may tell. */
  readonly matchesPiece?: ((piece: HashBatch, digests: Uint8Array) => boolean) | undefined
  destroy(): void
}

/** The batch form of a digest. Arguments were checked above. */
export function unitHashOf(digest: UnitDigest): UnitHash {
  const { digestSize } = digest
  const scratch = createScratch()
  const digestPiece = (piece: HashBatch, digests: Uint8Array) =>
    digest.digestPiece ? digest.digestPiece(piece, digests) : digestEach(digest, piece, digests)

  return {
    digestSize,
    digest(...parts) {
      const target = new Uint8Array(digestSize)
      digest.digestInto(parts, target)
      return target
    },
    digestUnits(batch, tags) {
      const { tagSize = digestSize } = batch
      const unitCount = tags.length / tagSize
      const stepCount = pieceUnitCount(batch, unitCount)
      for (let first = 0; first < unitCount; first += stepCount) {
        const count = Math.min(stepCount, unitCount - first)
        const piece = pieceOf(batch, first, count, unitCount)
        const pieceTags = tags.subarray(first * tagSize, (first + count) * tagSize)
        if (tagSize === digestSize) digestPiece(piece, pieceTags)
        else {
          const digests = scratch.take(count * digestSize)
          digestPiece(piece, digests)
          writeTags(digests, digestSize, pieceTags, tagSize)
        }
      }
    },
    verifyUnits(batch, tags) {
      const { tagSize = digestSize } = batch
      const unitCount = tags.length / tagSize
      const stepCount = pieceUnitCount(batch, unitCount)
      for (let first = 0; first < unitCount; first += stepCount) {
        const count = Math.min(stepCount, unitCount - first)
        const piece = pieceOf(batch, first, count, unitCount)
        const pieceTags = tags.subarray(first * tagSize, (first + count) * tagSize)
        if (tagSize === digestSize && digest.matchesPiece?.(piece, pieceTags)) continue
        const digests = scratch.take(count * digestSize)
        digestPiece(piece, digests)
        const failed = firstMismatch(digests, digestSize, pieceTags, tagSize)
        if (failed >= 0) return first + failed
      }
      return -1
    },
    destroy() {
      digest.destroy()
      scratch.wipe()
    },
  }
}

/** One unit after the other, its parts as views. */
export function digestEach(digest: UnitDigest, batch: HashBatch, digests: Uint8Array): void {
  const { data, unitSize, prefix, heads, suffix } = batch
  const { digestSize } = digest
  const unitCount = digests.length / digestSize
  const headSize = heads === undefined ? 0 : heads.length / unitCount
  for (let index = 0; index < unitCount; index++) {
    const parts: Uint8Array[] = []
    if (prefix !== undefined) parts.push(prefix)
    if (heads !== undefined) parts.push(heads.subarray(index * headSize, (index + 1) * headSize))
    parts.push(data.subarray(index * unitSize, (index + 1) * unitSize))
    if (suffix !== undefined) parts.push(suffix)
    digest.digestInto(parts, digests.subarray(index * digestSize, (index + 1) * digestSize))
  }
}

function pieceUnitCount({ unitSize, heads }: HashBatch, unitCount: number): number {
  const headSize = heads === undefined ? 0 : heads.length / unitCount
  const fitting = Math.floor(PIECE_BYTES / Math.max(unitSize, headSize, 1))
  return Math.min(Math.max(fitting, 1), PIECE_UNIT_COUNT)
}

/** `count` units of a batch from unit `first` on. */
function pieceOf(batch: HashBatch, first: number, count: number, unitCount: number): HashBatch {
  if (count === unitCount) return batch
  const { data, unitSize, prefix, heads, suffix } = batch
  const headSize = heads === undefined ? 0 : heads.length / unitCount
  return {
    data: data.subarray(first * unitSize, (first + count) * unitSize),
    unitSize,
    prefix,
    heads: heads?.subarray(first * headSize, (first + count) * headSize),
    suffix,
  }
}

/** Tags from digests: cut, or followed by zeroes. */
function writeTags(digests: Uint8Array, digestSize: number, tags: Uint8Array, tagSize: number): void {
  const sharedSize = Math.min(digestSize, tagSize)
  if (tagSize > digestSize) tags.fill(0)
  for (let at = 0, from = 0; at < tags.length; at += tagSize, from += digestSize)
    tags.set(digests.subarray(from, from + sharedSize), at)
}

/** Every byte of a tag is looked at, whatever the others are: the time taken says nothing of a keyed digest. */
function firstMismatch(digests: Uint8Array, digestSize: number, tags: Uint8Array, tagSize: number): number {
  const digestView = new DataView(digests.buffer, digests.byteOffset, digests.length)
  const tagView = new DataView(tags.buffer, tags.byteOffset, tags.length)
  const sharedSize = Math.min(digestSize, tagSize)
  const wordEnd = sharedSize - (sharedSize % 4)
  const unitCount = tags.length / tagSize
  for (let index = 0; index < unitCount; index++) {
    const from = index * digestSize
    const at = index * tagSize
    let difference = 0
    for (let byte = 0; byte < wordEnd; byte += 4)
      difference |= digestView.getInt32(from + byte) ^ tagView.getInt32(at + byte)
    for (let byte = wordEnd; byte < sharedSize; byte++)
      difference |= digestView.getUint8(from + byte) ^ tagView.getUint8(at + byte)
    for (let byte = sharedSize; byte < tagSize; byte++) difference |= tagView.getUint8(at + byte)
    if (difference !== 0) return index
  }
  return -1
}
