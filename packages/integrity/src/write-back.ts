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

/** Writes the blocks of committed sections to where they belong, each once, neighbours together. */
export async function writeBackSections(
  ring: SectionRing,
  sections: readonly MemorySection[],
  shape: SectionShape,
  store: BlockStore,
): Promise<void> {
  const entries = newestEntries(ring, sections)
  let under: Promise<void>[] = []
  let underBytes = 0
  try {
    for (const run of runsOf(entries, shape)) {
      under.push(store.writeTagged(run.offset, run.data, run.tags))
      underBytes += run.data.length
      if (underBytes < WINDOW_BYTES) continue
      await settleAll(under)
      under = []
      underBytes = 0
    }
  } finally {
    await settleAll(under)
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

function* runsOf(entries: readonly Entry[], { blockSize, tagSize }: SectionShape): Generator<TaggedBlocks> {
  const countMax = PIECE_SIZE / blockSize
  for (let start = 0; start < entries.length; ) {
    const { offset } = entries[start]!
    let count = 1
    while (count < countMax && entries[start + count]?.offset === offset + count * blockSize) count++
    const data = new Uint8Array(count * blockSize)
    const tags = new Uint8Array(count * tagSize)
    for (let done = 0; done < count; ) {
      const { section, slot } = entries[start + done]!
      let together = 1
      while (done + together < count && isNext(entries[start + done + together]!, section, slot + together)) together++
      data.set(section.data.subarray(slot * blockSize, (slot + together) * blockSize), done * blockSize)
      tags.set(section.tags.subarray(slot * tagSize, (slot + together) * tagSize), done * tagSize)
      done += together
    }
    yield { offset, data, tags }
    start += count
  }
}

function isNext(entry: Entry, section: MemorySection, slot: number): boolean {
  return entry.section === section && entry.slot === slot
}
