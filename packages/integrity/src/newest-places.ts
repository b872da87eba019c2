/** Blocks whose places are kept together. */
const PAGE_BLOCKS = 64
const NONE = -1

interface Page {
  readonly places: Float64Array
  count: number
}

/**
 * Of each block the place of its newest content, a number of its owner's; blocks are counted. Memory: 8 bytes for each of
 * the 64 blocks around one that has a place.
 */
export class NewestPlaces {
  readonly #pages = new Map<number, Page>()
  readonly #spare: Page[] = []
  #lastIndex = NONE
  #last: Page | undefined

  /** The place of a block; -1 if it has none. */
  get(block: number): number {
    return this.#page(Math.floor(block / PAGE_BLOCKS))?.places[block % PAGE_BLOCKS] ?? NONE
  }

  set(block: number, place: number): void {
    const pageIndex = Math.floor(block / PAGE_BLOCKS)
    const page = this.#page(pageIndex) ?? this.#add(pageIndex)
    const slot = block % PAGE_BLOCKS
    if (page.places[slot] === NONE) page.count += 1
    page.places[slot] = place
  }

  /** Forgets the block, if that is its place. */
  delete(block: number, place: number): void {
    const pageIndex = Math.floor(block / PAGE_BLOCKS)
    const page = this.#page(pageIndex)
    const slot = block % PAGE_BLOCKS
    if (page === undefined || page.places[slot] !== place) return
    page.places[slot] = NONE
    page.count -= 1
    if (page.count > 0) return
    this.#pages.delete(pageIndex)
    this.#spare.push(page)
    this.#lastIndex = NONE
    this.#last = undefined
  }

  /** Neighbours are asked for one after the other. */
  #page(pageIndex: number): Page | undefined {
    if (pageIndex !== this.#lastIndex) {
      this.#last = this.#pages.get(pageIndex)
      this.#lastIndex = pageIndex
    }
    return this.#last
  }

  #add(pageIndex: number): Page {
    const page = this.#spare.pop() ?? { places: new Float64Array(PAGE_BLOCKS).fill(NONE), count: 0 }
    this.#pages.set(pageIndex, page)
    this.#lastIndex = pageIndex
    this.#last = page
    return page
  }
}
