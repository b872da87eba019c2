import { BlockError, toSafeInteger } from "@blockstrata/device"

/**
 * dm-integrity superblock, versions 1 to 6. Little-endian, 64 bytes at the start of 8 reserved sectors.
 *
 * | offset | bytes | field                                                                                      |
 * |     0  |     8 | signature `integrt\0`                                                                      |
 * |     8  |     1 | version                                                                                    |
 * |     9  |     1 | log2 of the interleave sectors: 3 ... 31; 0 where data lie on a device of their own         |
 * |    10  |     2 | tag size, bytes                                                                            |
 * |    12  |     4 | journal sections; 0 with inline tags                                                       |
 * |    16  |     8 | provided data sectors                                                                      |
 * |    24  |     4 | flags: 1 journal MAC, 2 recalculating, 4 dirty bitmap, 8 fixed padding, 16 fixed HMAC, 32 inline |
 * |    28  |     1 | log2 of the sectors of a block: 0 ... 3                                                    |
 * |    29  |     1 | log2 of the blocks of a bitmap bit                                                         |
 * |    30  |     2 | zero                                                                                       |
 * |    32  |     8 | recalculated sectors                                                                       |
 * |    40  |     8 | zero                                                                                       |
 * |    48  |    16 | salt                                                                                       |
 *
 * Invariant: tag size 1 ... 255, at least one journal section, or with inline tags none, nor a
 * journal MAC nor a bitmap, and version 6; the sector counts are bytes below 2^53.
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with Linux 6.1 byte for byte.
 */
export interface IntegritySuperblock {
  readonly version: number
  /** 1 where data lie on a device of their own. */
  readonly interleaveSectors: number
  /** Bytes. */
  readonly tagSize: number
  readonly journalSectionCount: number
  readonly providedSectors: number
  readonly hasJournalMac: boolean
  readonly isRecalculating: boolean
  readonly hasDirtyBitmap: boolean
  readonly hasFixedPadding: boolean
  readonly hasFixedHmac: boolean
  /** Tags are what the device below keeps with each of its blocks; there is no journal. */
  readonly isInline: boolean
  /** Bytes: 512, 1024, 2048 or 4096. */
  readonly blockSize: number
  /** 2 to this power is the blocks of one bitmap bit. */
  readonly bitmapBitBlocksLog2: number
  readonly recalculatedSectors: number
  /** 16 bytes; zeros without `hasFixedHmac`. */
  readonly salt: Uint8Array
}

/** Bytes of the sectors that are the superblock's. */
export const SUPERBLOCK_SIZE = 4096
export const SALT_SIZE = 16
export const TAG_SIZE_MAX = 255
/** Sectors. */
export const INTERLEAVE_MIN = 8
export const INTERLEAVE_MAX: number = 2 ** 31
export const VERSION_MAX = 6
/** Of a volume with inline tags, and of no other. */
export const INLINE_VERSION = 6

const SECTOR_SIZE = 512
// Not by TextEncoder, which is no part of the language.
const SIGNATURE: Uint8Array = Uint8Array.from("integrt\0", (character) => character.charCodeAt(0))
const FLAG_NAMES = [
  "hasJournalMac",
  "isRecalculating",
  "hasDirtyBitmap",
  "hasFixedPadding",
  "hasFixedHmac",
  "isInline",
] as const

/** Whether these bytes start with the signature of a dm-integrity superblock. */
export function hasSuperblockSignature(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte)
}

/**
 * Reads a superblock from at least 64 bytes; what follows them is ignored, as in the kernel.
 *
 * @throws BlockError `CORRUPT` without a signature or outside the invariant; `UNSUPPORTED`, by name, for inline
 * tags in another version than 6, later versions, unknown flags and larger tags.
 */
export function decodeSuperblock(bytes: Uint8Array): IntegritySuperblock {
  if (bytes.length < 64) throw new RangeError(`integrity superblock: expected at least 64 bytes, got ${bytes.length}`)
  if (!hasSuperblockSignature(bytes)) throw corrupt("no signature")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint8(8)
  const flags = flagsOf(view.getUint32(24, true))
  if (version === 0) throw corrupt("version 0")
  if (version > VERSION_MAX) throw unsupported(`superblock version ${version}`)
  for (const bit of flags) if (bit >= FLAG_NAMES.length) throw unsupported(`superblock flag ${2 ** bit}`)
  const isInline = flags.has(FLAG_NAMES.indexOf("isInline"))
  if (isInline !== (version === INLINE_VERSION))
    throw unsupported(`superblock version ${version} ${isInline ? "with" : "without"} inline tags`)

  if (isInline && (flags.has(0) || flags.has(2))) throw corrupt("a journal MAC or a bitmap with inline tags")
  const interleaveLog2 = view.getUint8(9)
  if (interleaveLog2 !== 0 && (interleaveLog2 < 3 || interleaveLog2 > 31))
    throw corrupt(`log2 interleave ${interleaveLog2}`)
  const tagSize = view.getUint16(10, true)
  if (tagSize === 0) throw corrupt("tag size 0")
  if (tagSize > TAG_SIZE_MAX) throw unsupported(`tag size ${tagSize}`)
  const journalSectionCount = view.getUint32(12, true)
  if (isInline !== (journalSectionCount === 0)) throw corrupt(`${journalSectionCount} journal sections`)
  const blockSectorsLog2 = view.getUint8(28)
  if (blockSectorsLog2 > 3) throw corrupt(`log2 sectors per block ${blockSectorsLog2}`)

  return {
    version,
    interleaveSectors: 2 ** interleaveLog2,
    tagSize,
    journalSectionCount,
    providedSectors: sectorCount(view.getBigUint64(16, true), "provided data sectors"),
    hasJournalMac: flags.has(0),
    isRecalculating: flags.has(1),
    hasDirtyBitmap: flags.has(2),
    hasFixedPadding: flags.has(3),
    hasFixedHmac: flags.has(4),
    isInline,
    blockSize: SECTOR_SIZE * 2 ** blockSectorsLog2,
    bitmapBitBlocksLog2: view.getUint8(29),
    recalculatedSectors: sectorCount(view.getBigUint64(32, true), "recalculated sectors"),
    salt: bytes.slice(48, 48 + SALT_SIZE),
  }
}

/** The salt that tags and MACs are made with; undefined if none. */
export function saltOf({ hasFixedHmac, salt }: IntegritySuperblock): Uint8Array | undefined {
  return hasFixedHmac ? salt : undefined
}

/** The 4096 bytes of the superblock's sectors. @throws RangeError outside the invariant. */
export function encodeSuperblock(superblock: IntegritySuperblock): Uint8Array {
  const bytes = new Uint8Array(SUPERBLOCK_SIZE)
  const view = new DataView(bytes.buffer)
  bytes.set(SIGNATURE)
  view.setUint8(8, superblock.version)
  view.setUint8(9, Math.log2(superblock.interleaveSectors))
  view.setUint16(10, superblock.tagSize, true)
  view.setUint32(12, superblock.journalSectionCount, true)
  view.setBigUint64(16, BigInt(superblock.providedSectors), true)
  view.setUint32(
    24,
    FLAG_NAMES.reduce((flags, name, bit) => flags + (superblock[name] ? 2 ** bit : 0), 0),
    true,
  )
  view.setUint8(28, Math.log2(superblock.blockSize / SECTOR_SIZE))
  view.setUint8(29, superblock.bitmapBitBlocksLog2)
  view.setBigUint64(32, BigInt(superblock.recalculatedSectors), true)
  bytes.set(superblock.salt, 48)
  try {
    decodeSuperblock(bytes)
  } catch (error) {
    throw new RangeError("integrity superblock: outside its invariant", { cause: error })
  }
  return bytes
}

function flagsOf(flags: number): Set<number> {
  const bits = Array.from({ length: 32 }, (_, bit) => bit)
  return new Set(bits.filter((bit) => Math.floor(flags / 2 ** bit) % 2 === 1))
}

function sectorCount(value: bigint, what: string): number {
  return toSafeInteger(value * BigInt(SECTOR_SIZE), `integrity superblock: ${what} in bytes`) / SECTOR_SIZE
}

function corrupt(what: string): BlockError {
  return new BlockError("CORRUPT", `integrity superblock: ${what}`)
}

function unsupported(what: string): BlockError {
  return new BlockError("UNSUPPORTED", `integrity superblock: not built yet: ${what}`)
}
