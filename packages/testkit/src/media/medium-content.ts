import type { MediumEvent } from "./medium-event.ts"
import { PagedBytes } from "./paged-bytes.ts"

/** The shape of a medium. */
export interface MediumShape {
  /** Bytes; sparse, so that a great one costs no more than what is written. */
  readonly size: number
  /** Bytes; 512 if not given. */
  readonly blockSize?: number | undefined
  /** Bytes of tag per block; 0 if not given. */
  readonly tagSize?: number | undefined
}

const SECTOR_SIZE = 512

/** A shape with nothing left open. */
export interface MediumGeometry {
  readonly size: number
  readonly blockSize: number
  readonly tagSize: number
}

/** The bytes of a medium, and how a change alters them. */
export class MediumContent {
  readonly data: PagedBytes
  readonly tags: PagedBytes
  readonly blockSize: number
  readonly tagSize: number

  constructor(
    shape: Omit<MediumGeometry, "size">,
    data: PagedBytes = new PagedBytes(),
    tags: PagedBytes = new PagedBytes(),
  ) {
    this.blockSize = shape.blockSize
    this.tagSize = shape.tagSize
    this.data = data
    this.tags = tags
  }

  /** Bytes that no crash tears: a block where a tag travels with it, else a sector. */
  get unit(): number {
    return this.tagSize > 0 ? this.blockSize : SECTOR_SIZE
  }

  fork(): MediumContent {
    const { blockSize, tagSize } = this
    return new MediumContent({ blockSize, tagSize }, this.data.fork(), this.tags.fork())
  }

  /** Bytes into the tag area of the block at `offset`. */
  tagOffset(offset: number): number {
    return (offset / this.blockSize) * this.tagSize
  }

  /** The part `from` ... `to` of a change, bytes relative to its start, in whole units. */
  apply({ kind, offset, data, tags }: MediumEvent, from: number, to: number): void {
    if (kind === "write" && data !== undefined) this.data.write(offset + from, data.subarray(from, to))
    else this.data.clear(offset + from, to - from)
    if (tags === undefined) return
    this.tags.write(this.tagOffset(offset + from), tags.subarray(this.tagOffset(from), this.tagOffset(to)))
  }
}
