import { takeEntry } from "./journal-section.ts"
import type { OverlayBlocks } from "./overlay-store.ts"
import { checkUnchanged, type ReplayOptions, type ReplayPlan } from "./replay-plan.ts"

/** Sections that stay in memory: some 200 KiB each at the most. */
const KEPT_COUNT = 8

/** The blocks that a replay would write, read from the journal where they stand and verified once more. */
export function replayedBlocks(plan: ReplayPlan, options: ReplayOptions): OverlayBlocks {
  const { area } = options
  const { blockSize, tagSize } = area.shape
  const kept = new Map<number, Promise<Uint8Array>>()

  async function load(sectionIndex: number): Promise<Uint8Array> {
    const section = new Uint8Array(area.sectionBytes)
    await area.read(sectionIndex, section)
    checkUnchanged(plan, options, section, sectionIndex)
    return section
  }

  function sectionAt(sectionIndex: number): Promise<Uint8Array> {
    const section = kept.get(sectionIndex) ?? load(sectionIndex)
    kept.delete(sectionIndex)
    kept.set(sectionIndex, section)
    for (const oldest of kept.keys()) if (kept.size > KEPT_COUNT) kept.delete(oldest)
    // A failure is not kept: the next reader asks again.
    section.catch(() => kept.delete(sectionIndex))
    return section
  }

  return {
    has: (offset) => plan.find(offset) !== undefined,
    async read(offset, data, tags) {
      const tag = new Uint8Array(tagSize)
      for (let at = 0; at < data.length; at += blockSize) {
        const place = plan.find(offset + at)
        if (place === undefined) throw new RangeError(`no block at ${offset + at} in the journal`)
        const section = await sectionAt(place.sectionIndex)
        takeEntry(section, area.shape, place.slot, { data: data.subarray(at, at + blockSize), tag })
        tags?.set(tag, (at / blockSize) * tagSize)
      }
    },
  }
}
