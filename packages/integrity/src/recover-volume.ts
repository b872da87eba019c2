import {
  type BlockDevice,
  BlockError,
  type EventListener,
  type LongVerbOptions,
  type Runtime,
} from "@blockstrata/device"
import { readBitmap } from "./bitmap.ts"
import { bitmapStore } from "./bitmap-store.ts"
import type { BlockStore, VolumeStore } from "./block-store.ts"
import { markedRegions, retagMarked } from "./dirty-bitmap.ts"
import { bitmapBitSectorsLog2 } from "./fresh-superblock.ts"
import type { IntegrityMode } from "./integrity-target.ts"
import type { IntegrityLayout } from "./layout.ts"
import { type Recalculation, recalculation } from "./recalculation.ts"
import type { IntegritySuperblock } from "./superblock.ts"
import { type SuperblockWriter, superblockWriter } from "./superblock-writer.ts"
import { type TagState, uncheckedStore } from "./unchecked-store.ts"

export interface RecoverVolumeOptions {
  readonly store: BlockStore
  readonly metadata: BlockDevice
  readonly layout: IntegrityLayout
  readonly superblock: IntegritySuperblock
  readonly mode: IntegrityMode
  readonly isReadOnly: boolean
  /** Bytes: a block of the opened device. */
  readonly unit: number
  readonly sectorsPerBit: number | undefined
  readonly bitmapFlushIntervalMs: number | undefined
  readonly recalculate: boolean
  readonly resetRecalculate: boolean
  /** Where recalculation is to be done before the volume opens: whoever watches it. */
  readonly recalculateNow: LongVerbOptions | undefined
  /** Makes data and tags durable. */
  readonly flush: () => Promise<void>
  /** Writes a journal without entries. */
  readonly resetJournal: () => Promise<void>
  /** Authenticates a superblock before it is written; undefined where none is. */
  readonly seal: ((sectors: Uint8Array) => void) | undefined
  readonly runtime: Runtime
  readonly onEvent?: EventListener | undefined
}

export interface RecoveredVolume {
  readonly store: VolumeStore
  /** To be called once the device stands: what goes on by itself begins. */
  start(): void
}

const SECTOR_SIZE = 512
const SECTORS_PER_BIT_DEFAULT = 32768
const FLUSH_INTERVAL_DEFAULT_MS = 10000

/**
 * Makes a volume whose journal holds no entries usable: computes the tags that a dirty bitmap says are missing, takes up
 * recalculation, and begins mode B. Read-only, nothing is written, and blocks without certain tags are not checked.
 *
 * The order, so that it may be cut off anywhere and begun again: (1) tags are computed, and flushed; superblock and bitmap
 * still say that they are missing. (2) Modes without a bitmap put an empty journal over it, and flush: while the flag still
 * stands, that journal is read as a bitmap, and whatever it marks, every block has its tag by now. (3) The superblock
 * changes, in one write of one sector. (4) Mode B writes its own bitmap after its flag, for the same reason; what is
 * still to be recalculated is known from the superblock, whatever that bitmap says.
 */
export async function recoverVolume(options: RecoverVolumeOptions): Promise<RecoveredVolume> {
  const { store, metadata, layout, superblock, unit, isReadOnly } = options
  const size = layout.providedBytes
  const pendingFrom = superblock.isRecalculating
    ? Math.min(size, Math.floor((superblock.recalculatedSectors * SECTOR_SIZE) / unit) * unit)
    : size
  const marked = superblock.hasDirtyBitmap ? await markedRegions(metadata, layout, superblock, unit) : undefined
  const begins = options.resetRecalculate || (options.recalculate && !superblock.isRecalculating)
  if (isReadOnly) {
    if (begins) throw new BlockError("READ_ONLY", "integrity: recalculation cannot begin on a read-only volume")
    const tagState: TagState = function* ({ offset, length }) {
      const certain = Math.min(Math.max(pendingFrom - offset, 0), length)
      if (certain > 0)
        yield* marked?.runs({ offset, length: certain }) ?? [{ offset, length: certain, isMarked: false }]
      if (certain < length) yield { offset: offset + certain, length: length - certain, isMarked: true }
    }
    const isCertain = marked === undefined && pendingFrom === size
    return { store: isCertain ? store : uncheckedStore(store, tagState), start: () => undefined }
  }

  const writer = await superblockWriter(metadata, layout.startBytes, options.mode, options.seal)
  if (marked !== undefined) {
    const hadMarked = await retagMarked(store, marked, size, pendingFrom)
    await options.flush()
    await leaveDirtyBitmap(options, writer, hadMarked, pendingFrom)
  }
  let pending = pendingFrom
  if (begins) {
    pending = 0
    await writer.update({ isRecalculating: true, recalculatedSectors: 0 })
  }
  let recalculating: Recalculation | undefined
  if (pending < size) {
    const { flush, runtime, onEvent } = options
    recalculating = recalculation({ store, size, position: pending, superblock: writer, flush, runtime, onEvent })
    if (options.recalculateNow !== undefined) {
      await recalculating.finish(options.recalculateNow)
      recalculating = undefined
    }
  }
  const start = () => recalculating?.start()
  if (options.mode === "B") return { store: await beginBitmap(options, writer, recalculating), start }
  return { store: recalculating ?? store, start }
}

/** As Linux leaves a superblock after recovery: recalculated to the end. Mode B goes on with its flag set. */
async function leaveDirtyBitmap(
  { mode, metadata, resetJournal, onEvent }: RecoverVolumeOptions,
  writer: SuperblockWriter,
  hadMarked: boolean,
  recalculatedBytes: number,
): Promise<void> {
  const recalculated = { isRecalculating: true, recalculatedSectors: recalculatedBytes / SECTOR_SIZE }
  const change = hadMarked ? recalculated : {}
  if (mode !== "B") {
    await resetJournal()
    await metadata.flush()
  }
  await writer.update({ ...change, hasDirtyBitmap: mode === "B" })
  const message = `integrity: a dirty bitmap: ${hadMarked ? "tags of marked regions were computed" : "nothing was marked"}`
  onEvent?.({ kind: "recovered", device: "integrity", message })
}

async function beginBitmap(
  options: RecoverVolumeOptions,
  superblock: SuperblockWriter,
  recalculating: Recalculation | undefined,
): Promise<VolumeStore> {
  const { layout, metadata, store, sectorsPerBit = SECTORS_PER_BIT_DEFAULT } = options
  const { journal, blockSize } = layout
  const size = layout.providedBytes
  const journalSectors = (journal.sectionCount * journal.sectionBytes) / SECTOR_SIZE
  const regionSectorsLog2 = bitmapBitSectorsLog2(sectorsPerBit, blockSize, journalSectors, size / SECTOR_SIZE)
  const bitmapBitBlocksLog2 = regionSectorsLog2 - Math.log2(blockSize / SECTOR_SIZE)
  const bitmap = await readBitmap(metadata, journal, size, SECTOR_SIZE * 2 ** regionSectorsLog2)
  const pendingFrom = () => recalculating?.position ?? size
  await superblock.update({ hasDirtyBitmap: true, bitmapBitBlocksLog2 })
  bitmap.clear()
  if (pendingFrom() < size) bitmap.mark({ offset: pendingFrom(), length: size - pendingFrom() })
  await metadata.write(journal.offset, bitmap.bytes, { fua: true })
  return bitmapStore({
    ...options,
    store: recalculating ?? store,
    bitmap,
    journal,
    superblock,
    size,
    flushIntervalMs: options.bitmapFlushIntervalMs ?? FLUSH_INTERVAL_DEFAULT_MS,
    pendingFrom,
  })
}
