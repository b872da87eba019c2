import { type BlockDevice, settleAll } from "@blockstrata/device"
import type { AreaRun } from "./layout.ts"

/** Where tags stand: bytes of the device with the metadata. */
export type TagPlace = Pick<AreaRun, "tagOffset" | "tagLength">

/** The whole blocks below that hold the tags of one run. */
export interface TagSpan {
  readonly offset: number
  readonly length: number
  /** Where in the span the tags start. */
  readonly tagStart: number
  readonly tagLength: number
  /** Where in the request's tags they stand. */
  readonly at: number
}

/** The blocks of `unit` bytes that hold the tags of each run. */
export function spansOf(runs: readonly TagPlace[], unit: number): TagSpan[] {
  let at = 0
  return runs.map(({ tagOffset, tagLength }) => {
    const offset = Math.floor(tagOffset / unit) * unit
    const length = Math.ceil((tagOffset + tagLength) / unit) * unit - offset
    const span = { offset, length, tagStart: tagOffset - offset, tagLength, at }
    at += tagLength
    return span
  })
}

/** Fills `tags` with the tags of all runs, as they stand on the device: one request for each run. */
export async function readSpans(lower: BlockDevice, runs: readonly TagPlace[], tags: Uint8Array): Promise<void> {
  const spans = spansOf(runs, lower.blockSize)
  const [first] = spans
  // Most requests lie in one area, and small ones feel what waiting for several costs.
  if (spans.length === 1 && first !== undefined) return await readSpan(lower, first, tags)
  await settleAll(spans.map((span) => readSpan(lower, span, tags)))
}

async function readSpan(lower: BlockDevice, span: TagSpan, tags: Uint8Array): Promise<void> {
  const { offset, length, tagStart, tagLength, at } = span
  const own = tags.subarray(at, at + tagLength)
  if (length === tagLength) return await lower.read(offset, own)
  const bytes = new Uint8Array(length)
  await lower.read(offset, bytes)
  own.set(bytes.subarray(tagStart, tagStart + tagLength))
}
