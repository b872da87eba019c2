import { BlockError, type EventListener, RangeLock, type Runtime } from "@blockstrata/device"
import type { BlockStore } from "./block-store.ts"
import { nextSequence } from "./commit-id.ts"
import type { JournalArea } from "./journal-area.ts"
import { putSection } from "./journal-section.ts"
import { type MemorySection, SectionRing, type TaggedBlocks } from "./section-ring.ts"
import { WriteBackWindow, writeBackSections } from "./write-back.ts"

export interface JournalWriterOptions {
  /** Owned. */
  readonly area: JournalArea
  /** Where blocks are written back to. */
  readonly store: BlockStore
  /** Where the journal goes on, and with what sequence. */
  readonly startSection: number
  readonly sequence: number
  /** Percent of the journal in use at which it is written back. */
  readonly watermark: number
  readonly commitTimeMs: number
  /** Flushes all devices below, and does nothing else: if it fails, that is final. What `store` was given stands there. */
  readonly flush: () => Promise<void>
  readonly runtime: Runtime
  readonly onEvent?: EventListener | undefined
}

/** Bytes of sections in memory. The kernel keeps all of a journal there. */
const MEMORY_BYTES = 16 * 1024 * 1024

/**
 * Fills the sections of a journal, commits them, and writes them back.
 *
 * A write goes into sections in memory; committing writes these to the journal, whole and in order, and flushes; after that
 * they are written back to where they belong, and only when that is durable too their sections are used again. So a block
 * and its tag are old or new together, whatever a crash leaves of either: until its section is used again, the journal has
 * both.
 *
 * A write that fails below is tried again by whatever comes next: the sections stay as they are. A flush that fails is final:
 * from then on writes and flushes are refused and nothing is written any more. What was flushed before stands in the journal,
 * for the next opening.
 */
export class JournalWriter {
  readonly ring: SectionRing
  readonly #options: JournalWriterOptions
  /** Sections in use at which somebody has to wait until they are written back. */
  readonly #wantedCount: number
  readonly #lock = new RangeLock()
  /** Sections on their way to the medium. */
  readonly #scratch: Uint8Array
  readonly #window: WriteBackWindow
  #failure: unknown
  #hasWritten = false
  #isCleaning = false
  #cancelTimer: (() => void) | undefined

  constructor(options: JournalWriterOptions) {
    this.#options = options
    const { shape, sectionCount, sectionBytes, batchCount } = options.area
    this.#window = new WriteBackWindow(shape)
    this.#scratch = new Uint8Array(Math.min(batchCount, sectionCount) * sectionBytes)
    const capacity = Math.max(2, Math.floor(MEMORY_BYTES / sectionBytes))
    const watermark = Math.ceil((sectionCount * options.watermark) / 100)
    this.#wantedCount = Math.max(1, Math.min(Math.floor(capacity / 2), watermark))
    this.ring = new SectionRing({ ...options, shape, capacity })
  }

  /** Settles when all blocks are in memory; waits for room where there is none. */
  async append({ offset, data, tags }: TaggedBlocks): Promise<void> {
    const { blockSize, tagSize } = this.#options.area.shape
    for (let done = 0; done < data.length / blockSize; ) {
      this.#checkFailure()
      done += this.ring.append({
        offset: offset + done * blockSize,
        data: data.subarray(done * blockSize),
        tags: tags.subarray(done * tagSize),
      })
      this.#commitLater()
      await this.#makeRoom(done < data.length / blockSize)
    }
  }

  flush(): Promise<void> {
    return this.#alone(() => this.#commit())
  }

  /** Runs `action` with nothing in the journal, and nothing else that writes below. It may make durable what it writes. */
  whileEmpty(action: (flush: () => Promise<void>) => Promise<void>): Promise<void> {
    return this.#alone(async () => {
      await this.#clean()
      await action(() => this.#flushBelow())
    })
  }

  /** Leaves the journal as Linux does: the rest of this round and the beginning of the next one, without entries. */
  async close(): Promise<void> {
    const { area } = this.#options
    this.#cancelTimer?.()
    try {
      await this.whileEmpty(async () => {
        if (!this.#hasWritten) return
        const { sectionIndex, sequence } = this.ring.head
        await area.clear(sectionIndex, area.sectionCount - sectionIndex, sequence)
        await this.#flushBelow()
        await area.clear(0, sectionIndex, nextSequence(sequence))
        await this.#flushBelow()
      })
    } finally {
      area.destroy()
    }
  }

  /** One at a time. */
  #alone(action: () => Promise<void>): Promise<void> {
    return this.#lock.hold([{ offset: 0, length: 1 }], "exclusive", async () => {
      this.#checkFailure()
      await action()
    })
  }

  /** After a failed flush nobody knows what is durable, and asking again does not tell. */
  async #flushBelow(): Promise<void> {
    try {
      await this.#options.flush()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  #checkFailure(): void {
    if (this.#failure === undefined) return
    throw new BlockError("READ_ONLY", "integrity: a flush below failed before", { cause: this.#failure })
  }

  async #commit(): Promise<void> {
    const { area } = this.#options
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const sections = this.ring.uncommitted()
    for (let start = 0; start < sections.length; ) {
      const { sectionIndex, sequence } = sections[start]!
      let count = 1
      while (count < area.batchCount && isNeighbour(sections, start, count)) count++
      const bytes = this.#scratch.subarray(0, count * area.sectionBytes)
      for (let index = 0; index < count; index++) {
        const section = bytes.subarray(index * area.sectionBytes, (index + 1) * area.sectionBytes)
        putSection(section, area.shape, sections[start + index]!)
      }
      await area.write(sectionIndex, bytes, sequence)
      start += count
    }
    // What is written back must stand in the journal before: a crash in between would leave neither.
    await this.#flushBelow()
    this.ring.commit(sections.length)
    this.#hasWritten ||= sections.length > 0
  }

  async #clean(): Promise<void> {
    const { area, store } = this.#options
    if (this.ring.hasUncommitted) await this.#commit()
    const sections = this.ring.committed()
    if (sections.length === 0) return
    await writeBackSections(this.ring, sections, area.shape, store, this.#window)
    // The next round overwrites these sections: nothing may depend on them any more.
    await this.#flushBelow()
    this.ring.release(sections.length)
  }

  #commitLater(): void {
    const { runtime, commitTimeMs, onEvent } = this.#options
    this.#cancelTimer ??= runtime.setTimer(commitTimeMs, () => {
      this.#cancelTimer = undefined
      // Nobody waits for this: what fails is tried again by whoever flushes next, and told to them.
      this.#alone(async () => {
        if (this.ring.hasUncommitted) await this.#commit()
      }).catch((error: unknown) => {
        const message = `integrity: the journal could not be written: ${error instanceof BlockError ? error.code : "?"}`
        onEvent?.({ kind: "degraded", device: "integrity", message })
      })
    })
  }

  /** Waits for room where there is none; and where there is, one request at a time waits until there is more. */
  async #makeRoom(isNeeded: boolean): Promise<void> {
    if (!isNeeded && (this.#isCleaning || this.ring.usedCount < this.#wantedCount)) return
    this.#isCleaning = true
    try {
      await this.#alone(() => this.#clean())
    } finally {
      this.#isCleaning = false
    }
  }
}

/** Whether the section `count` after `start` goes on where the one before it ends, in the same round. */
function isNeighbour(sections: readonly MemorySection[], start: number, count: number): boolean {
  const first = sections[start]
  const next = sections[start + count]
  return (
    next !== undefined && next.sectionIndex === (first?.sectionIndex ?? 0) + count && next.sequence === first?.sequence
  )
}
