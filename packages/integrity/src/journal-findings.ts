import type { FindingList, IntegrityFindingKind, IntegrityPlace } from "./finding.ts"
import type { JournalArea } from "./journal-area.ts"
import { journalPlaces, type SurveyedEntry, type SurveyedSection } from "./journal-survey.ts"
import { SECTION_METADATA_SECTORS } from "./layout.ts"

export interface JournalFindingsOptions {
  readonly area: JournalArea
  readonly device: IntegrityPlace["device"]
  /** A sector of an encrypted journal may have changed where its commit id did not. */
  readonly isEncrypted: boolean
  /** Sections that a replay walks; undefined if it refuses the journal: then all count. */
  readonly replayed: ReadonlySet<number> | undefined
  readonly findings: FindingList
}

type Range = { readonly offset: number; readonly length: number }

const SECTOR_SIZE = 512
const COMMIT_ID_OFFSET = 504
const COMMIT_ID_SIZE = 8

/** Makes findings of what a survey comes upon, section by section. */
export interface JournalFindings {
  look(section: SurveyedSection, entries: readonly SurveyedEntry[]): void
  /** Reports what is still to come. Returns how many sectors have no commit id of this journal. */
  end(): number
}

/**
 * What a replay passes by is no damage: it may be half of a write that was never promised. Neighbouring sections that have
 * not one commit id of this journal are one finding: so all of one that is encrypted otherwise, or overwritten.
 */
export function journalFindings({
  area,
  device,
  isEncrypted,
  replayed,
  findings,
}: JournalFindingsOptions): JournalFindings {
  const isReplayed = (index: number) => replayed?.has(index) ?? true
  let foreign: { offset: number; length: number } | undefined
  const add = (kind: IntegrityFindingKind, isDamage: boolean, what: string, places: readonly Range[]) =>
    findings.add({
      kind,
      severity: isDamage ? "damage" : "notice",
      message: `journal: ${what}`,
      places: places.map((place) => ({ device, ...place })),
    })

  function addSection(section: SurveyedSection): void {
    const { index, offset, sequences, unknownSectors, isAuthentic, error } = section
    if (error !== undefined) {
      const place = { offset: error.offset ?? offset, length: error.length ?? section.length }
      findings.add({
        kind: "unreadable",
        severity: "damage",
        message: `journal: section ${index} cannot be read`,
        places: [{ device, ...place }],
        error,
      })
    }
    for (const sectorIndex of unknownSectors) {
      const sector = offset + sectorIndex * SECTOR_SIZE
      const id = { offset: sector + COMMIT_ID_OFFSET, length: COMMIT_ID_SIZE }
      const place = isEncrypted ? { offset: sector, length: SECTOR_SIZE } : id
      add("journal-commit-id", true, `section ${index}, sector ${sectorIndex}: not a commit id of this journal`, [
        place,
      ])
    }
    if (sequences.length > 1) {
      const what = `section ${index} has sequences ${sequences.join(" and ")}: it was being written`
      add("journal-commit-id", false, what, [{ offset, length: section.length }])
    }
    if (isAuthentic === false && sequences.length === 1) {
      const metadata = { offset, length: SECTION_METADATA_SECTORS * SECTOR_SIZE }
      add("journal-mac", isReplayed(index), `section ${index}: the MAC does not match its entries`, [metadata])
    }
  }

  function addEntry(entry: SurveyedEntry): void {
    const { sectionIndex, slot, offset, state } = entry
    const { entry: place, data } = journalPlaces(area, entry)
    const name = `section ${sectionIndex}, entry ${slot}`
    if (state === "mismatch") {
      const what = `${name}: entry and data of the block at offset ${offset} do not match`
      add("journal-data", isReplayed(sectionIndex), what, [data, place])
    } else if (state === "beyond" || state === "malformed") {
      const what = state === "beyond" ? "the volume has no block" : "no block begins"
      add("journal-entry", isReplayed(sectionIndex), `${name}: ${what} at offset ${offset}`, [place])
    }
  }

  let unknownCount = 0

  function endForeign(): void {
    if (foreign === undefined) return
    const what = "no commit id here is one of this journal: another journal_crypt, or overwritten"
    add("journal-commit-id", true, what, [foreign])
    foreign = undefined
  }

  return {
    end() {
      endForeign()
      return unknownCount
    },
    look(section, entries) {
      const { offset, length, sequences, unknownSectors, error } = section
      unknownCount += unknownSectors.length
      if (sequences.length === 0 && error === undefined) {
        foreign = { offset: foreign?.offset ?? offset, length: (foreign?.length ?? 0) + length }
        return
      }
      endForeign()
      addSection(section)
      for (const entry of entries) addEntry(entry)
    },
  }
}
