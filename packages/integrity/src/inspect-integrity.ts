import { type BlockDevice, BlockError } from "@blockstrata/device"
import { inspectJournal, type JournalState } from "./journal.ts"
import { type IntegrityLayout, isDataApart, layoutOf } from "./layout.ts"
import { decodeSuperblock, type IntegritySuperblock, SUPERBLOCK_SIZE } from "./superblock.ts"

const SECTOR_SIZE = 512

/** What stands on a device, as far as it can be told without keys. */
export interface IntegrityReport {
  readonly superblock: IntegritySuperblock
  /** Undefined where the volume does not fit on the device. */
  readonly layout: IntegrityLayout | undefined
  /** What the journal area holds: a bitmap while the superblock says so; undefined without a layout, and with inline tags. */
  readonly journal: JournalState | "bitmap" | undefined
}

/**
 * The bytes of the superblock's sectors, `start` bytes into `device`.
 *
 * @throws BlockError `INVALID` if they do not lie on the device.
 */
export async function readSuperblockSectors(device: BlockDevice, start = 0): Promise<Uint8Array> {
  const isPlace = Number.isSafeInteger(start) && start >= 0 && start <= device.size - SUPERBLOCK_SIZE
  if (!isPlace || start % device.blockSize !== 0 || SUPERBLOCK_SIZE % device.blockSize !== 0) {
    throw new BlockError("INVALID", `integrity: no room for a superblock at offset ${start} of ${device.size} bytes`)
  }
  const bytes = new Uint8Array(SUPERBLOCK_SIZE)
  await device.read(start, bytes)
  return bytes
}

/**
 * Reads the superblock of a volume that starts `start` bytes into `device`.
 *
 * @throws BlockError as `decodeSuperblock`; `INVALID` if it does not lie on the device.
 */
export async function readIntegritySuperblock(device: BlockDevice, start = 0): Promise<IntegritySuperblock> {
  return decodeSuperblock(await readSuperblockSectors(device, start))
}

/**
 * Says what volume starts `start` bytes into `device`, which holds its metadata, and whether it is clean. Reads superblock
 * and journal.
 */
export async function inspectIntegrity(device: BlockDevice, start = 0): Promise<IntegrityReport> {
  const superblock = await readIntegritySuperblock(device, start)
  const layout = fittingLayout(superblock, device.size, start)
  const hasJournal = layout !== undefined && !superblock.isInline
  const journal = superblock.hasDirtyBitmap ? "bitmap" : hasJournal && (await inspectJournal(device, layout.journal))
  return { superblock, layout, journal: hasJournal && journal ? journal : undefined }
}

/** The lines that `integritysetup dump` prints after its first one. */
export function printSuperblock(superblock: IntegritySuperblock): string[] {
  const flags = [
    [superblock.hasJournalMac, "have_journal_mac"],
    [superblock.isRecalculating, "recalculating"],
    [superblock.hasDirtyBitmap, "dirty_bitmap"],
    [superblock.hasFixedPadding, "fix_padding"],
    [superblock.hasFixedHmac, "fix_hmac"],
    [superblock.isInline, "inline"],
  ] as const
  return [
    `superblock_version ${superblock.version}`,
    `log2_interleave_sectors ${Math.log2(superblock.interleaveSectors)}`,
    `integrity_tag_size ${superblock.tagSize}`,
    `journal_sections ${superblock.journalSectionCount}`,
    `provided_data_sectors ${superblock.providedSectors}`,
    `sector_size ${superblock.blockSize}`,
    ...(superblock.isRecalculating ? [`recalc_sector ${superblock.recalculatedSectors}`] : []),
    `log2_blocks_per_bitmap ${superblock.bitmapBitBlocksLog2}`,
    ["flags", ...flags.filter(([isSet]) => isSet).map(([, name]) => name)].join(" "),
  ]
}

function fittingLayout(
  superblock: IntegritySuperblock,
  lowerBytes: number,
  start: number,
): IntegrityLayout | undefined {
  try {
    const dataBytes = isDataApart(superblock) ? superblock.providedSectors * SECTOR_SIZE : lowerBytes
    return layoutOf(superblock, lowerBytes, start, dataBytes)
  } catch (error) {
    if (error instanceof BlockError) return undefined
    throw error
  }
}
