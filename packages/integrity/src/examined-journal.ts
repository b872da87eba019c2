import { BlockError } from "@blockstrata/device"
import { defaultEngine } from "@blockstrata/primitives"
import type { ClosedVolume, ClosedVolumeOptions } from "./closed-volume.ts"
import { FINDINGS_MAX, type FindingList, findingList, type IntegrityFinding, metadataRole } from "./finding.ts"
import type { JournalArea } from "./journal-area.ts"
import { journalFindings } from "./journal-findings.ts"
import { type SurveyedEntry, type SurveyedSection, surveyJournal } from "./journal-survey.ts"
import { volumeJournal } from "./open-journal.ts"
import { planReplay, type ReplayOptions, type ReplayPlan } from "./replay-plan.ts"
import { type IntegritySuperblock, saltOf } from "./superblock.ts"
import { sampleFinding } from "./tag-sample.ts"

/** The journal of a volume that nobody has open. */
export interface ExaminedJournal {
  readonly area: JournalArea
  /** What the journal holds, at most so much of it as was asked for. */
  readonly sections: readonly SurveyedSection[]
  readonly entries: readonly SurveyedEntry[]
  /** Sectors that have no commit id of this journal. */
  readonly unknownSectorCount: number
  readonly replay: ReplayOptions
  /** Undefined if the journal cannot be replayed. */
  readonly plan: ReplayPlan | undefined
  /** Sections that the plan walks. */
  readonly replayed: ReadonlySet<number> | undefined
  /** Why there is no plan. */
  readonly refusal: BlockError | undefined
  destroy(): void
}

/** Whether a volume has a journal: a bitmap may stand in its place, and inline tags need none. */
export function hasJournal({ hasDirtyBitmap, isInline }: IntegritySuperblock): boolean {
  return !hasDirtyBitmap && !isInline
}

/**
 * Examines the journal of a volume, if it has one, and looks at a sample of its tags, and adds what is wrong: first what
 * concerns the whole, for the journal may have more than a list keeps.
 *
 * @throws BlockError as `examineJournal`.
 */
export async function examineVolume(
  volume: ClosedVolume,
  options: ClosedVolumeOptions,
  findings: FindingList,
  keptCount = 0,
): Promise<{ readonly journal: ExaminedJournal | undefined; readonly sample: IntegrityFinding | undefined }> {
  const ofJournal = findingList(FINDINGS_MAX)
  const journal = hasJournal(volume.superblock)
    ? await examineJournal(volume, options, ofJournal, keptCount)
    : undefined
  try {
    const sample = await sampleFinding(volume, journal?.unknownSectorCount ?? 0)
    if (sample !== undefined) findings.add(sample)
    findings.addAll(ofJournal)
    return { journal, sample }
  } catch (error) {
    journal?.destroy()
    throw error
  }
}

/**
 * Reads and judges a journal, adds what is wrong with it, and plans its replay.
 *
 * @param keptCount sections and entries that are kept.
 * @throws BlockError for a MAC or a cipher that is not built, or not its key; as the device below where it is closed.
 */
export async function examineJournal(
  volume: ClosedVolume,
  options: ClosedVolumeOptions,
  findings: FindingList,
  keptCount = 0,
): Promise<ExaminedJournal> {
  const { media, layout, superblock, check, unitSize } = volume
  const { journalMac, journalCrypt, engine = defaultEngine } = options
  const area = volumeJournal({
    metadata: media.metadata,
    layout,
    salt: saltOf(superblock),
    // Without the flag no section has room for a MAC.
    journalMac: superblock.hasJournalMac ? journalMac : undefined,
    journalCrypt,
    engine,
  })
  try {
    const replay = { area, layout, check, unitSize, isJournalMode: false }
    const { plan, refusal } = await planOrRefusal(replay)
    const replayed = plan && new Set(plan.round.isEmpty ? [] : plan.round.sections)
    const isEncrypted = journalCrypt !== undefined
    const report = journalFindings({ area, device: metadataRole(layout), isEncrypted, replayed, findings })
    const sections: SurveyedSection[] = []
    const entries: SurveyedEntry[] = []
    for await (const [section, found] of surveyJournal(area, layout, check)) {
      report.look(section, found)
      if (sections.length + entries.length + found.length >= keptCount) continue
      sections.push(section)
      entries.push(...found)
    }
    const unknownSectorCount = report.end()
    const found = { sections, entries, unknownSectorCount }
    return { ...found, area, replay, plan, replayed, refusal, destroy: () => area.destroy() }
  } catch (error) {
    area.destroy()
    throw error
  }
}

async function planOrRefusal(
  replay: ReplayOptions,
): Promise<{ readonly plan?: ReplayPlan; readonly refusal?: BlockError }> {
  try {
    return { plan: await planReplay(replay) }
  } catch (error) {
    if (error instanceof BlockError && ["CORRUPT", "INTEGRITY", "UNSUPPORTED", "IO"].includes(error.code))
      return { refusal: error }
    throw error
  }
}
