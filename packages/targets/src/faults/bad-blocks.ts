/** What a bad block does with writes: how many of them fail before one mends it. */
export interface BadBlockOptions {
  /** 0 to 255; 0 if not given. */
  readonly writeFailCount?: number | undefined
}

const WRITE_FAIL_COUNT_MAX = 255

/**
 * The bad blocks of a dust target: blocks of its lower device, counted from the start of that, in its own block size.
 * They do harm only while reads fail (`enable`).
 */
export class BadBlocks {
  /** How many writes each still fails. */
  readonly #blocks = new Map<number, number>()
  readonly #lastBlock: number
  #isFailing = false
  #isQuiet = false

  /** `lastBlock` is the highest number that a block may have. */
  constructor(lastBlock: number) {
    this.#lastBlock = lastBlock
  }

  /** Reads of bad blocks fail, and writes mend them. False at first: bad blocks can be added, and are passed by. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** The kernel's log is spared. There is none here: it shows in the status only. */
  get isQuiet(): boolean {
    return this.#isQuiet
  }

  get count(): number {
    return this.#blocks.size
  }

  /** @throws RangeError if the block is beyond the device or bad already. */
  add(block: number, { writeFailCount = 0 }: BadBlockOptions = {}): void {
    this.#check(block)
    if (!Number.isInteger(writeFailCount) || writeFailCount < 0 || writeFailCount > WRITE_FAIL_COUNT_MAX) {
      throw new RangeError(`dust: writeFailCount: expected 0 to ${WRITE_FAIL_COUNT_MAX}, got ${writeFailCount}`)
    }
    if (this.#blocks.has(block)) throw new RangeError(`dust: block ${block} is bad already`)
    this.#blocks.set(block, writeFailCount)
  }

  /** @throws RangeError if the block is beyond the device or not bad. */
  remove(block: number): void {
    this.#check(block)
    if (!this.#blocks.delete(block)) throw new RangeError(`dust: block ${block} is not bad`)
  }

  /** @throws RangeError if the block is beyond the device. */
  has(block: number): boolean {
    this.#check(block)
    return this.#blocks.has(block)
  }

  /** Ascending. */
  list(): number[] {
    return [...this.#blocks.keys()].sort((left, right) => left - right)
  }

  clear(): void {
    this.#blocks.clear()
  }

  enable(): void {
    this.#isFailing = true
  }

  disable(): void {
    this.#isFailing = false
  }

  /** Turns `isQuiet` over. */
  quiet(): void {
    this.#isQuiet = !this.#isQuiet
  }

  /** Whether a read of the block fails. */
  failsRead(block: number): boolean {
    return this.#isFailing && this.#blocks.has(block)
  }

  /** A write comes to the block: it fails, and counts as one of those that do, or mends the block. Whether it fails. */
  takeWrite(block: number): boolean {
    const rest = this.#blocks.get(block)
    if (!this.#isFailing || rest === undefined) return false
    if (rest === 0) this.#blocks.delete(block)
    else this.#blocks.set(block, rest - 1)
    return rest > 0
  }

  #check(block: number): void {
    if (Number.isSafeInteger(block) && block >= 0 && block <= this.#lastBlock) return
    throw new RangeError(`dust: block: expected 0 to ${this.#lastBlock}, got ${block}`)
  }
}
