import { type BlockStore, PIECE_SIZE } from "./block-store.ts"
import type { JournalArea } from "./journal-area.ts"
import type { JournalRound } from "./journal-round.ts"
import { type SectionShape, sectionEntryCount, takeEntry } from "./journal-section.ts"
import { checkUnchanged, forBatches, type ReplayOptions, type ReplayPlan, type SectionBatch } from "./replay-plan.ts"

/**
 * Does what a plan says, then flushes, and only then clears the journal, if it has to be.
 *
 * A crash at any moment of it leaves a volume that is recovered as well as this one. Until the flush the journal is as it
 * was: the same plan is made again, and writes the same blocks and tags over whatever half of them stands there. After the
 * flush nothing in the journal is needed any more; what remains is that no older entry may come back without the newer ones
 * of its block. So the oldest section, where a replay begins, is cleared first, alone: from then on a replay ends before it
 * begins. The newest one is cleared last, alone: while it stands, it tells where the replay would begin. In between stand two
 * sequences that are not neighbours, which says that nothing counts.
 *
 * @param store writes blocks with the tags that it is given.
 * @throws BlockError as `planReplay`, if what is read now is not what was planned; as the devices below.
 */
export async function applyReplay(
  plan: ReplayPlan,
  options: ReplayOptions & { readonly store: BlockStore; readonly flush: () => Promise<void> },
): Promise<void> {
  const { area, store, flush } = options
  const { round } = plan
  if (!round.isEmpty) {
    await forBatches(area, round.sections, async (batch) => {
      for (const [sectionIndex, section] of batch) checkUnchanged(plan, options, section, sectionIndex)
      await writeNewest(plan, area.shape, store, batch)
    })
    await flush()
  }
  if (plan.clears) await clearJournal(area, round)
}

async function clearJournal(area: JournalArea, { startSection, eraseSequence }: JournalRound): Promise<void> {
  const { sectionCount } = area
  const clear = async (step: number, count: number) => {
    // A range may end with the journal and go on at its beginning.
    const first = (startSection + step) % sectionCount
    const head = Math.min(count, sectionCount - first)
    await area.clear(first, head, eraseSequence)
    await area.clear(0, count - head, eraseSequence)
    await area.flush()
  }
  await clear(0, 1)
  if (sectionCount > 2) await clear(1, sectionCount - 2)
  if (sectionCount > 1) await clear(sectionCount - 1, 1)
}

/** Writes the entries of a batch that are the newest of their blocks, in runs as long as they get. */
async function writeNewest(
  plan: ReplayPlan,
  shape: SectionShape,
  store: BlockStore,
  batch: SectionBatch,
): Promise<void> {
  const { blockSize, tagSize } = shape
  const blocks: { readonly offset: number; readonly section: Uint8Array; readonly slot: number }[] = []
  const entryCount = sectionEntryCount(shape)
  for (const [sectionIndex, section] of batch) {
    const places = plan.placesOf(sectionIndex)
    for (let slot = 0; slot < entryCount; slot++) {
      if (plan.isNewest(sectionIndex, slot)) blocks.push({ offset: places[slot]!, section, slot })
    }
  }
  blocks.sort((left, right) => left.offset - right.offset)
  const countMax = PIECE_SIZE / blockSize
  for (let start = 0; start < blocks.length; ) {
    const { offset } = blocks[start]!
    let count = 1
    while (count < countMax && blocks[start + count]?.offset === offset + count * blockSize) count++
    const data = new Uint8Array(count * blockSize)
    const tags = new Uint8Array(count * tagSize)
    for (let index = 0; index < count; index++) {
      const { section, slot } = blocks[start + index]!
      takeEntry(section, shape, slot, {
        data: data.subarray(index * blockSize, (index + 1) * blockSize),
        tag: tags.subarray(index * tagSize, (index + 1) * tagSize),
      })
    }
    await store.write(offset, data, tags)
    start += count
  }
}
