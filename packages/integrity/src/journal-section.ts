import { type IntegrityLayout, SECTION_METADATA_SECTORS } from "./layout.ts"

/**
 * A section of the journal, decrypted. Little-endian; 8 metadata sectors, then the data sectors of the entries: those of
 * entry n from sector 8 + n * sectors of a block on. Every sector:
 *
 * | offset | bytes | field                                                                                   |
 * |     0  |   504 | entries, or data without its end                                                        |
 * |   496  |     8 | of a metadata sector, with journal_mac: its piece of the section's MAC                  |
 * |   504  |     8 | commit id                                                                               |
 *
 * Entry n stands in metadata sector n mod 8, at (n div 8) * entry size:
 *
 * | offset | bytes | field                                                                                   |
 * |     0  |     8 | logical sector; high word 0xffffffff: unused, 0xfffffffe: being filled                   |
 * |     8  | 8 * s | of each of its s data sectors the last 8 bytes, which the commit id displaced            |
 * |   ...  |   ... | the tag; zeroes up to a multiple of 8                                                   |
 *
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with journals of Linux 6.1.
 */
export type SectionShape = Pick<IntegrityLayout, "journal" | "blockSize" | "tagSize">

/** What an entry says of its place: bytes of the integrity device, or that there is nothing. */
export type EntryPlace = number | undefined

const SECTOR_SIZE = 512
/** Bytes of a sector before its commit id. */
export const COMMIT_ID_OFFSET = 504
const MAC_OFFSET = 496
export const MAC_PIECE_SIZE = 8
const UNUSED = 0xffffffff
const WORD_RANGE = 2 ** 32
const END_SIZE = 8
const FIELD_SIZE = 8

/** Entries of a section. */
export function sectionEntryCount({ journal }: Pick<SectionShape, "journal">): number {
  return journal.sectorEntryCount * SECTION_METADATA_SECTORS
}

/** Where in its section an entry stands; bytes. */
export function entryOffset({ journal }: SectionShape, slot: number): number {
  return (
    (slot % SECTION_METADATA_SECTORS) * SECTOR_SIZE + Math.floor(slot / SECTION_METADATA_SECTORS) * journal.entryBytes
  )
}

/** Where in its section the data sectors of an entry stand; bytes. */
export function entryDataOffset({ blockSize }: SectionShape, slot: number): number {
  return SECTION_METADATA_SECTORS * SECTOR_SIZE + slot * blockSize
}

/**
 * Where the block of an entry belongs; undefined if the entry is unused. One that is being filled belongs beyond every
 * volume, as does a sector number that no volume has.
 */
export function entryPlace(section: DataView, shape: SectionShape, slot: number): EntryPlace {
  const at = entryOffset(shape, slot)
  const high = section.getUint32(at + 4, true)
  return high === UNUSED ? undefined : (high * WORD_RANGE + section.getUint32(at, true)) * SECTOR_SIZE
}

/** Blocks in the order of their entries. */
export interface SectionContent {
  readonly count: number
  /** Bytes of the integrity device. */
  readonly offsets: Float64Array
  readonly data: Uint8Array
  readonly tags: Uint8Array
}

/**
 * Makes a section of `count` entries, the first ones; the others are unused. All but commit ids and MAC: the section is as
 * Linux would have it, and of what stood in `section` before nothing is left.
 */
export function putSection(section: Uint8Array, shape: SectionShape, content: SectionContent): void {
  const { count, offsets, data, tags } = content
  const { blockSize, tagSize } = shape
  const blockSectors = blockSize / SECTOR_SIZE
  const dataStart = entryDataOffset(shape, 0)
  const dataEnd = dataStart + count * blockSize
  section.fill(0, 0, dataStart)
  section.fill(0, dataEnd)
  section.set(data.subarray(0, count * blockSize), dataStart)
  const view = viewOf(section)
  const entryCount = sectionEntryCount(shape)
  for (let slot = 0; slot < entryCount; slot++) {
    const at = entryOffset(shape, slot)
    if (slot >= count) {
      view.setUint32(at + 4, UNUSED, true)
      continue
    }
    const sector = offsets[slot]! / SECTOR_SIZE
    view.setUint32(at, sector % WORD_RANGE, true)
    view.setUint32(at + 4, Math.floor(sector / WORD_RANGE), true)
    for (let index = 0; index < blockSectors; index++) {
      const from = dataStart + slot * blockSize + index * SECTOR_SIZE + COMMIT_ID_OFFSET
      const to = at + FIELD_SIZE + index * END_SIZE
      view.setUint32(to, view.getUint32(from))
      view.setUint32(to + 4, view.getUint32(from + 4))
    }
    const tagAt = at + FIELD_SIZE + blockSectors * END_SIZE
    for (let byte = 0; byte < tagSize; byte++) section[tagAt + byte] = tags[slot * tagSize + byte]!
  }
}

/** Copies the block of an entry to `data`, whole again, and its tag to `tag`. */
export function takeEntry(
  section: Uint8Array,
  shape: SectionShape,
  slot: number,
  { data, tag }: { readonly data: Uint8Array; readonly tag: Uint8Array },
): void {
  const from = entryDataOffset(shape, slot)
  data.set(section.subarray(from, from + shape.blockSize))
  const endsAt = entryOffset(shape, slot) + FIELD_SIZE
  const sectorCount = shape.blockSize / SECTOR_SIZE
  for (let index = 0; index < sectorCount; index++) {
    const end = index * SECTOR_SIZE + COMMIT_ID_OFFSET
    for (let byte = 0; byte < END_SIZE; byte++) data[end + byte] = section[endsAt + index * END_SIZE + byte]!
  }
  const tagAt = endsAt + sectorCount * END_SIZE
  tag.set(section.subarray(tagAt, tagAt + shape.tagSize))
}

/** Makes a section one without entries, of zeroes otherwise. */
export function clearSection(section: Uint8Array, shape: SectionShape): void {
  const none = new Uint8Array(0)
  putSection(section, shape, { count: 0, offsets: new Float64Array(0), data: none, tags: none })
}

/** The sector fields of all entries in their order: what the MAC is made from. */
export function sectorFields(section: Uint8Array, shape: SectionShape): Uint8Array {
  const entryCount = sectionEntryCount(shape)
  const fields = new Uint8Array(entryCount * FIELD_SIZE)
  for (let slot = 0; slot < entryCount; slot++) {
    const at = entryOffset(shape, slot)
    for (let byte = 0; byte < FIELD_SIZE; byte++) fields[slot * FIELD_SIZE + byte] = section[at + byte]!
  }
  return fields
}

/** The piece of the section's MAC in metadata sector `sectorIndex`: a view. */
export function macPiece(section: Uint8Array, sectorIndex: number): Uint8Array {
  const at = sectorIndex * SECTOR_SIZE + MAC_OFFSET
  return section.subarray(at, at + MAC_PIECE_SIZE)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
