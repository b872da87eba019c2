import { BlockError, type ByteRange, type LongVerbOptions } from "@blockstrata/device"
import { blockStore } from "./block-store.ts"
import { type SweptPiece, sweepBlocks } from "./block-sweep.ts"
import { type BlockVerdict, judgeBlocks } from "./block-verdict.ts"
import { type ClosedVolume, type ClosedVolumeOptions, closedVolume } from "./closed-volume.ts"
import { type ExaminedJournal, examineVolume } from "./examined-journal.ts"
import {
  FINDINGS_MAX,
  findingList,
  type IntegrityFinding,
  type IntegrityPlace,
  placesOfBlocks,
  superblockDoubt,
} from "./finding.ts"
import { inlineStore } from "./inline-store.ts"
import type { JournalArea } from "./journal-area.ts"
import { pendingTags } from "./pending-tags.ts"
import type { ReplayPlan } from "./replay-plan.ts"
import type { TagCheck } from "./tag-check.ts"

export interface RepairIntegrityOptions extends ClosedVolumeOptions, LongVerbOptions {
  /** Bytes of the volume, whole blocks; absent: all of it. */
  readonly ranges?: readonly ByteRange[] | undefined
  /**
   * Gives up what integrity is for: whatever stands at these blocks is from then on taken for what was written there, by
   * accident or by somebody's hand. Without it nothing is written, and the report says what would be.
   */
  readonly trustData?: boolean | undefined
  /**
   * Gives up every write that stands only in a journal which cannot be replayed, and writes an empty one in its place. One
   * that is whole but encrypted with another key than `journalCrypt` looks no better. Linux does the same without asking.
   */
  readonly discardJournal?: boolean | undefined
  /** Runs that the report lists at most; 1000 if absent. */
  readonly runsMax?: number | undefined
}

/** Blocks next to each other in one area, and where their data and tags lie. */
export interface RepairedRun {
  readonly offset: number
  readonly length: number
  readonly places: readonly IntegrityPlace[]
}

export interface IntegrityRepairReport {
  /** Whether anything was written: only with `trustData` or `discardJournal`. */
  readonly hasWritten: boolean
  /**
   * `empty`: nothing to replay; `replayable`: `replayJournal` should come first, and blocks that it will write are left
   * alone; `refused`: no replay takes it, and it stays; `cleared`: it was refused, and is empty now.
   */
  readonly journal: "none" | "empty" | "replayable" | "refused" | "cleared"
  /** Blocks that got a new tag, or would get one. */
  readonly blockCount: number
  /** Runs of them, ascending; long ones may be cut. */
  readonly runs: readonly RepairedRun[]
  /** All of them, also those that are not listed. */
  readonly runCount: number
  /** Blocks of the ranges that cannot be read, and stay as they are. */
  readonly unreadableCount: number
  /** What was wrong with superblock and journal. */
  readonly findings: readonly IntegrityFinding[]
}

/**
 * Gives blocks that do not match their tags new tags, made from the data as they are. Data are never written.
 *
 * Blocks that the journal has anew or whose tags recovery will calculate, and discarded ones where discards are allowed, stay as they are.
 *
 * @throws RangeError for ranges that are not whole blocks of the volume; TypeError without an internal hash.
 * @throws BlockError `CORRUPT` where the superblock cannot be believed, or its device was enlarged: the tags may lie elsewhere; `REFUSED` where no block
 * of the volume matches, which is another key or salt, not damage, unless `ranges` name what is meant; `READ_ONLY` with
 * `trustData` on such a device; as the devices below; the signal's reason when aborted: what was written stays.
 */
export async function repairIntegrity(options: RepairIntegrityOptions): Promise<IntegrityRepairReport> {
  const { lower, metadata = lower, trustData = false, discardJournal = false } = options
  if (options.internalHash === undefined) throw new TypeError("integrity: repair needs the internal hash")
  if ((trustData || discardJournal) && !metadata.features.write) {
    throw new BlockError("READ_ONLY", "integrity: repair on a read-only device")
  }
  const findings = findingList(FINDINGS_MAX)
  const volume = await closedVolume(options, findings)
  let journal: ExaminedJournal | undefined
  try {
    const doubt = superblockDoubt(findings.kept)
    if (volume?.check === undefined || doubt !== undefined) {
      throw new BlockError("CORRUPT", `integrity: repair: ${doubt?.message ?? "no volume"}`)
    }
    const ranges = checkedRanges(volume, options.ranges)
    const examined = await examineVolume(volume, options, findings)
    journal = examined.journal
    const { sample } = examined
    if (sample !== undefined && (options.ranges === undefined || sample.kind !== "salt-or-key")) {
      throw new BlockError("REFUSED", `integrity: repair: ${sample.message}`)
    }
    const state = await repairJournal(volume, journal, options)
    const report = await retagBad(volume, volume.check, { ...options, ranges }, journal?.plan)
    const hasWritten = state === "cleared" || (trustData && report.blockCount > 0)
    return { ...report, hasWritten, journal: state, findings: findings.kept }
  } finally {
    journal?.destroy()
    volume?.destroy()
  }
}

async function repairJournal(
  { superblock }: ClosedVolume,
  journal: ExaminedJournal | undefined,
  { discardJournal = false, journalMac }: RepairIntegrityOptions,
): Promise<IntegrityRepairReport["journal"]> {
  if (journal === undefined) return "none"
  if (journal.plan !== undefined) return journal.plan.writtenCount > 0 ? "replayable" : "empty"
  if (!discardJournal) return "refused"
  if (superblock.hasJournalMac && journalMac === undefined) {
    throw new BlockError("INVALID", "integrity: repair: the journal has a MAC, expected its key (journal_mac)")
  }
  await discard(journal.area)
  return "cleared"
}

/**
 * While section 0 is none of this journal nobody takes the others for one: some of them alone could bring back old blocks,
 * were the power to fail in between.
 */
async function discard(area: JournalArea): Promise<void> {
  await area.erase(0)
  await area.flush()
  await area.clear(1, area.sectionCount - 1, 0)
  await area.flush()
  await area.clear(0, 1, 0)
  await area.flush()
}

async function retagBad(
  volume: ClosedVolume,
  check: TagCheck,
  options: RepairIntegrityOptions & { readonly ranges: readonly ByteRange[] },
  plan: ReplayPlan | undefined,
): Promise<Omit<IntegrityRepairReport, "findings" | "hasWritten" | "journal">> {
  const { media, layout } = volume
  const { blockSize } = layout
  const { trustData = false, allowDiscards = false, runsMax = FINDINGS_MAX } = options
  const judgement = { layout, check, isToBeCalculated: await pendingTags(volume) }
  const store = layout.isInline ? inlineStore(media.data, layout, check) : blockStore(media, layout, check)
  const runs: RepairedRun[] = []
  const counts = { blockCount: 0, runCount: 0, unreadableCount: 0 }

  const isRepaired = (verdict: BlockVerdict | undefined) =>
    verdict === "mismatch" || verdict === "never-written" || (verdict === "discarded" && !allowDiscards)

  async function look(piece: SweptPiece): Promise<void> {
    const judged = judgeBlocks(judgement, piece)
    if (judged === undefined) return
    const { verdicts } = judged
    const isBad = (index: number) => isRepaired(verdicts[index]) && !plan?.find(piece.offset + index * blockSize)
    counts.unreadableCount += verdicts.filter((verdict) => verdict === "unreadable").length
    for (let first = 0; first < verdicts.length; first++) {
      if (!isBad(first)) continue
      let end = first + 1
      while (isBad(end)) end++
      const [offset, length] = [piece.offset + first * blockSize, (end - first) * blockSize]
      if (trustData) await store.retag(offset, length)
      counts.blockCount += end - first
      counts.runCount += 1
      if (runs.length < runsMax) runs.push({ offset, length, places: placesOfBlocks(layout, offset, length) })
      first = end
    }
  }

  for (const range of options.ranges) await sweepBlocks(media, layout, range, look, options)
  if (trustData) await store.flush()
  return { runs, ...counts }
}

function checkedRanges(
  { unitSize, sizeBytes }: ClosedVolume,
  ranges: readonly ByteRange[] = [{ offset: 0, length: sizeBytes }],
): readonly ByteRange[] {
  for (const { offset, length } of ranges) {
    const isWhole = [offset, length].every(
      (bytes) => Number.isSafeInteger(bytes) && bytes >= 0 && bytes % unitSize === 0,
    )
    if (isWhole && offset + length <= sizeBytes) continue
    const expected = `whole blocks of ${unitSize} bytes, up to ${sizeBytes}`
    throw new RangeError(`integrity: repair: expected ${expected}, got ${length} bytes at offset ${offset}`)
  }
  return ranges
}
