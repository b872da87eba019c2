import { decodeSuperblock, type JournalLayout, layoutOf } from "@blockstrata/integrity"
import type { AttackedHeader, Media, Tampering } from "@blockstrata/testkit"

/** What an attacker finds in a volume of dm-integrity on the medium `disk`; its superblock stands at byte 0. */
const MEDIUM = "disk"
const VERSION = 8
const TAG_SIZE = 10
const FLAGS = 24
const BLOCK_SECTORS_LOG2 = 28
const RECALCULATED_SECTORS = 32
const FLAG_RECALCULATING = 2
const FLAG_DIRTY_BITMAP = 4
const FLAG_FIXED_PADDING = 8
const FLAG_FIXED_HMAC = 16
const SUPERBLOCK_SIZE = 512
const SECTOR_SIZE = 512
/** Of a journal sector, the rest is its commit id. */
const JOURNAL_SECTOR_BYTES = 504
const JOURNAL_METADATA_BYTES = 8 * SECTOR_SIZE

/** `isSalted`: its tags are, so that taking the salt away is a downgrade. */
export function integrityHeader(isSalted: boolean): AttackedHeader {
  return {
    medium: MEDIUM,
    fields: [
      { name: "version", offset: VERSION, size: 1 },
      { name: "interleave sectors", offset: 9, size: 1 },
      { name: "tag size", offset: TAG_SIZE, size: 2 },
      { name: "journal sections", offset: 12, size: 4 },
      { name: "provided data sectors", offset: 16, size: 8 },
      { name: "flags", offset: FLAGS, size: 4 },
      { name: "sectors of a block", offset: BLOCK_SECTORS_LOG2, size: 1 },
      { name: "blocks of a bitmap bit", offset: 29, size: 1 },
      { name: "recalculated sectors", offset: RECALCULATED_SECTORS, size: 8 },
      { name: "salt", offset: 48, size: 8 },
    ],
    downgrades: [
      ...(isSalted ? [edit("tags without salt", (view) => clearFlag(view, FLAG_FIXED_HMAC))] : []),
      edit("tags of one byte", (view) => view.setUint16(TAG_SIZE, 1, true)),
      edit("blocks of 4096", (view) => view.setUint8(BLOCK_SECTORS_LOG2, 3)),
      edit("tags padded as of old", (view) => clearFlag(view, FLAG_FIXED_PADDING)),
    ],
  }
}

/** None needs a key: entries and commit ids are public. */
export const INTEGRITY_JOURNAL: readonly Tampering[] = [
  {
    name: "an entry that puts the old block back",
    change({ media, earlier, victim, blockSize }) {
      const [data, tag] = ["data", "tag"].map((kind) => {
        const place = earlier.places[victim]?.find((each) => each.kind === kind)
        const bytes = new Uint8Array(place?.length ?? 0)
        dataOf(earlier.media).read(place?.offset ?? 0, bytes)
        return bytes
      }) as [Uint8Array, Uint8Array]
      const { offset } = journalOf(media)
      const sector = new DataView(new ArrayBuffer(8))
      sector.setBigUint64(0, BigInt((victim * blockSize) / SECTOR_SIZE), true)
      // The first entry of a fresh section: sector, displaced end of the data, tag; the data behind the metadata.
      const entry = [...new Uint8Array(sector.buffer), ...data.subarray(JOURNAL_SECTOR_BYTES), ...tag]
      dataOf(media).write(offset, Uint8Array.from(entry))
      dataOf(media).write(offset + JOURNAL_METADATA_BYTES, data.subarray(0, JOURNAL_SECTOR_BYTES))
    },
  },
  {
    name: "two sections swapped",
    change({ media }) {
      const { offset, sectionBytes } = journalOf(media)
      const sections = new Uint8Array(2 * sectionBytes)
      dataOf(media).read(offset, sections)
      dataOf(media).write(offset, sections.subarray(sectionBytes))
      dataOf(media).write(offset + sectionBytes, sections.subarray(0, sectionBytes))
    },
  },
  {
    name: "a section of noise",
    change({ media, random }) {
      const { offset, sectionBytes } = journalOf(media)
      dataOf(media).write(offset, random.bytes(sectionBytes))
    },
  },
]

/** What has Linux make new tags over whatever stands there. */
export const INTEGRITY_FLAGS: readonly Tampering[] = [
  edit("recalculating", (view) => {
    setFlag(view, FLAG_RECALCULATING)
    view.setBigUint64(RECALCULATED_SECTORS, 0n, true)
  }),
  edit("dirty bitmap, all bits set", (view, media) => {
    const { offset, sectionBytes, sectionCount } = journalOf(media)
    dataOf(media).write(offset, new Uint8Array(sectionBytes * sectionCount).fill(0xff))
    setFlag(view, FLAG_DIRTY_BITMAP)
  }),
]

function edit(name: string, change: (view: DataView, media: Media) => void): Tampering {
  return {
    name,
    change({ media }) {
      const bytes = superblockOf(media)
      change(new DataView(bytes.buffer), media)
      dataOf(media).write(0, bytes)
    },
  }
}

function setFlag(view: DataView, flag: number): void {
  view.setUint32(FLAGS, view.getUint32(FLAGS, true) | flag, true)
}

function clearFlag(view: DataView, flag: number): void {
  view.setUint32(FLAGS, view.getUint32(FLAGS, true) & ~flag, true)
}

function superblockOf(media: Media): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SUPERBLOCK_SIZE)
  dataOf(media).read(0, bytes)
  return bytes
}

function journalOf(media: Media): JournalLayout {
  const { shape } = mediumOf(media)
  return layoutOf(decodeSuperblock(superblockOf(media)), shape.size, 0).journal
}

function dataOf(media: Media) {
  return mediumOf(media).current.data
}

function mediumOf(media: Media) {
  const medium = media.byName.get(MEDIUM)
  if (medium === undefined) throw new RangeError(`no medium ${MEDIUM}`)
  return medium
}
