import { type BlockDevice, BlockError, type ByteRange, defineDevice, type Operation } from "@blockstrata/device"
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
 * Promises: while `badBlocks.isFailing`, a read that touches a bad block fails with `IO`, and a write to any part of it
 * mends it, after as many failures as were asked for; a discard is to it a write of the block in which it begins. Else a
 * linear target.
 * Does not promise: that a flush mends the first block of the range, as the kernel's dust does by accident.
 * Attacks that remain: all that the lower device leaves.
 *
 * As in the kernel, a request is looked at in pieces of `badBlockSize` from the start of the range, each by its first
 * sector: where `start` is no multiple of it, bad blocks shift accordingly. Of a write of several blocks, all are written but
 * those that fail.
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

  /** Runs of pieces of the range for which `fails` says so; it is asked about each, in order. */
  function findRuns(offset: number, length: number, fails: (block: number) => boolean): ByteRange[] {
    const runs: { offset: number; length: number }[] = []
    if (!badBlocks.isFailing || badBlocks.count === 0) return runs
    const end = offset + length
    for (let at = offset; at < end; ) {
      const pieceEnd = Math.min(end, (Math.floor(at / badBlockSize) + 1) * badBlockSize)
      const last = runs.at(-1)
      if (fails(badBlockOf(at))) {
        if (last && last.offset + last.length === at) last.length = pieceEnd - last.offset
        else runs.push({ offset: at, length: pieceEnd - at })
      }
      at = pieceEnd
    }
    return runs
  }
  const failAt = (operation: Operation, [first]: readonly ByteRange[]) => {
    if (first === undefined) return
    throw new BlockError("IO", `dust: ${operation} of a bad block at offset ${first.offset}`, first)
  }

  const device = defineDevice({
    ...part,
    status: () => ({
      state: badBlocks.isFailing ? "fail_read_on_bad_block" : "bypass",
      log: badBlocks.isQuiet ? "quiet" : "verbose",
      badBlockCount: badBlocks.count,
    }),
    async read(offset, buffer, tags) {
      failAt(
        "read",
        findRuns(offset, buffer.length, (block) => badBlocks.failsRead(block)),
      )
      await part.read(offset, buffer, tags)
    },
    async write(offset, data, { tags, fua }) {
      const bad = findRuns(offset, data.length, (block) => badBlocks.takeWrite(block))
      const tagAt = (at: number) => ((at - offset) / part.blockSize) * lower.tagSize
      let at = offset
      for (const end of [...bad, { offset: offset + data.length, length: 0 }]) {
        const good = data.subarray(at - offset, end.offset - offset)
        const goodTags = tags?.subarray(tagAt(at), tagAt(end.offset))
        if (good.length > 0) await part.write(at, good, { tags: goodTags, fua })
        at = end.offset + end.length
      }
      failAt("write", bad)
    },
    async discard(offset, length) {
      // The kernel cuts reads and writes at bad blocks, discards it does not.
      const bad = findRuns(offset, part.blockSize, (block) => badBlocks.takeWrite(block))
      failAt("discard", bad.length > 0 ? [{ offset, length }] : [])
      await part.discard(offset, length)
    },
  })
  onMessage(device, async (words) => dustMessage(badBlocks, words))
  return { device, badBlocks }
}
