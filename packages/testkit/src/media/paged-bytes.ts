import type { BlockStatus } from "@blockstrata/device"

const PAGE_SIZE = 4096

/**
 * Bytes of any extent that take memory only where they were written, and that can be forked: a fork costs one entry for
 * each page of 4 KiB, and each side copies a page when it first writes to it.
 */
export class PagedBytes {
  #pages: Map<number, Uint8Array>
  /** The pages that no fork shares. */
  #owned: Set<number>

  constructor(pages: Map<number, Uint8Array> = new Map()) {
    this.#pages = pages
    this.#owned = new Set()
  }

  /** The same bytes; from now on each side changes alone. */
  fork(): PagedBytes {
    this.#owned.clear()
    return new PagedBytes(new Map(this.#pages))
  }

  read(offset: number, buffer: Uint8Array): void {
    for (let done = 0; done < buffer.length; ) {
      const { index, start, count } = pageAt(offset + done, buffer.length - done)
      const page = this.#pages.get(index)
      if (page === undefined) buffer.fill(0, done, done + count)
      else if (count === PAGE_SIZE) buffer.set(page, done)
      else buffer.set(page.subarray(start, start + count), done)
      done += count
    }
  }

  write(offset: number, data: Uint8Array): void {
    for (let done = 0; done < data.length; ) {
      const { index, start, count } = pageAt(offset + done, data.length - done)
      this.#page(index).set(data.subarray(done, done + count), start)
      done += count
    }
  }

  clear(offset: number, length: number): void {
    if (length > this.#pages.size * PAGE_SIZE) return this.#clearFar(offset, length)
    for (let done = 0; done < length; ) {
      const { index, start, count } = pageAt(offset + done, length - done)
      if (this.#pages.has(index)) this.#page(index).fill(0, start, start + count)
      done += count
    }
  }

  /** Where something was written, and may not be zero: runs of pages, ascending. */
  pageOffsets(): number[] {
    return [...this.#pages.keys()].map((index) => index * PAGE_SIZE).sort((a, b) => a - b)
  }

  /** What each block of a range is: where nothing was ever written, where there are only zeroes, and the rest. */
  status(offset: number, length: number, blockSize: number): BlockStatus[] {
    const ranges: BlockStatus[] = []
    const append = (start: number, end: number, kind: BlockStatus["kind"]): void => {
      const last = ranges.at(-1)
      if (last?.kind === kind) ranges[ranges.length - 1] = { ...last, length: end - last.offset }
      else if (end > start) ranges.push({ offset: start, length: end - start, kind })
    }
    const block = new Uint8Array(blockSize)
    let done = offset
    for (const page of this.pageOffsets()) {
      // Blocks larger than a page are looked at once, those smaller once each.
      const from = Math.max(done, Math.floor(page / blockSize) * blockSize)
      const to = Math.min(offset + length, Math.ceil((page + PAGE_SIZE) / blockSize) * blockSize)
      if (from >= to) continue
      append(done, from, "hole")
      for (done = from; done < to; done += blockSize) {
        this.read(done, block)
        append(done, done + blockSize, block.every((byte) => byte === 0) ? "zero" : "allocated")
      }
    }
    append(done, offset + length, "hole")
    return ranges
  }

  /** The pages that may differ from those of `other`, ascending: all but those that a fork left shared. */
  changedPageOffsets(other: PagedBytes): number[] {
    const indices = new Set([...this.#pages.keys(), ...other.#pages.keys()])
    return [...indices]
      .filter((index) => this.#pages.get(index) !== other.#pages.get(index))
      .map((index) => index * PAGE_SIZE)
      .sort((a, b) => a - b)
  }

  /** The cost is that of what was written, not of the range. */
  #clearFar(offset: number, length: number): void {
    for (const start of this.pageOffsets()) {
      const from = Math.max(start, offset)
      const to = Math.min(start + PAGE_SIZE, offset + length)
      if (from < to) this.#page(start / PAGE_SIZE).fill(0, from - start, to - start)
    }
  }

  #page(index: number): Uint8Array {
    const page = this.#pages.get(index)
    if (page !== undefined && this.#owned.has(index)) return page
    const own = page === undefined ? new Uint8Array(PAGE_SIZE) : new Uint8Array(page)
    this.#pages.set(index, own)
    this.#owned.add(index)
    return own
  }
}

/** The page that holds a byte, the place in it, and how many of `length` bytes lie there. */
function pageAt(offset: number, length: number): { index: number; start: number; count: number } {
  const index = Math.floor(offset / PAGE_SIZE)
  const start = offset - index * PAGE_SIZE
  return { index, start, count: Math.min(length, PAGE_SIZE - start) }
}
