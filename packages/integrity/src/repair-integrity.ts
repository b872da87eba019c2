import { BlockError, type ByteRange, type LongVerbOptions } from "@blockstrata/device"
import { blockStore } from "./block-store.ts"
import { type SweptPiece, sweepBlocks } from "./block-sweep.ts"
import { type BlockVerdict, judgeBlocks } from "./block-verdict.ts"
import { FINDINGS_MAX } from "./check-integrity.ts"
import { type ClosedVolume, type ClosedVolumeOptions, closedVolume } from "./closed-volume.ts"
import {
  findingList,
  type IntegrityFinding,
  type IntegrityFindingKind,
  type IntegrityPlace,
  placesOfBlocks,
} from "./finding.ts"
import { inlineStore } from "./inline-store.ts"
import { pendingTags } from "./pending-tags.ts"
import type { TagCheck } from "./tag-check.ts"
import { sampleTags } from "./tag-sample.ts"

export interface RepairIntegrityOptions extends ClosedVolumeOptions, LongVerbOptions {
  /** Bytes of the volume, whole blocks; absent: all of it. */
  readonly ranges?: readonly ByteRange[] | undefined
  /**
   * Gives up what integrity is for: whatever stands at these blocks is from then on taken for what was written there, by
   * accident or by somebody's hand. Without it nothing is written, and the report says what would be.
   */
  readonly trustData?: boolean | undefined
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
  /** Whether anything was written: only with `trustData`. */
  readonly hasWritten: boolean
  /** Blocks that got a new tag, or would get one. */
  readonly blockCount: number
  /** Runs of them, ascending; long ones may be cut. */
  readonly runs: readonly RepairedRun[]
  /** All of them, also those that are not listed. */
  readonly runCount: number
  /** Blocks of the ranges that cannot be read, and stay as they are. */
  readonly unreadableCount: number
  /** What is wrong with the superblock, which no repair changes. */
  readonly findings: readonly IntegrityFinding[]
}

/** Damage to a superblock that says nothing of where tags lie. */
const HARMLESS: ReadonlySet<IntegrityFindingKind> = new Set([
  "superblock-bitmap-bit",
  "superblock-padding",
  "superblock-recalculation",
])

/**
 * Gives blocks that do not match their tags new tags, made from the data as they are. Data are never written.
 *
 * Blocks whose tags recovery will calculate, and discarded ones where discards are allowed, stay as they are.
 *
 * @throws RangeError for ranges that are not whole blocks of the volume; TypeError without an internal hash.
 * @throws BlockError `CORRUPT` where the superblock cannot be believed, or its device was enlarged: the tags may lie elsewhere; `REFUSED` where no block
 * of the volume matches, which is another key or salt, not damage, unless `ranges` name what is meant; `READ_ONLY` with
 * `trustData` on such a device; as the devices below; the signal's reason when aborted: what was written stays.
 */
export async function repairIntegrity(options: RepairIntegrityOptions): Promise<IntegrityRepairReport> {
  const { lower, metadata = lower, trustData = false } = options
  if (options.internalHash === undefined) throw new TypeError("integrity: repair needs the internal hash")
  if (trustData && !metadata.features.write) {
    throw new BlockError("READ_ONLY", "integrity: repair on a read-only device")
  }
  const findings = findingList(FINDINGS_MAX)
  const volume = await closedVolume(options, findings)
  try {
    // A size that does not fit may come from an enlarged device, or from fields by which tags would go over data.
    const isDoubt = ({ kind, severity }: IntegrityFinding) =>
      kind === "superblock-size" || (severity === "damage" && !HARMLESS.has(kind))
    const doubt = findings.kept.find(isDoubt)
    if (volume?.check === undefined || doubt !== undefined) {
      throw new BlockError("CORRUPT", `integrity: repair: ${doubt?.message ?? "no volume"}`)
    }
    const sample = options.ranges === undefined ? await sampleTags(volume) : undefined
    if (sample !== undefined) throw new BlockError("REFUSED", `integrity: repair: ${sample.message}`)
    const report = await retagBad(volume, volume.check, options)
    return { ...report, findings: findings.kept }
  } finally {
    volume?.destroy()
  }
}

async function retagBad(
  volume: ClosedVolume,
  check: TagCheck,
  options: RepairIntegrityOptions,
): Promise<Omit<IntegrityRepairReport, "findings">> {
  const { media, layout, sizeBytes } = volume
  const { blockSize } = layout
  const { trustData = false, allowDiscards = false, runsMax = FINDINGS_MAX } = options
  const judgement = { layout, check, isToBeCalculated: await pendingTags(volume) }
  const store = layout.isInline ? inlineStore(media.data, layout, check) : blockStore(media, layout, check)
  const runs: RepairedRun[] = []
  const counts = { blockCount: 0, runCount: 0, unreadableCount: 0 }

  async function look(piece: SweptPiece): Promise<void> {
    const judged = judgeBlocks(judgement, piece)
    if (judged === undefined) return
    const { verdicts } = judged
    const isBad = (verdict: BlockVerdict | undefined) =>
      verdict === "mismatch" || verdict === "never-written" || (verdict === "discarded" && !allowDiscards)
    counts.unreadableCount += verdicts.filter((verdict) => verdict === "unreadable").length
    for (let first = 0; first < verdicts.length; first++) {
      if (!isBad(verdicts[first])) continue
      let end = first + 1
      while (isBad(verdicts[end])) end++
      const [offset, length] = [piece.offset + first * blockSize, (end - first) * blockSize]
      if (trustData) await store.retag(offset, length)
      counts.blockCount += end - first
      counts.runCount += 1
      if (runs.length < runsMax) runs.push({ offset, length, places: placesOfBlocks(layout, offset, length) })
      first = end
    }
  }

  for (const range of checkedRanges(volume, options.ranges ?? [{ offset: 0, length: sizeBytes }])) {
    await sweepBlocks(media, layout, range, look, options)
  }
  const hasWritten = trustData && counts.blockCount > 0
  if (hasWritten) await store.flush()
  return { hasWritten, runs, ...counts }
}

function checkedRanges({ unitSize, sizeBytes }: ClosedVolume, ranges: readonly ByteRange[]): readonly ByteRange[] {
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
