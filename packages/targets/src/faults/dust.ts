import { type BlockDevice, BlockError, defineDevice } from "@blockstrata/device"
import { type LowerPartOptions, lowerPart } from "../lower-part.ts"
import { SECTOR_SIZE } from "../table-number.ts"
import { BadBlocks } from "./bad-blocks.ts"
import { dustMessage } from "./dust-message.ts"
import { onMessage } from "./message.ts"

export interface DustOptions extends LowerPartOptions {
  /** Bytes of a bad block: a power of two from 512 to 1 GiB, at most the size of the device. */
  readonly badBlockSize: number
}

export interface Dust {
  readonly device: BlockDevice
  readonly badBlocks: BadBlocks
}

const BAD_BLOCK_SIZE_MAX = 1024 ** 3

/** Why bad blocks of this size cannot be; `undefined` if they can. */
export function badBlockSizeProblem(badBlockSize: number, size: number): string | undefined {
  const isPower = Number.isSafeInteger(badBlockSize) && Number.isInteger(Math.log2(badBlockSize))
  const isGood = isPower && badBlockSize >= SECTOR_SIZE && badBlockSize <= Math.min(size, BAD_BLOCK_SIZE_MAX)
  return isGood ? undefined : `block size: expected a power of two from 512 to the device's size, got ${badBlockSize}`
}

/**
 * A range of the lower device with bad blocks, which can be added and removed at any time.
 *
 * Promises: while `badBlocks.isFailing`, a read that touches a bad block fails with `IO`, and a write or discard to any part
 * of it mends it, after as many failures as were asked for. Else a linear target.
 * Does not promise: that a flush mends the first block of the range, as the kernel's dust does by accident.
 * Attacks that remain: all that the lower device leaves.
 *
 * As in the kernel, a request is looked at in pieces of `badBlockSize` from the start of the range, each by its first
 * sector: where `start` is no multiple of it, bad blocks shift accordingly. Of a write of several blocks, those before the
 * one that fails are written.
 *
 * @throws RangeError if the range or the block size cannot be.
 * Source: Linux, admin-guide/device-mapper/dm-dust.
 */
export function dustTarget(options: DustOptions): Dust {
  const { lower, badBlockSize, start = 0 } = options
  const part = lowerPart("dust", options)
  const problem = badBlockSizeProblem(badBlockSize, part.size)
  if (problem !== undefined) throw new RangeError(`dust: ${problem}`)
  if (badBlockSize % part.blockSize !== 0) throw new RangeError("dust: block size: divides a block of the lower device")
  // One more than there are, as in the kernel: bad or not, nobody can touch it.
  const badBlocks = new BadBlocks(Math.floor(lower.size / badBlockSize))
  const badBlockOf = (offset: number) => Math.floor((start + offset) / badBlockSize)

  /** The first piece of the range for which `fails` says so. It asks from the first piece on, and no further. */
  function findPiece(offset: number, length: number, fails: (block: number) => boolean): Piece | undefined {
    if (!badBlocks.isFailing || badBlocks.count === 0) return undefined
    const end = offset + length
    for (let at = offset; at < end; ) {
      const pieceEnd = Math.min(end, (Math.floor(at / badBlockSize) + 1) * badBlockSize)
      if (fails(badBlockOf(at))) return { offset: at, length: pieceEnd - at }
      at = pieceEnd
    }
    return undefined
  }
  const fail = (operation: "read" | "write" | "discard", piece: Piece): never => {
    throw new BlockError("IO", `dust: ${operation} of a bad block at offset ${piece.offset}`, { operation, ...piece })
  }

  const device = defineDevice({
    ...part,
    status: () => ({
      state: badBlocks.isFailing ? "fail_read_on_bad_block" : "bypass",
      log: badBlocks.isQuiet ? "quiet" : "verbose",
      badBlockCount: badBlocks.count,
    }),
    async read(offset, buffer, tags) {
      const bad = findPiece(offset, buffer.length, (block) => badBlocks.failsRead(block))
      if (bad !== undefined) fail("read", bad)
      await part.read(offset, buffer, tags)
    },
    async write(offset, data, how) {
      const bad = findPiece(offset, data.length, (block) => badBlocks.takeWrite(block))
      const goodLength = bad === undefined ? data.length : bad.offset - offset
      if (goodLength > 0) {
        const tagLength = (goodLength / part.blockSize) * lower.tagSize
        await part.write(offset, data.subarray(0, goodLength), { ...how, tags: how.tags?.subarray(0, tagLength) })
      }
      if (bad !== undefined) fail("write", bad)
    },
    async discard(offset, length) {
      const bad = findPiece(offset, length, (block) => badBlocks.takeWrite(block))
      if (bad !== undefined) fail("discard", bad)
      await part.discard(offset, length)
    },
  })
  onMessage(device, async (words) => dustMessage(badBlocks, words))
  return { device, badBlocks }
}

interface Piece {
  readonly offset: number
  readonly length: number
}
