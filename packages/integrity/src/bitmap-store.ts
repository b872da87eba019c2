import {
  type BlockDevice,
  type ByteRange,
  type EventListener,
  RangeLock,
  type Runtime,
  settleAll,
} from "@blockstrata/device"
import { BITMAP_PAGE_SIZE, type Bitmap } from "./bitmap.ts"
import type { VolumeStore } from "./block-store.ts"
import type { JournalLayout } from "./layout.ts"
import type { SuperblockWriter } from "./superblock-writer.ts"

export interface BitmapStoreOptions {
  readonly store: VolumeStore
  /** As it stands on the medium; owned. */
  readonly bitmap: Bitmap
  readonly metadata: BlockDevice
  readonly journal: JournalLayout
  readonly superblock: SuperblockWriter
  /** Bytes of the volume. */
  readonly size: number
  /** Marks are cleared so many milliseconds after the first of them was set. */
  readonly flushIntervalMs: number
  /** Makes data and tags durable. */
  readonly flush: () => Promise<void>
  /** Writes a journal without entries over the bitmap. */
  readonly resetJournal: () => Promise<void>
  /** Bytes: from here on tags are still to be computed, and all regions stay marked. */
  readonly pendingFrom: () => number
  readonly runtime: Runtime
  readonly onEvent?: EventListener | undefined
}

/**
 * The blocks of a volume in mode B. Before a block changes, its region is marked durably; marks are cleared together,
 * later, when data and tags are durable. So after a crash every block whose tag may not match stands in a marked region.
 *
 * A write that failed may have left such a block: from then on nothing is cleared, and closing leaves the volume dirty
 * for the next opening to recover.
 */
export function bitmapStore(options: BitmapStoreOptions): VolumeStore {
  const { store, metadata, journal, superblock, size, flush, pendingFrom, runtime, onEvent } = options
  /** What stands on the medium for certain, and what is to stand there. */
  const durable = options.bitmap
  const wanted = durable.copy()
  const lock = new RangeLock()
  let touchedPages = new Set<number>()
  let writing: Promise<void> | undefined
  let cancelTimer: (() => void) | undefined
  let clearing: Promise<void> | undefined
  let isDoubtful = false
  let isClosing = false

  /** Every page that was touched, in as few writes as there are gaps. */
  async function writePages(): Promise<void> {
    const runs = pageRuns(touchedPages)
    touchedPages = new Set()
    await settleAll(
      runs.map(async ({ offset, length }) => {
        // A copy, for others mark regions meanwhile: what this write does not hold is not durable after it.
        const pages = wanted.bytes.slice(offset, offset + length)
        await metadata.write(journal.offset + offset, pages, { fua: true })
        durable.bytes.set(pages, offset)
      }),
    )
  }

  async function mark(range: ByteRange): Promise<void> {
    if (durable.isMarked(range)) return
    wanted.mark(range)
    for (const page of wanted.pagesOf(range)) touchedPages.add(page)
    while (!durable.isMarked(range)) {
      // Whoever comes while pages are being written goes with the next write, together with all others who came.
      writing ??= writePages().finally(() => {
        writing = undefined
      })
      await writing
    }
    clearLater()
  }

  function clearLater(): void {
    if (isClosing) return
    cancelTimer ??= runtime.setTimer(options.flushIntervalMs, () => {
      cancelTimer = undefined
      clearing = clear().catch((error: unknown) => {
        isDoubtful = true
        onEvent?.({ kind: "degraded", device: "integrity", message: `integrity: bitmap flush: ${String(error)}` })
      })
    })
  }

  async function clear(): Promise<void> {
    // Twice, so that writers wait for what came last only.
    await flush()
    await lock.hold([{ offset: 0, length: size }], "exclusive", async () => {
      const pending = pendingFrom()
      await flush()
      if (isDoubtful) return
      wanted.clear()
      if (pending < size) wanted.mark({ offset: pending, length: size - pending })
      touchedPages = new Set(durable.pagesThatDiffer(wanted))
      // Before the write: a mark that may vanish is not counted on any more.
      durable.bytes.set(wanted.bytes)
      await writePages()
      if (pending < size) clearLater()
    })
  }

  async function change(range: ByteRange, action: () => Promise<void>): Promise<void> {
    await lock.hold([range], "shared", async () => {
      await mark(range)
      await doubtIfItFails(action)
    })
  }

  async function doubtIfItFails(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      isDoubtful = true
      throw error
    }
  }

  // Regions whose tags are still to be computed are marked already: nothing but time brings them up again.
  if (pendingFrom() < size) clearLater()
  return {
    ...store,
    write: (offset, data, tags) => change({ offset, length: data.length }, () => store.write(offset, data, tags)),
    discard: (offset, length, between) => change({ offset, length }, () => store.discard(offset, length, between)),
    flush: () => doubtIfItFails(() => store.flush()),
    async close() {
      isClosing = true
      cancelTimer?.()
      await clearing
      await store.close?.()
      if (isDoubtful) return
      // What marks are for comes first, then what overwrites them, then the flag. Between the last two the journal is
      // read as a bitmap after a crash: whatever it marks, every block has its tag.
      await flush()
      await options.resetJournal()
      await metadata.flush()
      await superblock.update({ hasDirtyBitmap: false })
    },
  }
}

/** Runs of neighbouring pages, as bytes of the bitmap. */
function pageRuns(pages: ReadonlySet<number>): ByteRange[] {
  const runs: { offset: number; length: number }[] = []
  for (const page of [...pages].sort((a, b) => a - b)) {
    const offset = page * BITMAP_PAGE_SIZE
    const last = runs.at(-1)
    if (last !== undefined && last.offset + last.length === offset) last.length += BITMAP_PAGE_SIZE
    else runs.push({ offset, length: BITMAP_PAGE_SIZE })
  }
  return runs
}
