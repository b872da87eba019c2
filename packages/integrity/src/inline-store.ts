import { type BlockDevice, BlockError } from "@blockstrata/device"
import { type BadBlocks, type BlockStore, firstBadRun, PIECE_SIZE, piecesOf } from "./block-store.ts"
import type { IntegrityLayout } from "./layout.ts"
import type { TagCheck } from "./tag-check.ts"

/**
 * Blocks whose tags travel with them: each is the start of what the device below keeps with a block, zeroes behind it. Data
 * and tag are one request below, and as durable together as that device keeps them.
 */
export function inlineStore(lower: BlockDevice, layout: IntegrityLayout, check: TagCheck): BlockStore {
  const { blockSize, tagSize, firstAreaOffset } = layout
  const tupleSize = lower.tagSize

  /** From each of `from` bytes its start, as pieces of `to` bytes, zero padded. */
  function repack(tags: Uint8Array, from: number, to: number): Uint8Array {
    if (from === to) return tags
    const count = tags.length / from
    const packed = new Uint8Array(count * to)
    const size = Math.min(from, to)
    for (let index = 0; index < count; index++) packed.set(tags.subarray(index * from, index * from + size), index * to)
    return packed
  }

  async function readPiece(offset: number, buffer: Uint8Array): Promise<BadBlocks | undefined> {
    const tuples = new Uint8Array((buffer.length / blockSize) * tupleSize)
    try {
      await lower.read(firstAreaOffset + offset, buffer, tuples)
    } catch (error) {
      // The error says that the blocks before its place are good: they have to be looked at.
      const failed = error instanceof BlockError && error.offset !== undefined ? error.offset - firstAreaOffset : offset
      const isInside = offset < failed && failed < offset + buffer.length
      const bad = isInside ? await readPiece(offset, buffer.subarray(0, failed - offset)) : undefined
      if (bad !== undefined) return bad
      throw error
    }
    const run = check.firstMismatch(offset, buffer, repack(tuples, tupleSize, tagSize))
    return run && { offset: offset + run.blockIndex * blockSize, length: run.blockCount * blockSize }
  }

  async function writePiece(offset: number, part: Uint8Array): Promise<void> {
    const tags = new Uint8Array((part.length / blockSize) * tagSize)
    check.compute(offset, part, tags)
    await lower.write(firstAreaOffset + offset, part, { tags: repack(tags, tagSize, tupleSize) })
  }

  return {
    read: (offset, buffer) => firstBadRun(offset, buffer, readPiece),

    readUnchecked: (offset, buffer) => lower.read(firstAreaOffset + offset, buffer),

    async write(offset, data) {
      for (const piece of piecesOf(offset, data.length, PIECE_SIZE)) {
        await writePiece(piece.offset, data.subarray(piece.offset - offset, piece.offset - offset + piece.length))
      }
    },

    writeTagged: (offset, data, tags) =>
      lower.write(firstAreaOffset + offset, data, { tags: repack(tags, tagSize, tupleSize) }),

    async retag(offset, length) {
      for (const piece of piecesOf(offset, length, PIECE_SIZE)) {
        const part = new Uint8Array(piece.length)
        await lower.read(firstAreaOffset + piece.offset, part)
        await writePiece(piece.offset, part)
      }
    },

    discard: () => Promise.reject(new TypeError("integrity: no discards with inline tags")),

    settle: () => Promise.resolve(),

    flush: () => lower.flush(),
  }
}
