import { type BlockDevice, BlockError, type ByteRange } from "@blockstrata/device"
import { type ClosedVolumeOptions, closedVolume } from "./closed-volume.ts"
import { FINDINGS_MAX, findingList, type IntegrityFinding } from "./finding.ts"
import { type JournalState, journalState } from "./journal-state.ts"
import { type IntegrityLayout, isDataApart, layoutOf } from "./layout.ts"
import { type JournalContents, metadataContents } from "./metadata-contents.ts"
import type { IntegritySuperblock } from "./superblock.ts"
import { readIntegritySuperblock } from "./superblock-sectors.ts"

const SECTOR_SIZE = 512

/** What stands on a device, as far as it can be told without keys. */
export interface IntegrityReport {
  readonly superblock: IntegritySuperblock
  /** Undefined where the volume does not fit on the device. */
  readonly layout: IntegrityLayout | undefined
  /** What the journal area holds: a bitmap while the superblock says so; undefined without a layout, and with inline tags. */
  readonly journal: JournalState | "bitmap" | undefined
  /** What is wrong with superblock and journal, as far as it was asked for. */
  readonly findings: readonly IntegrityFinding[]
  /** What the journal holds, if that was asked for. */
  readonly journalContents?: JournalContents | undefined
  /** What the bitmap holds, if that was asked for: regions whose tags may be missing. */
  readonly dirtyRegions?: readonly ByteRange[] | undefined
}

/** What is known of a volume besides its metadata. */
export interface InspectIntegrityOptions extends Partial<Omit<ClosedVolumeOptions, "lower" | "metadata" | "start">> {
  /** The device of the data, where they lie on one of their own. */
  readonly data?: BlockDevice | undefined
  /** Findings that the report lists at most; 1000 if absent. */
  readonly findingsMax?: number | undefined
}

export { readIntegritySuperblock, readSuperblockSectors } from "./superblock-sectors.ts"

/**
 * Says what volume starts `start` bytes into `device`, which holds its metadata, and whether it is clean. Reads superblock
 * and journal.
 *
 * @param known keys, and the device of the data where that is another one: with it, even an empty one, the report has what
 * the journal or the bitmap holds, and what is wrong with superblock and journal. The journal is then read whole.
 * @throws BlockError as `readIntegritySuperblock`; with `known` for a hash or cipher that is not built, or not its key.
 */
export async function inspectIntegrity(
  device: BlockDevice,
  start = 0,
  known?: InspectIntegrityOptions,
): Promise<IntegrityReport> {
  const superblock = await readIntegritySuperblock(device, start)
  const layout = fittingLayout(superblock, device.size, start)
  const journal = await areaState(device, superblock, layout)
  if (known === undefined) return { superblock, layout, journal, findings: [] }
  const findings = findingList(known.findingsMax ?? FINDINGS_MAX)
  const media = known.data === undefined ? { lower: device } : { lower: known.data, metadata: device }
  const options = { internalHash: undefined, ...known, ...media, start }
  const volume = await closedVolume(options, findings)
  try {
    const contents = volume && (await metadataContents(volume, options, findings))
    return { superblock, layout, journal, findings: findings.kept, ...contents }
  } finally {
    volume?.destroy()
  }
}

async function areaState(
  device: BlockDevice,
  superblock: IntegritySuperblock,
  layout: IntegrityLayout | undefined,
): Promise<IntegrityReport["journal"]> {
  if (layout === undefined || superblock.isInline) return undefined
  return superblock.hasDirtyBitmap ? "bitmap" : await journalState(device, layout)
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
