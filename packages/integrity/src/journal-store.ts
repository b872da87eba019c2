import { PIECE_SIZE, type VolumeStore } from "./block-store.ts"
import { JournalWriter, type JournalWriterOptions } from "./journal-writer.ts"
import { overlayReads } from "./overlay-store.ts"
import type { TagCheck } from "./tag-check.ts"

export interface JournalStoreOptions extends Omit<JournalWriterOptions, "store"> {
  /** Where blocks are written back to; closed after the journal. */
  readonly store: VolumeStore
  /** Undefined on a tag store, whose tags are the caller's. */
  readonly check: TagCheck | undefined
  /** Bytes: what a crash leaves old or new below; a section is nothing without whole sectors. */
  readonly atomicSizeBelow: number
  /** Bytes of a block of the opened device. */
  readonly unitSize: number
}

const SECTOR_SIZE = 512

/** The blocks of a volume in mode J: what stands in the journal in front of what stands below. See `JournalWriter`. */
export function journalStore(options: JournalStoreOptions): VolumeStore {
  const { area, store, check, unitSize } = options
  const { blockSize, tagSize } = area.shape
  const writer = new JournalWriter(options)
  const { ring } = writer
  const reads = overlayReads(
    store,
    {
      has: (offset) => ring.has(offset),
      async read(offset, data, tags) {
        ring.read(offset, data, tags)
      },
    },
    area.shape,
  )

  /** Tags of a discard that failed are still to be written. */
  let owesTags = false

  async function payTags(): Promise<void> {
    owesTags = false
    try {
      await store.settle()
    } catch (error) {
      owesTags = true
      throw error
    }
  }

  async function tagsOf(offset: number, data: Uint8Array, tags: Uint8Array | undefined): Promise<Uint8Array> {
    const all = new Uint8Array((data.length / blockSize) * tagSize)
    if (check !== undefined) check.compute(offset, data, all)
    else if (tags !== undefined) return tags
    // A write without tags leaves them as they are.
    else await reads.readUnchecked(offset, new Uint8Array(data.length), all)
    return all
  }

  return {
    ...store,
    ...reads,
    atomicSize: options.atomicSizeBelow < SECTOR_SIZE ? 0 : unitSize,
    async write(offset, data, tags) {
      for (let at = 0; at < data.length; at += PIECE_SIZE) {
        const piece = data.subarray(at, at + PIECE_SIZE)
        const given = tags?.subarray((at / blockSize) * tagSize, ((at + piece.length) / blockSize) * tagSize)
        await writer.append({ offset: offset + at, data: piece, tags: await tagsOf(offset + at, piece, given) })
      }
    },
    async flush() {
      if (owesTags) await payTags()
      await writer.flush()
    },
    // What is given up must not come back by being written back. Its tags go with anything before the data go: then a crash
    // leaves it readable. Of one that failed half of the tags may stand below, and no journal has the others.
    async discard(offset, length) {
      try {
        await writer.whileEmpty((flush) => store.discard(offset, length, flush))
      } catch (error) {
        owesTags = true
        throw error
      }
    },
    status: () => ({ ...store.status?.(), journalUsedSections: ring.usedCount }),
    async close() {
      try {
        await writer.close()
      } finally {
        await store.close?.()
      }
    },
  }
}
