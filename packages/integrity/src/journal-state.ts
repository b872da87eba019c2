import { type BlockDevice, settleAll } from "@blockstrata/device"
import { commitIds, plainBases } from "./commit-id.ts"
import { entryPlace, type SectionShape, sectionEntryCount, viewOf } from "./journal-section.ts"
import { SECTION_METADATA_SECTORS } from "./layout.ts"

const SECTOR_SIZE = 512
const METADATA_BYTES = SECTION_METADATA_SECTORS * SECTOR_SIZE
const SCRATCH_BYTES_MAX = 1024 * 1024
/** Of a journal that no stream cipher hides. */
const IDS = /* @__PURE__ */ commitIds(/* @__PURE__ */ plainBases())

/** `used` holds at least one entry; `unknown` has a commit id that is none of the four: torn, encrypted or overwritten. */
export type JournalState = "clean" | "used" | "unknown"

/**
 * Looks for entries that are not written back yet, section by section, and stops at the first that is not clean.
 * Only metadata sectors are read: a journal without entries has nothing to give back, whatever its data sectors hold.
 */
export async function journalState(lower: BlockDevice, shape: SectionShape): Promise<JournalState> {
  const { offset, sectionCount, sectionBytes } = shape.journal
  const batchCount = SCRATCH_BYTES_MAX / METADATA_BYTES
  for (let first = 0; first < sectionCount; first += batchCount) {
    const count = Math.min(batchCount, sectionCount - first)
    const bytes = new Uint8Array(count * METADATA_BYTES)
    const sections = Array.from({ length: count }, (_, index) => ({
      sectionIndex: first + index,
      metadata: bytes.subarray(index * METADATA_BYTES, (index + 1) * METADATA_BYTES),
    }))
    await settleAll(
      sections.map(({ sectionIndex, metadata }) => lower.read(offset + sectionIndex * sectionBytes, metadata)),
    )
    for (const { sectionIndex, metadata } of sections) {
      const state = sectionState(viewOf(metadata), shape, sectionIndex)
      if (state !== "clean") return state
    }
  }
  return "clean"
}

function sectionState(metadata: DataView, shape: SectionShape, sectionIndex: number): JournalState {
  for (let sectorIndex = 0; sectorIndex < SECTION_METADATA_SECTORS; sectorIndex++)
    if (IDS.sequenceAt(metadata, sectionIndex, sectorIndex) === undefined) return "unknown"
  const entryCount = sectionEntryCount(shape)
  for (let slot = 0; slot < entryCount; slot++) if (entryPlace(metadata, shape, slot) !== undefined) return "used"
  return "clean"
}
