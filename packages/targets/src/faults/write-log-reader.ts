import { type BlockDevice, BlockError, bytes } from "@blockstrata/device"
import {
  decodeWriteLogHeader,
  decodeWriteLogSuperblock,
  SUPERBLOCK_SIZE,
  type WriteLogHeader,
  type WriteLogSuperblock,
} from "./write-log.ts"

/** An entry of a log. */
export interface WriteLogEntry extends WriteLogHeader {
  /** What was written, `length` bytes that are the caller's; absent for discards, and where nothing was written. */
  readonly data?: Uint8Array | undefined
}

/** Bytes of data in one entry: more than any request of the kernel, and little enough to hold. */
export const ENTRY_DATA_MAX: number = 64 * 1024 * 1024

/** The superblock of a log. @throws BlockError `CORRUPT` where there is none; `UNSUPPORTED` for another version. */
export async function readWriteLogSuperblock(log: BlockDevice): Promise<WriteLogSuperblock> {
  if (log.size < SUPERBLOCK_SIZE) throw new BlockError("CORRUPT", "write log: no room for a superblock")
  return decodeWriteLogSuperblock(await bytes(log).read(0, SUPERBLOCK_SIZE), log.size)
}

/**
 * The entries of a log, in its order, read as they are asked for. The log may have blocks of any size.
 *
 * @throws BlockError `CORRUPT` at the entry that breaks the format or leaves the log; the entries before it are good.
 * `UNSUPPORTED` for an entry with more than 64 MiB of data.
 */
export async function* readWriteLog(log: BlockDevice): AsyncGenerator<WriteLogEntry, void, undefined> {
  const { entryCount, sectorSize } = await readWriteLogSuperblock(log)
  const { read } = bytes(log)
  let position = sectorSize
  for (let index = 0; index < entryCount; index += 1) {
    if (sectorSize > log.size - position) throw beyond(index)
    const header = decodeWriteLogHeader(await read(position, sectorSize))
    position += sectorSize
    if (header.isDiscard || header.length === 0) {
      yield header
      continue
    }
    if (header.length > log.size - position) throw beyond(index)
    if (header.length > ENTRY_DATA_MAX) {
      throw new BlockError("UNSUPPORTED", `write log: entry ${index} has ${header.length} bytes, above 64 MiB`)
    }
    yield { ...header, data: await read(position, header.length) }
    position += header.length
  }
}

/**
 * Does to `device` what a log says, in its order: afterwards it holds what the logged device held, if it held the same
 * when the log began. A discard is one where `device` has it, else zeroes are written, as `replay-log` does.
 *
 * @returns how many entries were read.
 * @throws BlockError as `readWriteLog`; RangeError for an entry beyond `device`.
 */
export async function replayWriteLog(
  log: BlockDevice,
  device: BlockDevice,
  options: {
    /** No more entries than so many. */
    readonly entryCountMax?: number | undefined
    /** The first mark with this text is the last entry. */
    readonly untilMark?: string | undefined
  } = {},
): Promise<number> {
  const { entryCountMax = Number.POSITIVE_INFINITY, untilMark } = options
  let entryCount = 0
  if (entryCountMax <= 0) return entryCount
  for await (const { isFlush, isDiscard, offset, length, data, mark } of readWriteLog(log)) {
    if (isFlush) await device.flush()
    if (data !== undefined) await bytes(device).write(offset, data)
    else if (isDiscard && device.features.discard) await device.discard(offset, length)
    else if (isDiscard) await device.writeZeroes(offset, length)
    entryCount += 1
    if (entryCount >= entryCountMax || (mark !== undefined && mark === untilMark)) break
  }
  return entryCount
}

function beyond(index: number): BlockError {
  return new BlockError("CORRUPT", `write log: entry ${index} is beyond the end of the log`)
}
