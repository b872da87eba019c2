import { BlockError, type Runtime } from "@blockstrata/device"
import { type Geometry, isDataApart, possibleSectors, sectionLayout } from "./layout.ts"
import {
  INLINE_VERSION,
  INTERLEAVE_MAX,
  INTERLEAVE_MIN,
  type IntegritySuperblock,
  SALT_SIZE,
  TAG_SIZE_MAX,
} from "./superblock.ts"
import { APART_BUFFER_SECTORS_MIN, BUFFER_SECTORS, floorPowerOfTwo, haveRoom } from "./tag-buffer.ts"

/** What a new volume is to be like. Counts of sectors are rounded as the kernel rounds them. */
export interface FreshSuperblockOptions {
  /** Bytes, 1 ... 255. */
  readonly tagSize: number
  /** Bytes: 512, 1024, 2048 or 4096. */
  readonly blockSize: number
  readonly hasInternalHash: boolean
  /** Bytes of the device of the data, where they lie on one of their own; then nothing is interleaved. */
  readonly dataBytes?: number | undefined
  /** Down to a power of two, 8 ... 2^31; 32768 if absent or 0. */
  readonly interleaveSectors?: number | undefined
  /** Down to whole sections, at least one; if absent or 0 a 128th of the device of the data, at most 131072. */
  readonly journalSectors?: number | undefined
  /** Data sectors of a bit in bitmap mode, down to a power of two, and up until the bitmap fits; 32768 if absent. */
  readonly sectorsPerBit?: number | undefined
  /** Of the kernel's tag buffers: where data lie apart, they decide how much of a journal there is room for. */
  readonly bufferSectors?: number | undefined
  /** The padding of tag runs before Linux 5.4, wasteful and compatible. */
  readonly legacyPadding: boolean
  /** Tags without the salt, as before Linux 5.11: a block then fits into any volume of the same key. */
  readonly legacyHmac: boolean
  /** 16 bytes; random if absent. Only with an internal hash or a journal MAC, and without `legacyHmac`. */
  readonly salt?: Uint8Array | undefined
  /** Tags are what the device below keeps with its blocks; there is no journal. False if absent. */
  readonly isInline?: boolean | undefined
  /** The sections of the journal have room for a MAC. False if absent. */
  readonly hasJournalMac?: boolean | undefined
  /** Mode B writes version 3 where no later one is needed. */
  readonly isBitmapMode: boolean
}

const SECTOR_SIZE = 512
const INTERLEAVE_DEFAULT = 32768
const JOURNAL_SECTORS_MAX = 131072
const JOURNAL_SHARE = 128
export const SECTORS_PER_BIT_DEFAULT = 32768

/**
 * The superblock that Linux 6.1 writes for these options on a device of `lowerBytes`, that of the metadata, the volume
 * starting at `startBytes`.
 *
 * @throws RangeError for options outside their range.
 * @throws BlockError `INVALID` if the device is too small.
 */
export function freshSuperblock(
  options: FreshSuperblockOptions,
  lowerBytes: number,
  startBytes: number,
  runtime: Runtime,
): IntegritySuperblock {
  checkOptions(options)
  const { tagSize, blockSize, legacyPadding } = options
  const hasFixedHmac = (options.hasInternalHash || options.hasJournalMac === true) && !options.legacyHmac
  const { dataBytes = lowerBytes } = options
  const isApart = options.dataBytes !== undefined
  const interleaveSectors = floorPowerOfTwo(options.interleaveSectors || INTERLEAVE_DEFAULT)
  const geometry = {
    tagSize,
    blockSize,
    interleaveSectors: isApart ? 1 : Math.min(Math.max(interleaveSectors, INTERLEAVE_MIN), INTERLEAVE_MAX),
    hasJournalMac: options.hasJournalMac ?? false,
    hasFixedPadding: !legacyPadding && !isApart,
    isInline: options.isInline ?? false,
  }
  const sectionSectors = sectionLayout({ ...geometry, journalSectionCount: 1 }).sectionBytes / SECTOR_SIZE
  const journalSectors =
    options.journalSectors ||
    Math.min(JOURNAL_SECTORS_MAX, Math.floor(Math.floor(dataBytes / SECTOR_SIZE) / JOURNAL_SHARE))
  const wantedCount = Math.max(1, Math.floor(journalSectors / sectionSectors))
  const journalSectionCount = journalCount(geometry, wantedCount, options, lowerBytes, dataBytes)
  const providedSectors = possibleSectors({ ...geometry, journalSectionCount }, lowerBytes, startBytes, dataBytes)
  if ((journalSectionCount === 0 && !geometry.isInline) || providedSectors === 0)
    throw new BlockError("INVALID", `integrity: a device of ${lowerBytes} bytes is too small`)
  const bitSectorsLog2 = bitmapBitSectorsLog2(
    options.sectorsPerBit ?? SECTORS_PER_BIT_DEFAULT,
    blockSize,
    sectionSectors * journalSectionCount,
    providedSectors,
  )
  return {
    ...geometry,
    version: freshVersion({ ...geometry, hasFixedHmac }, options.isBitmapMode),
    journalSectionCount,
    providedSectors,
    isRecalculating: false,
    hasDirtyBitmap: false,
    hasFixedHmac,
    bitmapBitBlocksLog2: bitSectorsLog2 - Math.log2(blockSize / SECTOR_SIZE),
    recalculatedSectors: 0,
    salt: hasFixedHmac
      ? options.salt === undefined
        ? randomSalt(runtime)
        : new Uint8Array(options.salt)
      : new Uint8Array(SALT_SIZE),
  }
}

/** log2 of the sectors that one bit of a bitmap stands for, when the bitmap has to fit into the journal. */
export function bitmapBitSectorsLog2(
  sectorsPerBit: number,
  blockSize: number,
  journalSectors: number,
  providedSectors: number,
): number {
  const bitCountMax = Math.min(journalSectors * SECTOR_SIZE * 8, 2 ** 32 - 1)
  let log2 = Math.max(Math.log2(floorPowerOfTwo(Math.max(1, sectorsPerBit))), Math.log2(blockSize / SECTOR_SIZE))
  while (bitCountMax > 0 && Math.ceil(providedSectors / 2 ** log2) > bitCountMax) log2 += 1
  return log2
}

/** The lowest version that has what the volume uses. */
function freshVersion(
  superblock: Pick<IntegritySuperblock, "hasFixedHmac" | "hasFixedPadding" | "interleaveSectors" | "isInline">,
  isBitmapMode: boolean,
): number {
  if (superblock.isInline) return INLINE_VERSION
  if (superblock.hasFixedHmac) return 5
  if (superblock.hasFixedPadding) return 4
  if (isBitmapMode) return 3
  return isDataApart(superblock) ? 2 : 1
}

function journalCount(
  geometry: Omit<Geometry, "journalSectionCount">,
  wantedCount: number,
  options: FreshSuperblockOptions,
  lowerBytes: number,
  dataBytes: number,
): number {
  if (geometry.isInline) return 0
  return isDataApart(geometry) ? fittingCount(geometry, wantedCount, options, lowerBytes, dataBytes) : wantedCount
}

/**
 * The journal sections that the device of the metadata has room for besides the tags, found bit by bit from the top as the
 * kernel does, with smaller tag buffers where there is none; 0 if that does not help.
 */
function fittingCount(
  geometry: Omit<Geometry, "journalSectionCount">,
  wantedCount: number,
  { bufferSectors: wantedBufferSectors = BUFFER_SECTORS, blockSize }: FreshSuperblockOptions,
  lowerBytes: number,
  dataBytes: number,
): number {
  const providedSectors = (Math.floor(dataBytes / blockSize) * blockSize) / SECTOR_SIZE
  const fits = (journalSectionCount: number, bufferSectors: number) =>
    haveRoom({ ...geometry, journalSectionCount, providedSectors }, bufferSectors, lowerBytes)
  let bufferSectors = floorPowerOfTwo(Math.max(1, wantedBufferSectors))
  for (; ; bufferSectors /= 2) {
    let count = 0
    for (let bit = Math.floor(Math.log2(wantedCount)); bit >= 0; bit--) {
      const tried = count + 2 ** bit
      if (tried <= wantedCount && fits(tried, bufferSectors)) count = tried
    }
    if (count > 0 || bufferSectors <= APART_BUFFER_SECTORS_MIN) return count
  }
}

function randomSalt(runtime: Runtime): Uint8Array {
  const salt = new Uint8Array(SALT_SIZE)
  runtime.fillRandom(salt)
  return salt
}

function checkOptions({
  tagSize,
  blockSize,
  salt,
  hasInternalHash,
  legacyHmac,
  ...counts
}: FreshSuperblockOptions): void {
  if (!Number.isInteger(tagSize) || tagSize < 1 || tagSize > TAG_SIZE_MAX) {
    throw new RangeError(`integrity: tag size: expected 1 ... ${TAG_SIZE_MAX}, got ${tagSize}`)
  }
  if (![512, 1024, 2048, 4096].includes(blockSize))
    throw new RangeError(`integrity: block size: expected 512, 1024, 2048 or 4096, got ${blockSize}`)
  for (const name of ["interleaveSectors", "journalSectors"] as const) {
    const count = counts[name] ?? 0
    if (!Number.isInteger(count) || count < 0 || count >= 2 ** 32)
      throw new RangeError(`integrity: ${name}: expected a whole number below 2^32, got ${count}`)
  }
  if (counts.isInline === true && (counts.dataBytes !== undefined || !hasInternalHash))
    throw new RangeError("integrity: inline tags need an internal hash, and no device of their own")
  if (salt === undefined) return
  if (!(hasInternalHash || counts.hasJournalMac === true) || legacyHmac)
    throw new RangeError("integrity: a salt without a salted internal hash")
  if (salt.length !== SALT_SIZE)
    throw new RangeError(`integrity: salt: expected ${SALT_SIZE} bytes, got ${salt.length}`)
}
