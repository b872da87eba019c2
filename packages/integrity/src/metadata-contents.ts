import type { ByteRange } from "@blockstrata/device"
import type { ClosedVolume, ClosedVolumeOptions } from "./closed-volume.ts"
import { markedRegions } from "./dirty-bitmap.ts"
import { type ExaminedJournal, examineVolume } from "./examined-journal.ts"
import { type FindingList, type IntegrityPlace, metadataRole, placesOfBlocks } from "./finding.ts"
import { journalPlaces, type SurveyedEntry, type SurveyedSection } from "./journal-survey.ts"

/** Of a hostile superblock's journal, which may be as large as its device. */
const KEPT_COUNT_MAX = 2 ** 20

/** What a journal holds, and what a replay would make of it. */
export interface JournalContents {
  /** All of them, or as many as have a million sections and entries together. */
  readonly sections: readonly JournalSectionReport[]
  /** Those in use, by section. */
  entries(): Generator<JournalEntryReport>
  /** Blocks that a replay would write. */
  readonly replayedBlockCount: number
  /** Why a replay would refuse this journal. */
  readonly refusal: Error | undefined
}

export interface JournalSectionReport extends SurveyedSection {
  /** Whether a replay walks it. */
  readonly isReplayed: boolean
}

export interface JournalEntryReport extends SurveyedEntry {
  /** The entry, then its block, in the journal. */
  readonly places: readonly IntegrityPlace[]
  /** Where block and tag belong; empty if the volume has no such block. */
  readonly targets: readonly IntegrityPlace[]
  /** Whether a replay writes it: it is the newest of its block. */
  readonly isNewest: boolean
}

/** What the journal area of a volume holds: entries, or marked regions. Findings of the journal are added. */
export async function metadataContents(
  volume: ClosedVolume,
  options: ClosedVolumeOptions,
  findings: FindingList,
): Promise<{ readonly journalContents?: JournalContents; readonly dirtyRegions?: readonly ByteRange[] }> {
  const { superblock, layout, media, unitSize } = volume
  const { journal } = await examineVolume(volume, options, findings, KEPT_COUNT_MAX)
  if (journal !== undefined) {
    journal.destroy()
    return { journalContents: contentsOf(volume, journal) }
  }
  if (!superblock.hasDirtyBitmap) return {}
  const regions = await markedRegions(media.metadata, layout, superblock, unitSize)
  const runs = [...regions.runs({ offset: 0, length: layout.providedBytes })].filter(({ isMarked }) => isMarked)
  return { dirtyRegions: runs.map(({ offset, length }) => ({ offset, length })) }
}

function contentsOf(
  { layout }: ClosedVolume,
  { area, sections, entries, plan, replayed, refusal }: ExaminedJournal,
): JournalContents {
  const device = metadataRole(layout)
  return {
    sections: sections.map((section) => ({ ...section, isReplayed: replayed?.has(section.index) ?? false })),
    replayedBlockCount: plan?.writtenCount ?? 0,
    refusal,
    *entries() {
      for (const entry of entries) {
        const { entry: place, data } = journalPlaces(area, entry)
        const isPlaced = entry.state !== "beyond" && entry.state !== "malformed"
        yield {
          ...entry,
          places: [place, data].map((range) => ({ device, ...range })),
          targets: isPlaced ? placesOfBlocks(layout, entry.offset, layout.blockSize) : [],
          isNewest: plan?.isNewest(entry.sectionIndex, entry.slot) ?? false,
        }
      }
    },
  }
}
