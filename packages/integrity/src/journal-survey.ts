import { BlockError } from "@blockstrata/device"
import type { JournalArea } from "./journal-area.ts"
import { entryDataOffset, entryOffset, entryPlace, sectionEntryCount, takeEntry, viewOf } from "./journal-section.ts"
import type { IntegrityLayout } from "./layout.ts"
import type { TagCheck } from "./tag-check.ts"

/** What one section of a journal holds, whatever its state. */
export interface SurveyedSection {
  readonly index: number
  /** Bytes of the device that holds the journal. */
  readonly offset: number
  readonly length: number
  /** The sequences of its sectors, each once: one if it was written whole. */
  readonly sequences: readonly number[]
  /** Sectors whose commit id is none of this journal. */
  readonly unknownSectors: readonly number[]
  /** Undefined without a MAC. */
  readonly isAuthentic: boolean | undefined
  readonly entryCount: number
  /** Why it could not be read. */
  readonly error: BlockError | undefined
}

/**
 * An entry that is in use.
 *
 * - `sound`: data, tag and place agree. `unchecked`: nobody said with what hash.
 * - `mismatch`: they do not. `beyond`: the volume has no such block. `malformed`: no whole block, which no writer makes.
 */
export interface SurveyedEntry {
  readonly sectionIndex: number
  readonly slot: number
  /** Bytes of the volume. */
  readonly offset: number
  readonly state: "sound" | "unchecked" | "mismatch" | "beyond" | "malformed"
}

const SECTOR_SIZE = 512

/**
 * Reads a whole journal, whatever it holds, section by section, and verifies what can be verified. Memory: 1 MiB.
 *
 * @throws what is not the failure of a place below.
 */
export async function* surveyJournal(
  area: JournalArea,
  layout: IntegrityLayout,
  check: TagCheck | undefined,
): AsyncGenerator<readonly [SurveyedSection, readonly SurveyedEntry[]]> {
  for (let first = 0; first < area.sectionCount; first += area.batchCount) {
    const count = Math.min(area.batchCount, area.sectionCount - first)
    for await (const { index, section, error } of readSections(area, first, count)) {
      const entries = error === undefined ? entriesOf(area, layout, check, section, index) : []
      yield [surveyedSection(area, section, index, entries.length, error), entries]
    }
  }
}

interface ReadSection {
  readonly index: number
  readonly section: Uint8Array
  readonly error: BlockError | undefined
}

/** Sections of one batch; one by one where they cannot be read together. */
async function* readSections(area: JournalArea, first: number, count: number): AsyncGenerator<ReadSection> {
  const bytes = new Uint8Array(count * area.sectionBytes)
  const failure = await readFailure(area, first, bytes)
  for (let at = 0; at < count; at++) {
    const section = bytes.subarray(at * area.sectionBytes, (at + 1) * area.sectionBytes)
    const error = failure === undefined || count === 1 ? failure : await readFailure(area, first + at, section)
    yield { index: first + at, section, error }
  }
}

async function readFailure(area: JournalArea, first: number, bytes: Uint8Array): Promise<BlockError | undefined> {
  try {
    await area.read(first, bytes)
    return undefined
  } catch (error) {
    if (error instanceof BlockError) return error
    throw error
  }
}

function surveyedSection(
  { ids, mac, shape }: JournalArea,
  section: Uint8Array,
  index: number,
  entryCount: number,
  error: BlockError | undefined,
): SurveyedSection {
  const place = { index, offset: shape.journal.offset + index * section.length, length: section.length }
  if (error !== undefined) {
    return { ...place, sequences: [], unknownSectors: [], isAuthentic: undefined, entryCount: 0, error }
  }
  const view = viewOf(section)
  const sequences = new Set<number>()
  const unknownSectors: number[] = []
  for (let sectorIndex = 0; sectorIndex < section.length / SECTOR_SIZE; sectorIndex++) {
    const sequence = ids.sequenceAt(view, index, sectorIndex)
    if (sequence === undefined) unknownSectors.push(sectorIndex)
    else sequences.add(sequence)
  }
  const isAuthentic = mac?.matches(section, index)
  return { ...place, sequences: [...sequences], unknownSectors, isAuthentic, entryCount, error }
}

function entriesOf(
  { shape }: JournalArea,
  layout: IntegrityLayout,
  check: TagCheck | undefined,
  section: Uint8Array,
  sectionIndex: number,
): SurveyedEntry[] {
  const view = viewOf(section)
  const block = { data: new Uint8Array(shape.blockSize), tag: new Uint8Array(shape.tagSize) }
  const stateOf = (offset: number, slot: number): SurveyedEntry["state"] => {
    if (offset >= layout.providedBytes) return "beyond"
    if (offset % shape.blockSize !== 0) return "malformed"
    if (check === undefined) return "unchecked"
    takeEntry(section, shape, slot, block)
    return check.firstMismatch(offset, block.data, block.tag) === undefined ? "sound" : "mismatch"
  }
  const entryCount = sectionEntryCount(shape)
  const found: SurveyedEntry[] = []
  for (let slot = 0; slot < entryCount; slot++) {
    const offset = entryPlace(view, shape, slot)
    if (offset !== undefined) found.push({ sectionIndex, slot, offset, state: stateOf(offset, slot) })
  }
  return found
}

/** Where on the device of the journal an entry and its block stand. */
export function journalPlaces(
  { shape }: JournalArea,
  { sectionIndex, slot }: Pick<SurveyedEntry, "sectionIndex" | "slot">,
): { readonly entry: { offset: number; length: number }; readonly data: { offset: number; length: number } } {
  const { offset, sectionBytes, entryBytes } = shape.journal
  const section = offset + sectionIndex * sectionBytes
  return {
    entry: { offset: section + entryOffset(shape, slot), length: entryBytes },
    data: { offset: section + entryDataOffset(shape, slot), length: shape.blockSize },
  }
}
