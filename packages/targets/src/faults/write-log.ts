/**
 * The log of dm-log-writes. Little-endian, in sectors of the logged device (its logical block size): one for the superblock,
 * then for each entry one for its header, followed by its data. A discard has no data.
 *
 * | offset | bytes | field of the superblock, sector 0                     |
 * |     0  |     8 | magic 0x6a736677736872                                |
 * |     8  |     8 | version, 1                                            |
 * |    16  |     8 | entries; the kernel brings it up to date with FUA     |
 * |        |       | writes and marks only                                 |
 * |    24  |     4 | sector size, bytes                                    |
 *
 * | offset | bytes | field of an entry's header                            |
 * |     0  |     8 | first sector on the logged device                     |
 * |     8  |     8 | sectors written or discarded                          |
 * |    16  |     8 | flags: 1 flush, 2 FUA, 4 discard, 8 mark, 16 metadata |
 * |    24  |     8 | bytes of the mark                                     |
 * |    32  |       | the mark                                              |
 *
 * Invariant: the sector size is a power of two, 512 ... 1 MiB; a mark fits into its sector; the entries fit into the log.
 * The rest of each sector is zero. Nothing here is authenticated.
 * Source: Linux, admin-guide/device-mapper/log-writes; github.com/josefbacik/log-writes, log-writes.h.
 */
import { BlockError, toSafeInteger } from "@blockstrata/device"

export interface WriteLogSuperblock {
  readonly entryCount: number
  /** Bytes: of all sectors of this log. */
  readonly sectorSize: number
}

/** The header of an entry. A flush without data has the length 0. */
export interface WriteLogHeader {
  /** Bytes into the logged device. */
  readonly offset: number
  /** Bytes written or discarded. */
  readonly length: number
  readonly isFlush: boolean
  readonly isFua: boolean
  readonly isDiscard: boolean
  /** A write of a file system's metadata. */
  readonly isMetadata: boolean
  /** One character a byte. */
  readonly mark?: string | undefined
}

const MAGIC = 0x6a736677736872n
const VERSION = 1n
/** Bytes before a mark. */
const HEADER_SIZE = 32
export const SUPERBLOCK_SIZE = 28
const SECTOR_SIZE_MIN = 512
const SECTOR_SIZE_MAX = 1024 * 1024
const FLAGS = { isFlush: 1, isFua: 2, isDiscard: 4, isMark: 8, isMetadata: 16 } as const
const FLAGS_ALL = 31n

/**
 * @param logSize bytes of the log's device.
 * @throws BlockError `CORRUPT` where there is no log, or one that claims more entries than fit; `UNSUPPORTED` for another
 * version.
 */
export function decodeWriteLogSuperblock(bytes: Uint8Array, logSize: number): WriteLogSuperblock {
  const view = viewOf(bytes)
  if (view.getBigUint64(0, true) !== MAGIC) throw corrupt("no magic number")
  const version = view.getBigUint64(8, true)
  if (version !== VERSION) throw new BlockError("UNSUPPORTED", `write log: version ${version}`)
  const sectorSize = view.getUint32(24, true)
  const isPower =
    sectorSize >= SECTOR_SIZE_MIN && sectorSize <= SECTOR_SIZE_MAX && Number.isInteger(Math.log2(sectorSize))
  if (!isPower) throw corrupt(`sector size ${sectorSize}`)
  const entryCount = view.getBigUint64(16, true)
  if ((entryCount + 1n) * BigInt(sectorSize) > BigInt(logSize)) throw corrupt(`${entryCount} entries do not fit`)
  return { entryCount: toSafeInteger(entryCount, "write log: entries"), sectorSize }
}

/** The whole first sector of a log. */
export function encodeWriteLogSuperblock({ entryCount, sectorSize }: WriteLogSuperblock): Uint8Array {
  const bytes = new Uint8Array(sectorSize)
  const view = viewOf(bytes)
  view.setBigUint64(0, MAGIC, true)
  view.setBigUint64(8, VERSION, true)
  view.setBigUint64(16, BigInt(entryCount), true)
  view.setUint32(24, sectorSize, true)
  return bytes
}

/**
 * @param bytes the sector of the header.
 * @throws BlockError `CORRUPT` where places or lengths are beyond any device or a mark is beyond its sector; `UNSUPPORTED`
 * for a flag that this format has not.
 */
export function decodeWriteLogHeader(bytes: Uint8Array): WriteLogHeader {
  const view = viewOf(bytes)
  const sectorSize = BigInt(bytes.length)
  const flags = view.getBigUint64(16, true)
  if (flags > FLAGS_ALL) throw new BlockError("UNSUPPORTED", `write log: an entry with flags ${flags}`)
  const has = (flag: number) => (flags & BigInt(flag)) !== 0n
  const first = view.getBigUint64(0, true) * sectorSize
  const length = view.getBigUint64(8, true) * sectorSize
  toSafeInteger(first + length, "write log: the end of an entry")
  const header = {
    offset: Number(first),
    length: Number(length),
    isFlush: has(FLAGS.isFlush),
    isFua: has(FLAGS.isFua),
    isDiscard: has(FLAGS.isDiscard),
    isMetadata: has(FLAGS.isMetadata),
  }
  if (!has(FLAGS.isMark)) return header
  const markSize = view.getBigUint64(24, true)
  if (markSize > sectorSize - BigInt(HEADER_SIZE)) throw corrupt(`a mark of ${markSize} bytes`)
  const text = bytes.subarray(HEADER_SIZE, HEADER_SIZE + Number(markSize))
  return { ...header, mark: Array.from(text, (byte) => String.fromCharCode(byte)).join("") }
}

/**
 * The sector of an entry's header. A mark that is too long is cut as the kernel cuts it, one byte short of the sector.
 *
 * @throws RangeError for a mark with characters of more than a byte, or with NUL.
 */
export function encodeWriteLogHeader(header: WriteLogHeader, sectorSize: number): Uint8Array {
  const { offset, length, mark } = header
  const bytes = new Uint8Array(sectorSize)
  const text = mark === undefined ? undefined : encodeMark(mark).subarray(0, sectorSize - HEADER_SIZE - 1)
  const flags =
    (header.isFlush ? FLAGS.isFlush : 0) +
    (header.isFua ? FLAGS.isFua : 0) +
    (header.isDiscard ? FLAGS.isDiscard : 0) +
    (text ? FLAGS.isMark : 0) +
    (header.isMetadata ? FLAGS.isMetadata : 0)
  const view = viewOf(bytes)
  view.setBigUint64(0, BigInt(offset / sectorSize), true)
  view.setBigUint64(8, BigInt(length / sectorSize), true)
  view.setBigUint64(16, BigInt(flags), true)
  view.setBigUint64(24, BigInt(text?.length ?? 0), true)
  if (text) bytes.set(text, HEADER_SIZE)
  return bytes
}

function encodeMark(mark: string): Uint8Array {
  return Uint8Array.from(mark, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (code === 0 || code > 255) throw new RangeError("write log: a mark has characters of one byte, and no NUL")
    return code
  })
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function corrupt(what: string): BlockError {
  return new BlockError("CORRUPT", `write log: ${what}`)
}
