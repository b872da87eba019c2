import { type EventListener, type LongVerbOptions, RangeLock, type Runtime } from "@blockstrata/device"
import type { BlockStore, VolumeStore } from "./block-store.ts"
import type { SuperblockWriter } from "./superblock-writer.ts"
import { readWithoutMarked, type TagState } from "./unchecked-store.ts"

export interface RecalculationOptions {
  readonly store: BlockStore
  /** Bytes of data with tags; all that the volume provides, however short the line is. */
  readonly size: number
  /** Bytes: whole blocks of the device, before which all tags are there. */
  readonly position: number
  readonly superblock: SuperblockWriter
  /** Makes data and tags durable. */
  readonly flush: () => Promise<void>
  readonly runtime: Runtime
  readonly onEvent?: EventListener | undefined
}

/**
 * The blocks of a volume whose tags are computed while it is used, from its start to its end. What lies beyond the
 * position is read unchecked and written with its tags.
 *
 * Order: the tags of a stretch are durable before the superblock says so. A crash in between has them computed again, of
 * the data as they are then, which the position of that time leaves unchecked anyway.
 */
export interface Recalculation extends VolumeStore {
  /** Bytes. */
  readonly position: number
  /** Computes all that is left. Aborted, it throws the signal's reason, and what was done is saved. */
  finish(options: LongVerbOptions): Promise<void>
  /** Goes on by itself, a chunk after the other, until it is done or the volume closes. */
  start(): void
  close(): Promise<void>
}

/** Bytes that nobody can use while their tags are computed. */
const CHUNK_SIZE = 8 * 1024 * 1024
/** Chunks after which the superblock is written, as in Linux; there they are larger. */
const SAVED_CHUNK_COUNT = 16

export function recalculation(options: RecalculationOptions): Recalculation {
  const { store, size, superblock, flush, runtime, onEvent } = options
  const lock = new RangeLock()
  let { position } = options
  let savedPosition = position
  let chunkCount = 0
  let isStopped = false
  let cancelTimer: (() => void) | undefined
  let running: Promise<void> | undefined

  const isDone = () => position >= size
  const tagState: TagState = function* ({ offset, length }) {
    const checked = Math.min(Math.max(position - offset, 0), length)
    if (checked > 0) yield { offset, length: checked, isMarked: false }
    if (checked < length) yield { offset: offset + checked, length: length - checked, isMarked: true }
  }

  async function save(): Promise<void> {
    const done = position
    await flush()
    await superblock.update({ isRecalculating: true, recalculatedSectors: done / 512 })
    savedPosition = done
  }

  async function step(): Promise<void> {
    const chunk = { offset: position, length: Math.min(CHUNK_SIZE, size - position) }
    await lock.hold([chunk], "exclusive", async () => {
      await store.retag(chunk.offset, chunk.length)
      // Still under the lock: whoever waits for it finds the tags, and has them checked.
      position += chunk.length
    })
    chunkCount += 1
    if (isDone() || chunkCount % SAVED_CHUNK_COUNT === 0) await save()
    if (isDone()) onEvent?.({ kind: "recovered", device: "integrity", message: "integrity: all tags are calculated" })
  }

  function schedule(): void {
    if (isStopped || isDone()) return
    cancelTimer = runtime.setTimer(0, () => {
      running = step().then(schedule, (error: unknown) => {
        const message = `integrity: recalculation stopped at offset ${position}: ${String(error)}`
        onEvent?.({ kind: "degraded", device: "integrity", message, offset: position, length: size - position })
      })
    })
  }

  /** Runs beside other requests on the range, but not beside the computation of its tags. */
  async function use<T>(offset: number, length: number, action: () => Promise<T>): Promise<T> {
    return isDone() ? await action() : await lock.hold([{ offset, length }], "shared", action)
  }

  return {
    ...store,
    get position() {
      return position
    },
    read: (offset, buffer) => use(offset, buffer.length, () => readWithoutMarked(store, tagState, offset, buffer)),
    write: (offset, data, tags) => use(offset, data.length, () => store.write(offset, data, tags)),
    writeTagged: (offset, data, tags) => use(offset, data.length, () => store.writeTagged(offset, data, tags)),
    discard: (offset, length, between) => use(offset, length, () => store.discard(offset, length, between)),
    status: () => ({ recalculatedBytes: position }),
    async finish({ signal, onProgress }) {
      while (!isDone()) {
        if (signal?.aborted === true && savedPosition < position) await save()
        signal?.throwIfAborted()
        onProgress?.(position, size)
        await step()
      }
      onProgress?.(size, size)
    },
    start: schedule,
    async close() {
      isStopped = true
      cancelTimer?.()
      await running
      if (savedPosition < position) await save()
    },
  }
}
