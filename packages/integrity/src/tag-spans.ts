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

/** Reads tags from the whole blocks below that hold them. */
export class TagReader {
  readonly #lower: BlockDevice
  /** Memory of one block that nobody uses: most requests need that much, and fresh memory costs as much as the read. */
  #spare: Uint8Array | undefined

  constructor(lower: BlockDevice) {
    this.#lower = lower
  }

  /** Fills `tags` with the tags of all runs, as they stand on the device: one request for each run. */
  read(runs: readonly TagPlace[], tags: Uint8Array): Promise<void> {
    const spans = spansOf(runs, this.#lower.blockSize)
    const [first] = spans
    // Most requests lie in one area, and small ones feel what waiting for several costs.
    if (spans.length === 1 && first !== undefined) return this.#readSpan(first, tags)
    return settleAll(spans.map((span) => this.#readSpan(span, tags)))
  }

  async #readSpan({ offset, length, tagStart, tagLength, at }: TagSpan, tags: Uint8Array): Promise<void> {
    if (length === tagLength) return await this.#lower.read(offset, tags.subarray(at, at + tagLength))
    const bytes = this.#take(length)
    await this.#lower.read(offset, bytes)
    tags.set(bytes.subarray(tagStart, tagStart + tagLength), at)
    if (length === this.#lower.blockSize) this.#spare = bytes
  }

  #take(length: number): Uint8Array {
    const spare = this.#spare
    if (spare === undefined || length !== spare.length) return new Uint8Array(length)
    this.#spare = undefined
    return spare
  }
}
