import { nextSequence } from "./commit-id.ts"
import { type SectionContent, type SectionShape, sectionEntryCount } from "./journal-section.ts"
import { NewestPlaces } from "./newest-places.ts"

/** A section in memory, with the blocks as they are: nothing is displaced yet. */
export interface MemorySection extends SectionContent {
  /** Counts all sections ever filled: a larger one is newer. */
  readonly serial: number
  readonly sectionIndex: number
  readonly sequence: number
  /** Entries; slots from there on are unused. */
  count: number
}

/** Blocks to be written, one after the other, and their tags. */
export interface TaggedBlocks {
  readonly offset: number
  readonly data: Uint8Array
  readonly tags: Uint8Array
}

export interface SectionRingOptions {
  readonly shape: SectionShape
  /** Sections that may be in memory. */
  readonly capacity: number
  readonly startSection: number
  readonly sequence: number
}

/**
 * The sections that hold something not yet written back, oldest first: committed ones, then full ones, then the one that is
 * being filled. The journal is filled in a circle; a section is filled again only after it was released.
 */
export class SectionRing {
  readonly #shape: SectionShape
  readonly #entryCount: number
  readonly #capacity: number
  /** Of each block the place of its newest content: serial * entries of a section + slot. */
  readonly #newest = new NewestPlaces()
  readonly #spare: MemorySection[] = []
  #sections: MemorySection[] = []
  #committedCount = 0
  #isFilling = false
  #serial = 0
  #head: number
  #sequence: number

  constructor({ shape, capacity, startSection, sequence }: SectionRingOptions) {
    this.#shape = shape
    this.#entryCount = sectionEntryCount(shape)
    this.#capacity = capacity
    this.#head = startSection
    this.#sequence = sequence
  }

  get usedCount(): number {
    return this.#sections.length
  }

  /** Where the next section goes, and its sequence. */
  get head(): { readonly sectionIndex: number; readonly sequence: number } {
    return { sectionIndex: this.#head, sequence: this.#sequence }
  }

  get hasUncommitted(): boolean {
    return this.#committedCount < this.#sections.length
  }

  /** Takes as many blocks as there is room for; says how many. */
  append({ offset, data, tags }: TaggedBlocks): number {
    const { blockSize, tagSize } = this.#shape
    const total = data.length / blockSize
    let done = 0
    while (done < total) {
      const section = this.#fillable()
      if (section === undefined) break
      const count = Math.min(total - done, this.#entryCount - section.count)
      section.data.set(data.subarray(done * blockSize, (done + count) * blockSize), section.count * blockSize)
      section.tags.set(tags.subarray(done * tagSize, (done + count) * tagSize), section.count * tagSize)
      const place = section.serial * this.#entryCount + section.count
      for (let index = 0; index < count; index++) {
        const at = offset + (done + index) * blockSize
        section.offsets[section.count + index] = at
        this.#newest.set(at / blockSize, place + index)
      }
      section.count += count
      done += count
      if (section.count === this.#entryCount) this.#isFilling = false
    }
    return done
  }

  /** Ends the section that is being filled, and gives all that are not committed. */
  uncommitted(): readonly MemorySection[] {
    this.#isFilling = false
    return this.#sections.slice(this.#committedCount)
  }

  /** The oldest `count` uncommitted ones are. */
  commit(count: number): void {
    this.#committedCount += count
  }

  committed(): readonly MemorySection[] {
    return this.#sections.slice(0, this.#committedCount)
  }

  /** The oldest `count` sections, all committed, are written back for good: they may be filled again. */
  release(count: number): void {
    for (const section of this.#sections.slice(0, count)) {
      for (let slot = 0; slot < section.count; slot++) {
        const block = section.offsets[slot]! / this.#shape.blockSize
        this.#newest.delete(block, section.serial * this.#entryCount + slot)
      }
      this.#spare.push(section)
    }
    this.#sections = this.#sections.slice(count)
    this.#committedCount -= count
  }

  has(offset: number): boolean {
    return this.#newest.get(offset / this.#shape.blockSize) >= 0
  }

  /** Fills `data`, of blocks all of which are here, and their tags. */
  read(offset: number, data: Uint8Array, tags: Uint8Array | undefined): void {
    const { blockSize, tagSize } = this.#shape
    for (let at = 0; at < data.length; at += blockSize) {
      const { section, slot } = this.#place(this.#newest.get((offset + at) / blockSize))
      data.set(section.data.subarray(slot * blockSize, (slot + 1) * blockSize), at)
      tags?.set(section.tags.subarray(slot * tagSize, (slot + 1) * tagSize), (at / blockSize) * tagSize)
    }
  }

  /**
   * Whether an entry of a committed section has to be written back. Not if a newer committed one has the same block; one that
   * only an uncommitted one has too does, for that one may never be committed, and this section is about to be given up.
   * Of several such ones of one block the last counts.
   */
  isWantedBelow(section: MemorySection, slot: number): boolean {
    const newest = this.#newest.get(section.offsets[slot]! / this.#shape.blockSize)
    if (newest < 0) return false
    const firstUncommitted = this.#sections[this.#committedCount]?.serial ?? this.#serial
    return (
      newest === section.serial * this.#entryCount + slot || Math.floor(newest / this.#entryCount) >= firstUncommitted
    )
  }

  #place(place: number): { readonly section: MemorySection; readonly slot: number } {
    const serial = Math.floor(place / this.#entryCount)
    const section = this.#sections[serial - (this.#sections[0]?.serial ?? 0)]
    if (section === undefined) throw new RangeError("integrity: not a block of the journal")
    return { section, slot: place % this.#entryCount }
  }

  #fillable(): MemorySection | undefined {
    if (this.#isFilling) return this.#sections.at(-1)
    const { sectionCount } = this.#shape.journal
    if (this.#sections.length >= Math.min(this.#capacity, sectionCount)) return undefined
    const { blockSize, tagSize } = this.#shape
    const spare = this.#spare.pop()
    const section: MemorySection = {
      serial: this.#serial++,
      sectionIndex: this.#head,
      sequence: this.#sequence,
      count: 0,
      offsets: spare?.offsets ?? new Float64Array(this.#entryCount),
      data: spare?.data ?? new Uint8Array(this.#entryCount * blockSize),
      tags: spare?.tags ?? new Uint8Array(this.#entryCount * tagSize),
    }
    this.#sections.push(section)
    this.#isFilling = true
    this.#head = (this.#head + 1) % sectionCount
    if (this.#head === 0) this.#sequence = nextSequence(this.#sequence)
    return section
  }
}
