import { bitmapBitSectorsLog2 } from "./fresh-superblock.ts"
import { sectionLayout } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"
import type { IntegrityLine, LineHash } from "./table-line.ts"
import { tagBufferSectors } from "./tag-buffer.ts"

const SECTOR_SIZE = 512
const WATERMARK_DEFAULT = 50
const COMMIT_TIME_DEFAULT_MS = 10000
const SECTORS_PER_BIT_DEFAULT = 32768
const FLUSH_INTERVAL_DEFAULT_MS = 10000

/**
 * The arguments in the kernel's order: what the line holds, no more. Options that mean nothing in the line's mode are
 * left out, as the kernel does. Keys are zeros of the same length unless `showKeys`.
 */
export function printIntegrityLine(line: IntegrityLine, { showKeys }: { readonly showKeys: boolean }): string[] {
  const blockSize = line.blockSize === 512 ? undefined : line.blockSize
  const words = [
    ...(line.metaDevice === undefined ? [] : [`meta_device:${line.metaDevice}`]),
    ...valueWord("block_size", blockSize),
    ...flagWord("recalculate", line.recalculate),
    ...flagWord("reset_recalculate", line.resetRecalculate),
    ...flagWord("allow_discards", line.allowDiscards),
    ...valueWord("journal_sectors", line.journalSectors),
    ...valueWord("interleave_sectors", line.interleaveSectors),
    ...valueWord("buffer_sectors", line.bufferSectors),
    ...(line.mode === "J" ? valueWord("journal_watermark", line.journalWatermark) : []),
    ...(line.mode === "J" ? valueWord("commit_time", line.commitTimeMs) : []),
    ...(line.mode === "B" ? valueWord("sectors_per_bit", line.sectorsPerBit) : []),
    ...(line.mode === "B" ? valueWord("bitmap_flush_interval", line.bitmapFlushIntervalMs) : []),
    ...flagWord("fix_padding", line.fixPadding),
    ...flagWord("fix_hmac", line.fixHmac),
    ...flagWord("legacy_recalculate", line.legacyRecalculate),
    ...algorithmWord("internal_hash", line.internalHash, showKeys),
    ...algorithmWord("journal_crypt", line.journalCrypt, showKeys),
    ...algorithmWord("journal_mac", line.journalMac, showKeys),
  ]
  const { device, startSectors, tagSize = "-", mode } = line
  return [device, `${startSectors}`, `${tagSize}`, mode, `${words.length}`, ...words]
}

/**
 * The line that the kernel prints for a volume opened with `line`: what the superblock rules is taken from it, what is
 * left gets the kernel's defaults and rounding. (`bitmap_flush_interval` stays as given: the kernel rounds it to its
 * timer ticks.)
 *
 * @param metadataBytes of the device with the superblock: needed where data lie on a device of their own.
 */
export function completeIntegrityLine(
  line: IntegrityLine,
  superblock: IntegritySuperblock,
  metadataBytes?: number,
): IntegrityLine {
  const section = sectionLayout(superblock)
  const journalSectors = (section.sectionBytes / SECTOR_SIZE) * superblock.journalSectionCount
  const entryCount = section.sectorEntryCount * 8 * superblock.journalSectionCount
  const { blockSize, providedSectors, interleaveSectors, tagSize } = superblock
  const perBit = line.sectorsPerBit ?? SECTORS_PER_BIT_DEFAULT
  return {
    ...line,
    tagSize,
    blockSize,
    journalSectors,
    interleaveSectors,
    bufferSectors: tagBufferSectors(superblock, line.bufferSectors, metadataBytes),
    journalWatermark: watermarkPercent(entryCount, line.journalWatermark ?? WATERMARK_DEFAULT),
    commitTimeMs: line.commitTimeMs ?? COMMIT_TIME_DEFAULT_MS,
    sectorsPerBit: 2 ** bitmapBitSectorsLog2(perBit, blockSize, journalSectors, providedSectors),
    bitmapFlushIntervalMs: line.bitmapFlushIntervalMs ?? FLUSH_INTERVAL_DEFAULT_MS,
    fixPadding: superblock.hasFixedPadding,
    fixHmac: superblock.hasFixedHmac,
    recalculate: superblock.isRecalculating,
  }
}

/** The kernel keeps a number of free entries and turns it into percent again. */
function watermarkPercent(entryCount: number, percent: number): number {
  if (entryCount === 0) return percent
  const freeCount = Math.floor((entryCount * (100 - percent) + 50) / 100)
  return Math.floor(((entryCount - freeCount) * 100 + Math.floor(entryCount / 2)) / entryCount)
}

function algorithmWord(option: string, algorithm: LineHash | undefined, showKeys: boolean): string[] {
  if (algorithm === undefined) return []
  const { name, keyHex } = algorithm
  if (keyHex === undefined) return [`${option}:${name}`]
  return [`${option}:${name}:${showKeys ? keyHex : "0".repeat(keyHex.length)}`]
}

function valueWord(name: string, value: number | undefined): string[] {
  return value === undefined ? [] : [`${name}:${value}`]
}

function flagWord(name: string, isSet: boolean): string[] {
  return isSet ? [name] : []
}
