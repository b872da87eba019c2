import type { ByteRange } from "@blockstrata/device"
import { runsBetween } from "./byte-runs.ts"

/** Beyond this many, the two that lie closest together become one. */
const RANGE_COUNT_MAX = 64

/**
 * Where the legs of a mirror may differ: ranges of changes that were rejected. Each leg holds the old block or the new one,
 * and may answer; but two may not, or a block that was read as new would be read as old later.
 */
export class DoubtfulRanges {
  #ranges: ByteRange[] = []

  add(range: ByteRange): void {
    this.remove(range)
    this.#ranges = [...this.#ranges, range].sort((left, right) => left.offset - right.offset)
    if (this.#ranges.length > RANGE_COUNT_MAX) this.#joinClosest()
  }

  remove(range: ByteRange): void {
    if (this.#ranges.length > 0) this.#ranges = this.#ranges.flatMap((each) => runsBetween(each, within(each, [range])))
  }

  /** The parts of `range` that are in doubt, ascending. */
  within(range: ByteRange): ByteRange[] {
    return within(range, this.#ranges)
  }

  #joinClosest(): void {
    const gapAfter = (index: number) => {
      const [left, right] = [this.#ranges[index], this.#ranges[index + 1]]
      return left && right ? right.offset - left.offset - left.length : Number.POSITIVE_INFINITY
    }
    const closest = this.#ranges.reduce((best, _, index) => (gapAfter(index) < gapAfter(best) ? index : best), 0)
    const [left, right] = this.#ranges.slice(closest, closest + 2) as [ByteRange, ByteRange]
    this.#ranges.splice(closest, 2, { offset: left.offset, length: right.offset + right.length - left.offset })
  }
}

function within({ offset, length }: ByteRange, ranges: readonly ByteRange[]): ByteRange[] {
  return ranges.flatMap((range) => {
    const start = Math.max(offset, range.offset)
    const end = Math.min(offset + length, range.offset + range.length)
    return start < end ? [{ offset: start, length: end - start }] : []
  })
}
