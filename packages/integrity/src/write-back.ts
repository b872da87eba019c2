import { settleAll } from "@blockstrata/device"
import { type BlockStore, PIECE_SIZE } from "./block-store.ts"
import { type SectionShape, sectionEntryCount } from "./journal-section.ts"
import type { MemorySection, SectionRing, TaggedBlocks } from "./section-ring.ts"

/** Blocks that follow each other in a section and on the device. */
interface Segment {
  readonly offset: number
  readonly section: MemorySection
  readonly slot: number
  count: number
}

/** Bytes of data that are under way at a time. */
const WINDOW_BYTES = 2 * PIECE_SIZE

/**
 * Memory for one window, or for a whole journal that is smaller, used again and again: what is written belongs to the devices
 * below until it has settled.
 */
export class WriteBackWindow {
  readonly #data: Uint8Array
  readonly #tags: Uint8Array
  #usedBytes = 0
  #tagBytes = 0

  constructor(shape: SectionShape) {
    const { blockSize, tagSize, journal } = shape
    const blockCount = Math.min(WINDOW_BYTES / blockSize, journal.sectionCount * sectionEntryCount(shape))
    this.#data = new Uint8Array(blockCount * blockSize)
    this.#tags = new Uint8Array(blockCount * tagSize)
  }

  hasRoom(dataBytes: number): boolean {
    return this.#usedBytes + dataBytes <= this.#data.length
  }

  take(dataBytes: number, tagBytes: number): Pick<TaggedBlocks, "data" | "tags"> {
    const data = this.#data.subarray(this.#usedBytes, this.#usedBytes + dataBytes)
    const tags = this.#tags.subarray(this.#tagBytes, this.#tagBytes + tagBytes)
    this.#usedBytes += dataBytes
    this.#tagBytes += tagBytes
    return { data, tags }
  }

  clear(): void {
    this.#usedBytes = 0
    this.#tagBytes = 0
  }
}

/** Writes the blocks of committed sections to where they belong, each once, neighbours together. */
export async function writeBackSections(
  ring: SectionRing,
  sections: readonly MemorySection[],
  shape: SectionShape,
  store: BlockStore,
  window: WriteBackWindow,
): Promise<void> {
  const { blockSize, tagSize } = shape
  let under: Promise<void>[] = []
  const settle = async () => {
    const requests = under
    under = []
    await settleAll(requests)
    window.clear()
  }
  try {
    for (const run of runsOf(newestSegments(ring, sections, blockSize), blockSize)) {
      const count = run.reduce((sum, part) => sum + part.count, 0)
      if (!window.hasRoom(count * blockSize)) await settle()
      const { data, tags } = window.take(count * blockSize, count * tagSize)
      let done = 0
      for (const { section, slot, count: partCount } of run) {
        data.set(section.data.subarray(slot * blockSize, (slot + partCount) * blockSize), done * blockSize)
        tags.set(section.tags.subarray(slot * tagSize, (slot + partCount) * tagSize), done * tagSize)
        done += partCount
      }
      under.push(store.writeTagged(run[0]!.offset, data, tags))
    }
  } finally {
    await settle()
  }
}

/** Ascending, and each block once: its newest entry. */
function newestSegments(ring: SectionRing, sections: readonly MemorySection[], blockSize: number): Segment[] {
  const segments: Segment[] = []
  let end = 0
  let isAscending = true
  for (const section of sections) {
    for (let slot = 0; slot < section.count; slot++) {
      if (!ring.isWantedBelow(section, slot)) continue
      const offset = section.offsets[slot]!
      const last = segments.at(-1)
      if (offset === end && last?.section === section && last.slot + last.count === slot) last.count += 1
      else {
        isAscending &&= offset >= end
        segments.push({ offset, section, slot, count: 1 })
      }
      end = offset + blockSize
    }
  }
  return isAscending ? segments : sortedBlocks(segments, blockSize)
}

function sortedBlocks(segments: readonly Segment[], blockSize: number): Segment[] {
  const blocks = segments.flatMap(({ offset, section, slot, count }) =>
    Array.from({ length: count }, (_, index) => ({
      ...{ offset: offset + index * blockSize, section, slot: slot + index, count: 1 },
    })),
  )
  // Stable: of several entries of a block the newest is the last.
  blocks.sort((left, right) => left.offset - right.offset)
  return blocks.filter(({ offset }, index) => blocks[index + 1]?.offset !== offset)
}

/** What goes out in one write: segments that follow each other, cut where one write has enough. */
function* runsOf(segments: readonly Segment[], blockSize: number): Generator<Segment[]> {
  const countMax = PIECE_SIZE / blockSize
  let run: Segment[] = []
  let runCount = 0
  let end = 0
  for (const { offset, section, slot, count } of segments) {
    for (let done = 0; done < count; ) {
      const at = offset + done * blockSize
      if (runCount > 0 && (runCount === countMax || at !== end)) {
        yield run
        run = []
        runCount = 0
      }
      const taken = Math.min(count - done, countMax - runCount)
      run.push({ offset: at, section, slot: slot + done, count: taken })
      runCount += taken
      done += taken
      end = at + taken * blockSize
    }
  }
  if (runCount > 0) yield run
}
