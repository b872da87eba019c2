import type { BadRange, ByteRange } from "@blockstrata/device"

/** Grows each run to whole blocks and joins those that then touch; the error is that of the first. Ascending in, ascending out. */
export function wholeBlockRuns(runs: readonly BadRange[], blockSize: number): BadRange[] {
  const whole: BadRange[] = []
  for (const { offset, length, error } of runs) {
    const start = offset - (offset % blockSize)
    const end = Math.ceil((offset + length) / blockSize) * blockSize
    const last = whole.at(-1)
    if (last === undefined || last.offset + last.length < start)
      whole.push({ offset: start, length: end - start, error })
    else whole[whole.length - 1] = { ...last, length: Math.max(last.offset + last.length, end) - last.offset }
  }
  return whole
}

/** What is left of a range without `holes`, which ascend. */
export function runsBetween({ offset, length }: ByteRange, holes: readonly ByteRange[]): ByteRange[] {
  const runs: ByteRange[] = []
  let start = offset
  for (const hole of holes) {
    if (hole.offset > start) runs.push({ offset: start, length: Math.min(hole.offset, offset + length) - start })
    start = Math.max(start, hole.offset + hole.length)
    if (start >= offset + length) return runs
  }
  runs.push({ offset: start, length: offset + length - start })
  return runs
}
