import { type BlockDevice, RangeLock, settleAll } from "@blockstrata/device"
import type { AreaRun } from "./layout.ts"

/** Reads and writes of the tags that belong to the runs of a request, one after the other in one buffer. */
export interface TagArea {
  /** Fills `tags` with the tags of all runs. */
  read(runs: readonly AreaRun[], tags: Uint8Array): Promise<void>
  /** Stores the tags of all runs and leaves every other byte as it is, neighbours in the same block below included. */
  write(runs: readonly AreaRun[], tags: Uint8Array): Promise<void>
}

/** The whole blocks below that hold the tags of one run. */
interface TagSpan {
  readonly offset: number
  readonly length: number
  /** Where in the span the tags start. */
  readonly tagStart: number
  readonly tagLength: number
  /** Where in the request's tags they stand. */
  readonly at: number
}

/**
 * The tags on `lower`. A block below holds the tags of many blocks, so a write reads its first and last one before; a
 * lock of its own keeps two writes from putting back each other's old tags. Reads need none: what they look at is held
 * still by the device's own order, and a block below is read old or new, never mixed.
 */
export function tagArea(lower: BlockDevice): TagArea {
  const lock = new RangeLock()
  const unit = lower.blockSize

  function spansOf(runs: readonly AreaRun[]): TagSpan[] {
    let at = 0
    return runs.map(({ tagOffset, tagLength }) => {
      const offset = Math.floor(tagOffset / unit) * unit
      const length = Math.ceil((tagOffset + tagLength) / unit) * unit - offset
      const span = { offset, length, tagStart: tagOffset - offset, tagLength, at }
      at += tagLength
      return span
    })
  }

  const isWhole = (span: TagSpan) => span.length === span.tagLength
  const tagsOf = (span: TagSpan, tags: Uint8Array) => tags.subarray(span.at, span.at + span.tagLength)

  async function readSpan(span: TagSpan, tags: Uint8Array): Promise<void> {
    if (isWhole(span)) return await lower.read(span.offset, tagsOf(span, tags))
    const bytes = new Uint8Array(span.length)
    await lower.read(span.offset, bytes)
    tags.set(bytes.subarray(span.tagStart, span.tagStart + span.tagLength), span.at)
  }

  async function writeSpan(span: TagSpan, tags: Uint8Array): Promise<void> {
    if (isWhole(span)) return await lower.write(span.offset, tagsOf(span, tags))
    const bytes = new Uint8Array(span.length)
    const edges = new Set<number>()
    if (span.tagStart > 0) edges.add(0)
    if (span.tagStart + span.tagLength < span.length) edges.add(span.length - unit)
    await settleAll([...edges].map((edge) => lower.read(span.offset + edge, bytes.subarray(edge, edge + unit))))
    bytes.set(tagsOf(span, tags), span.tagStart)
    await lower.write(span.offset, bytes)
  }

  return {
    async read(runs, tags) {
      await settleAll(spansOf(runs).map((span) => readSpan(span, tags)))
    },
    async write(runs, tags) {
      const spans = spansOf(runs)
      await lock.hold(spans, "exclusive", () => settleAll(spans.map((span) => writeSpan(span, tags))))
    },
  }
}
