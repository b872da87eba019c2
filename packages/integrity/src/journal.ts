import { type BlockDevice, settleAll } from "@blockstrata/device"
import { type JournalLayout, SECTION_METADATA_SECTORS } from "./layout.ts"

/**
 * dm-integrity journal, as far as a clean one goes. Little-endian; `sectionCount` sections, each of 8 metadata sectors
 * and then the data sectors of its entries. Every sector:
 *
 * | offset | bytes | field                                                                        |
 * |     0  |   504 | entries (metadata sectors) or displaced data                                 |
 * |   504  |     8 | commit id: constant of its sequence, xor (section << 32), xor sector in it    |
 *
 * Entry n stands in metadata sector n mod 8:
 *
 * | offset | bytes | field                                                                        |
 * |     0  |     8 | logical sector; high word 0xffffffff: unused, 0xfffffffe: being filled        |
 * |     8  |   ... | last 8 bytes of each data sector, then the tag                               |
 *
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with what Linux 6.1 writes at format.
 */
const SECTOR_SIZE = 512
const COMMIT_ID_OFFSET = 504
const COMMIT_IDS: readonly bigint[] = [
  0x1111111111111111n,
  0x2222222222222222n,
  0x3333333333333333n,
  0x4444444444444444n,
]
const UNUSED = 0xffffffff
const METADATA_BYTES = SECTION_METADATA_SECTORS * SECTOR_SIZE
const SCRATCH_BYTES_MAX = 1024 * 1024

/** `used` holds at least one entry; `unknown` has a commit id that is none of the four: torn, encrypted or overwritten. */
export type JournalState = "clean" | "used" | "unknown"

/**
 * Looks for entries that are not written back yet, section by section, and stops at the first that is not clean.
 * Only metadata sectors are read: a journal without entries has nothing to give back, whatever its data sectors hold.
 */
export async function inspectJournal(lower: BlockDevice, journal: JournalLayout): Promise<JournalState> {
  const batchCount = SCRATCH_BYTES_MAX / METADATA_BYTES
  for (let first = 0; first < journal.sectionCount; first += batchCount) {
    const count = Math.min(batchCount, journal.sectionCount - first)
    const bytes = new Uint8Array(count * METADATA_BYTES)
    const sections = Array.from({ length: count }, (_, index) => ({
      sectionIndex: first + index,
      metadata: bytes.subarray(index * METADATA_BYTES, (index + 1) * METADATA_BYTES),
    }))
    await settleAll(
      sections.map((section) =>
        lower.read(journal.offset + section.sectionIndex * journal.sectionBytes, section.metadata),
      ),
    )
    for (const { sectionIndex, metadata } of sections) {
      const state = sectionState(metadata, journal, sectionIndex)
      if (state !== "clean") return state
    }
  }
  return "clean"
}

function sectionState(metadata: Uint8Array, journal: JournalLayout, sectionIndex: number): JournalState {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  const sectors = Array.from({ length: SECTION_METADATA_SECTORS }, (_, sectorIndex) => sectorIndex)
  const isKnown = (sectorIndex: number) => {
    const commitId = view.getBigUint64(sectorIndex * SECTOR_SIZE + COMMIT_ID_OFFSET, true)
    return COMMIT_IDS.includes(commitId ^ commitPlace(sectionIndex, sectorIndex))
  }
  if (!sectors.every(isKnown)) return "unknown"
  const isUnused = (sectorIndex: number) => {
    for (let slot = 0; slot < journal.sectorEntryCount; slot++) {
      if (view.getUint32(sectorIndex * SECTOR_SIZE + slot * journal.entryBytes + 4, true) !== UNUSED) return false
    }
    return true
  }
  return sectors.every(isUnused) ? "clean" : "used"
}

/** What makes a commit id belong to its place. */
function commitPlace(sectionIndex: number, sectorIndex: number): bigint {
  return BigInt(sectionIndex) * 2n ** 32n + BigInt(sectorIndex)
}
