import type { LongVerbOptions } from "@blockstrata/device"
import { type BlockCounts, blockFindings } from "./block-findings.ts"
import { sweepBlocks } from "./block-sweep.ts"
import { type ClosedVolume, type ClosedVolumeOptions, closedVolume } from "./closed-volume.ts"
import { examineVolume } from "./examined-journal.ts"
import { FINDINGS_MAX, type FindingList, findingList, type IntegrityFinding } from "./finding.ts"
import { pendingTags } from "./pending-tags.ts"
import type { IntegritySuperblock } from "./superblock.ts"

export interface CheckIntegrityOptions extends ClosedVolumeOptions, LongVerbOptions {
  /** Findings that the report lists at most; 1000 if absent. Further ones are counted. */
  readonly findingsMax?: number | undefined
}

export interface IntegrityCheckReport {
  /** Undefined if it cannot be read as one: the findings say why, and no block was looked at. */
  readonly superblock: IntegritySuperblock | undefined
  /** Those of the superblock first, then ascending by block. */
  readonly findings: readonly IntegrityFinding[]
  /** All of them, also those that are not listed. */
  readonly findingCount: number
  /** Those that are damage: 0 says that the volume is sound, as far as the keys given tell. */
  readonly damageCount: number
  /** Bytes of the volume that were read. */
  readonly checkedBytes: number
  readonly blocks: Readonly<BlockCounts>
}

const NO_BLOCKS: BlockCounts = { good: 0, mismatch: 0, neverWritten: 0, discarded: 0, notCalculated: 0, unreadable: 0 }

/**
 * Reads a whole volume that nobody has open, compares every tag with its block, and says of everything that is wrong where
 * on the medium it lies. Nothing is written.
 *
 * Data and tag that disagree are one finding with the places of both: nothing tells which of them changed. Memory: a few
 * MiB, whatever the size.
 *
 * @throws BlockError `INVALID` where no superblock has room, `UNSUPPORTED` for another hash; as the device below where the
 * superblock cannot be read; the signal's reason when aborted.
 */
export async function checkIntegrity(options: CheckIntegrityOptions): Promise<IntegrityCheckReport> {
  const findings = findingList(options.findingsMax ?? FINDINGS_MAX)
  const volume = await closedVolume(options, findings)
  try {
    const blocks = volume && (await checkBlocks(volume, findings, options))
    return {
      superblock: volume?.superblock,
      findings: findings.kept,
      findingCount: findings.count,
      damageCount: findings.damageCount,
      checkedBytes: volume?.sizeBytes ?? 0,
      blocks: blocks ?? NO_BLOCKS,
    }
  } finally {
    volume?.destroy()
  }
}

async function checkBlocks(
  volume: ClosedVolume,
  findings: FindingList,
  options: CheckIntegrityOptions,
): Promise<BlockCounts> {
  const { media, layout, check } = volume
  const { journal } = await examineVolume(volume, options, findings)
  journal?.destroy()
  const blocks = blockFindings({
    layout,
    check,
    allowDiscards: options.allowDiscards ?? false,
    isToBeCalculated: await pendingTags(volume),
    isInJournal: (offset) => journal?.plan?.find(offset) !== undefined,
    findings,
  })
  const all = { offset: 0, length: volume.sizeBytes }
  await sweepBlocks(media, layout, all, (piece) => blocks.look(piece), options)
  blocks.end()
  return blocks.counts
}
