import { BlockError } from "@blockstrata/device"
import { nextSequence, SEQUENCE_COUNT } from "./commit-id.ts"
import type { JournalArea } from "./journal-area.ts"
import { entryPlace, sectionEntryCount, viewOf } from "./journal-section.ts"

/**
 * Where a journal stands: which sections hold together, oldest first, and where writing goes on.
 *
 * A round through the journal gives all its sections one sequence, and the next round the next one. So the sections after
 * the last one of the newest sequence are those of the round before, and up to that last one those of the newest: read in
 * this order they are the journal, oldest first. What was being written when the power failed stands between the two, and
 * breaks the order: it was never promised. Sections that were written back long ago are replayed too; they are older than
 * whatever changed their blocks since, which stands later in the journal.
 */
export interface JournalRound {
  /** Indices of the sections that hold together, oldest first. */
  readonly sections: readonly number[]
  /** No section has an entry, or none that counts. */
  readonly isEmpty: boolean
  /** All sections hold together: writing goes on at `startSection` with `sequence`. Else the journal has to be cleared. */
  readonly isWhole: boolean
  /** After the newest section. */
  readonly startSection: number
  /** The sequence with which writing goes on, if the journal is whole. */
  readonly sequence: number
  /** The sequence that the sections of a cleared journal get. */
  readonly eraseSequence: number
}

const SECTOR_SIZE = 512
const MIXED = 255

/** What one pass over the whole journal finds. */
interface Survey {
  /** Of each section the sequence of all its sectors, or that they differ. */
  readonly sequences: Uint8Array
  /** Of each sequence the last section in which a sector has it; undefined if no sector does. */
  readonly lastSections: readonly (number | undefined)[]
  readonly isEmpty: boolean
  /** Sections whose MAC is wrong. */
  readonly forged: ReadonlySet<number>
}

/**
 * Reads the whole journal, at most 1 MiB at a time.
 *
 * @throws BlockError `CORRUPT` if a commit id is none of the four: the journal is damaged, or encrypted with another key,
 * where Linux drops it, or if all four sequences are in use, which no writer leaves; `INTEGRITY` where a section that holds
 * together has a wrong MAC, which Linux looks at only if there is something to replay.
 */
export async function readJournalRound(area: JournalArea): Promise<JournalRound> {
  const { sequences, lastSections, isEmpty: hasNoEntries, forged } = await survey(area)
  const { sectionCount } = area
  const isUsed = (sequence: number) => lastSections[sequence] !== undefined
  const newest = newestSequence(isUsed)
  const older = nextSequence(newest, -1)
  const startSection = ((lastSections[newest] ?? 0) + 1) % sectionCount
  let sequence = startSection === 0 ? newest : older
  const sections: number[] = []
  for (let step = 0; step < sectionCount; step++) {
    const index = (startSection + step) % sectionCount
    if (sequences[index] !== sequence) break
    if (forged.has(index)) throw forgedSection(area, index)
    sections.push(index)
    if (index === sectionCount - 1) sequence = nextSequence(sequence)
  }
  // Sequences two apart: the journal was being cleared, and what stands there was written back.
  const isCleared = !isUsed(older) && isUsed(nextSequence(older, -1))
  const isEmpty = hasNoEntries || isCleared || sections.length === 0
  const isWhole = sections.length === sectionCount
  return { sections, isEmpty, isWhole, startSection, sequence, eraseSequence: nextSequence(newest, -2) }
}

async function survey(area: JournalArea): Promise<Survey> {
  const { sectionCount, sectionBytes, batchCount } = area
  const sequences = new Uint8Array(sectionCount)
  const lastSections: (number | undefined)[] = Array.from({ length: SEQUENCE_COUNT }, () => undefined)
  const forged = new Set<number>()
  let isEmpty = true
  for (let first = 0; first < sectionCount; first += batchCount) {
    const count = Math.min(batchCount, sectionCount - first)
    const bytes = new Uint8Array(count * sectionBytes)
    await area.read(first, bytes)
    for (let index = first; index < first + count; index++) {
      const section = bytes.subarray((index - first) * sectionBytes, (index - first + 1) * sectionBytes)
      const found = sequencesOf(area, section, index)
      for (const sequence of found) lastSections[sequence] = index
      sequences[index] = found.size === 1 ? [...found][0]! : MIXED
      if (isEmpty) isEmpty = hasNoEntry(area, section)
      if (area.mac?.matches(section, index) === false) forged.add(index)
    }
  }
  return { sequences, lastSections, isEmpty, forged }
}

function sequencesOf({ ids, shape }: JournalArea, section: Uint8Array, sectionIndex: number): Set<number> {
  const view = viewOf(section)
  const found = new Set<number>()
  for (let sectorIndex = 0; sectorIndex < section.length / SECTOR_SIZE; sectorIndex++) {
    const sequence = ids.sequenceAt(view, sectionIndex, sectorIndex)
    if (sequence === undefined) {
      const at = shape.journal.offset + sectionIndex * section.length + sectorIndex * SECTOR_SIZE
      throw corrupt(
        `the commit id of the sector at ${at} is not one of this journal: damaged, or another journal_crypt`,
      )
    }
    found.add(sequence)
  }
  return found
}

function hasNoEntry({ shape }: JournalArea, section: Uint8Array): boolean {
  const view = viewOf(section)
  const entryCount = sectionEntryCount(shape)
  for (let slot = 0; slot < entryCount; slot++) if (entryPlace(view, shape, slot) !== undefined) return false
  return true
}

/** The one before the unused one. At most three are in use, next to each other modulo 4, or two apart while being cleared. */
function newestSequence(isUsed: (sequence: number) => boolean): number {
  const last = SEQUENCE_COUNT - 1
  if (isUsed(last)) {
    const unused = [0, 1, 2].find((sequence) => !isUsed(sequence))
    if (unused === undefined) throw corrupt("all four sequences of commit ids are in use")
    return nextSequence(unused, -1)
  }
  return [2, 1, 0].find(isUsed) ?? last
}

/** @returns `INTEGRITY`; bytes of the device that holds the journal stand in the message. */
export function forgedSection({ shape }: JournalArea, sectionIndex: number): BlockError {
  const at = shape.journal.offset + sectionIndex * shape.journal.sectionBytes
  const message = `integrity journal: the MAC of section ${sectionIndex} does not match, at ${at} below`
  return new BlockError("INTEGRITY", message, { operation: "open" })
}

function corrupt(what: string): BlockError {
  return new BlockError("CORRUPT", `integrity journal: ${what}`, { operation: "open" })
}
