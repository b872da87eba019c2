import { BlockError } from "@blockstrata/device"
import type { JournalArea } from "./journal-area.ts"
import { forgedSection, type JournalRound, readJournalRound } from "./journal-round.ts"
import {
  entryDataOffset,
  entryOffset,
  entryPlace,
  type SectionShape,
  sectionEntryCount,
  takeEntry,
  viewOf,
} from "./journal-section.ts"
import { areaRuns, type IntegrityLayout } from "./layout.ts"
import type { TagCheck } from "./tag-check.ts"

export interface ReplayOptions {
  readonly area: JournalArea
  readonly layout: IntegrityLayout
  /** Verifies entries against their tags; undefined on a tag store. It accepts no filler: no entry is a discard. */
  readonly check: TagCheck | undefined
  /** Bytes of a block of the integrity device. */
  readonly unitSize: number
  /** In mode J a journal that is whole stays as it is, and writing goes on behind it. In every other mode it is cleared. */
  readonly isJournalMode: boolean
}

/** What a replay would do. Nothing was written to find it out. */
export interface ReplayPlan {
  readonly round: JournalRound
  /** The journal ends cleared; else writing goes on at `round.startSection` with `round.sequence`. */
  readonly clears: boolean
  /** Entries that would be written: the newest of each block. */
  readonly writtenCount: number
  /** All entries, in the order of the journal, oldest first. */
  entries(): Generator<ReplayEntry>
  /** The places of the entries of one section that would be replayed; NaN where there is none. */
  placesOf(sectionIndex: number): Float64Array
  /** Whether this entry is the newest of its block. */
  isNewest(sectionIndex: number, slot: number): boolean
  /** Where the newest content of a block stands; undefined if the journal has none. */
  find(offset: number): { readonly sectionIndex: number; readonly slot: number } | undefined
}

/** An entry of the journal; offsets are bytes, of the integrity device or below. */
export interface ReplayEntry {
  readonly sectionIndex: number
  readonly slot: number
  /** Of the integrity device. */
  readonly offset: number
  /** On the device that holds the journal: the entry, and its block there. */
  readonly entryOffset: number
  readonly journalDataOffset: number
  /** Where the block and its tag belong; undefined beyond the volume. */
  readonly target: { readonly dataOffset: number; readonly tagOffset: number } | undefined
  /** `superseded`: a later entry has the same block. `beyond`: the volume has no such block. */
  readonly fate: "written" | "superseded" | "beyond"
}

/**
 * Reads a journal and says what has to be written back. Every section and every entry that would be replayed is verified:
 * MAC, and tag over data and place.
 *
 * Memory: 1 MiB of sections, and about 60 bytes for each entry.
 *
 * @throws BlockError `CORRUPT` for a journal that is damaged, encrypted otherwise, or names places that no writer does;
 * `INTEGRITY` for a wrong MAC or tag; `UNSUPPORTED` for entries that are a part of a block below.
 */
export async function planReplay(options: ReplayOptions): Promise<ReplayPlan> {
  const { area, layout, isJournalMode } = options
  const round = await readJournalRound(area)
  const clears = !round.isWhole || !(isJournalMode || round.isEmpty)
  const entryCount = sectionEntryCount(area.shape)
  const walked = round.isEmpty ? [] : round.sections
  const places = new Float64Array(walked.length * entryCount).fill(Number.NaN)
  const newest = new Map<number, number>()
  const orders = new Map(walked.map((sectionIndex, order) => [sectionIndex, order]))
  await forSections(area, walked, (section, sectionIndex) => {
    const first = (orders.get(sectionIndex) ?? 0) * entryCount
    const found = verifiedPlaces(options, section, sectionIndex)
    places.set(found, first)
    found.forEach((place, slot) => {
      if (place < layout.providedBytes) newest.set(place, first + slot)
    })
  })
  checkUnits(options, newest, entryCount)
  const placeOf = (index: number) => ({
    sectionIndex: walked[Math.floor(index / entryCount)] ?? 0,
    slot: index % entryCount,
  })

  return {
    round,
    clears,
    writtenCount: newest.size,
    *entries() {
      for (const [index, offset] of places.entries()) {
        if (Number.isNaN(offset)) continue
        const { sectionIndex, slot } = placeOf(index)
        const fate = newest.get(offset) === index ? "written" : newest.has(offset) ? "superseded" : "beyond"
        yield { sectionIndex, slot, offset, fate, ...placesBelow(area.shape, layout, sectionIndex, slot, offset) }
      }
    },
    placesOf(sectionIndex) {
      const first = (orders.get(sectionIndex) ?? walked.length) * entryCount
      return places.subarray(first, first + entryCount)
    },
    isNewest(sectionIndex, slot) {
      const index = (orders.get(sectionIndex) ?? walked.length) * entryCount + slot
      const offset = places[index]
      return offset !== undefined && newest.get(offset) === index
    },
    find(offset) {
      const index = newest.get(offset)
      return index === undefined ? undefined : placeOf(index)
    },
  }
}

/** The places of the entries of one section, NaN where there is none; verified, if `isWanted` says so. */
function verifiedPlaces(
  options: ReplayOptions,
  section: Uint8Array,
  sectionIndex: number,
  isWanted: (slot: number) => boolean = () => true,
): Float64Array {
  const { area, layout, check } = options
  const { shape } = area
  if (area.mac?.matches(section, sectionIndex) === false) throw forgedSection(area, sectionIndex)
  const view = viewOf(section)
  const block = { data: new Uint8Array(shape.blockSize), tag: new Uint8Array(shape.tagSize) }
  const places = new Float64Array(sectionEntryCount(shape)).fill(Number.NaN)
  for (let slot = 0; slot < places.length; slot++) {
    const place = entryPlace(view, shape, slot)
    if (place === undefined) continue
    places[slot] = place
    if (place >= layout.providedBytes || !isWanted(slot)) continue
    const at = shape.journal.offset + sectionIndex * area.sectionBytes + entryOffset(shape, slot)
    if (place % shape.blockSize !== 0) throw entryError("CORRUPT", at, "is of no whole block")
    if (check === undefined) continue
    takeEntry(section, shape, slot, block)
    if (check.firstMismatch(place, block.data, block.tag) === undefined) continue
    throw entryError("INTEGRITY", at, `for offset ${place} does not match its tag`)
  }
  return places
}

/** Verifies what of a section that was read again is to be used. @throws BlockError `INTEGRITY` if it is another one: a medium may answer differently. */
export function checkUnchanged(
  plan: ReplayPlan,
  options: ReplayOptions,
  section: Uint8Array,
  sectionIndex: number,
): void {
  const planned = plan.placesOf(sectionIndex)
  const isNewest = (slot: number) => plan.isNewest(sectionIndex, slot)
  const found = verifiedPlaces(options, section, sectionIndex, isNewest)
  const isSame = found.every((place, slot) => Object.is(place, planned[slot]))
  if (isSame) return
  const message = `integrity journal: section ${sectionIndex} is another one than when it was read first`
  throw new BlockError("INTEGRITY", message, { operation: "open" })
}

/** A block below is written whole: where it holds several blocks of the volume, one section has all of them. */
function checkUnits({ area, unitSize }: ReplayOptions, newest: ReadonlyMap<number, number>, entryCount: number): void {
  const { blockSize } = area.shape
  for (const [offset, index] of newest) {
    const unit = Math.floor(offset / unitSize) * unitSize
    for (let at = unit; at < unit + unitSize; at += blockSize) {
      const other = newest.get(at)
      if (other !== undefined && Math.floor(other / entryCount) === Math.floor(index / entryCount)) continue
      const what = `journal entries for parts of blocks of ${unitSize} bytes`
      throw new BlockError("UNSUPPORTED", `integrity: not built yet: ${what}`, { operation: "open" })
    }
  }
}

function placesBelow(
  shape: SectionShape,
  layout: IntegrityLayout,
  sectionIndex: number,
  slot: number,
  offset: number,
): Pick<ReplayEntry, "entryOffset" | "journalDataOffset" | "target"> {
  const section = shape.journal.offset + sectionIndex * shape.journal.sectionBytes
  const [run] = offset < layout.providedBytes ? areaRuns(layout, offset, shape.blockSize) : []
  return {
    entryOffset: section + entryOffset(shape, slot),
    journalDataOffset: section + entryDataOffset(shape, slot),
    target: run && { dataOffset: run.dataOffset, tagOffset: run.tagOffset },
  }
}

/** Sections that stand next to each other, decrypted. */
export type SectionBatch = readonly (readonly [sectionIndex: number, section: Uint8Array])[]

/** Reads the sections of a round, as many neighbours at a time as fit. */
export async function forBatches(
  area: JournalArea,
  sections: readonly number[],
  work: (batch: SectionBatch) => Promise<void>,
): Promise<void> {
  const { sectionBytes, batchCount } = area
  for (let start = 0; start < sections.length; ) {
    const first = sections[start]!
    let count = 1
    while (count < batchCount && sections[start + count] === first + count) count++
    const bytes = new Uint8Array(count * sectionBytes)
    await area.read(first, bytes)
    await work(
      Array.from({ length: count }, (_, index) => [
        first + index,
        bytes.subarray(index * sectionBytes, (index + 1) * sectionBytes),
      ]),
    )
    start += count
  }
}

async function forSections(
  area: JournalArea,
  sections: readonly number[],
  work: (section: Uint8Array, sectionIndex: number) => void,
): Promise<void> {
  await forBatches(area, sections, async (batch) => {
    for (const [sectionIndex, section] of batch) work(section, sectionIndex)
  })
}

function entryError(code: "CORRUPT" | "INTEGRITY", at: number, what: string): BlockError {
  return new BlockError(code, `integrity journal: the entry at ${at} below ${what}`, { operation: "open" })
}
