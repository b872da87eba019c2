import { settleAll } from "@blockstrata/device"
import { type BlockStore, PIECE_SIZE } from "./block-store.ts"
import type { SectionShape } from "./journal-section.ts"
import type { MemorySection, SectionRing, TaggedBlocks } from "./section-ring.ts"

interface Entry {
  readonly offset: number
  readonly section: MemorySection
  readonly slot: number
}

/** Bytes of data that are under way at a time. */
const WINDOW_BYTES = 2 * PIECE_SIZE

/** Memory for one window, used again and again: what is written belongs to the devices below until it has settled. */
class Window {
  readonly #data = new Uint8Array(WINDOW_BYTES)
  readonly #tags: Uint8Array
  #usedBytes = 0
  #tagBytes = 0

  constructor({ blockSize, tagSize }: SectionShape) {
    this.#tags = new Uint8Array((WINDOW_BYTES / blockSize) * tagSize)
  }

  hasRoom(dataBytes: number): boolean {
    return this.#usedBytes + dataBytes <= WINDOW_BYTES
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
): Promise<void> {
  const { blockSize, tagSize } = shape
  const entries = newestEntries(ring, sections)
  const window = new Window(shape)
  let under: Promise<void>[] = []
  const settle = async () => {
    const requests = under
    under = []
    await settleAll(requests)
    window.clear()
  }
  try {
    for (let start = 0; start < entries.length; ) {
      const count = runLength(entries, start, blockSize)
      if (!window.hasRoom(count * blockSize)) await settle()
      const { data, tags } = window.take(count * blockSize, count * tagSize)
      gather(entries, start, count, shape, { data, tags })
      under.push(store.writeTagged(entries[start]!.offset, data, tags))
      start += count
    }
  } finally {
    await settle()
  }
}

/** Ascending; of each block the newest entry. */
function newestEntries(ring: SectionRing, sections: readonly MemorySection[]): Entry[] {
  const entries: Entry[] = []
  let isAscending = true
  for (const section of sections) {
    for (let slot = 0; slot < section.count; slot++) {
      if (!ring.isWantedBelow(section, slot)) continue
      const offset = section.offsets[slot]!
      isAscending &&= (entries.at(-1)?.offset ?? -1) < offset
      entries.push({ offset, section, slot })
    }
  }
  if (isAscending) return entries
  // Stable: of several entries of a block the newest is the last.
  entries.sort((left, right) => left.offset - right.offset)
  return entries.filter(({ offset }, index) => entries[index + 1]?.offset !== offset)
}

/** Entries from `start` on whose blocks follow each other, as many as one write takes. */
function runLength(entries: readonly Entry[], start: number, blockSize: number): number {
  const countMax = PIECE_SIZE / blockSize
  const { offset } = entries[start]!
  let count = 1
  while (count < countMax && entries[start + count]?.offset === offset + count * blockSize) count++
  return count
}

/** Copies the blocks of a run and their tags; those that are neighbours in memory, too, at once. */
function gather(
  entries: readonly Entry[],
  start: number,
  count: number,
  { blockSize, tagSize }: SectionShape,
  { data, tags }: Pick<TaggedBlocks, "data" | "tags">,
): void {
  for (let done = 0; done < count; ) {
    const { section, slot } = entries[start + done]!
    let together = 1
    while (done + together < count && isNext(entries[start + done + together]!, section, slot + together)) together++
    data.set(section.data.subarray(slot * blockSize, (slot + together) * blockSize), done * blockSize)
    tags.set(section.tags.subarray(slot * tagSize, (slot + together) * tagSize), done * tagSize)
    done += together
  }
}

function isNext(entry: Entry, section: MemorySection, slot: number): boolean {
  return entry.section === section && entry.slot === slot
}
