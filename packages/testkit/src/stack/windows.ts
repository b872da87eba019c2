import type { BlockDevice } from "@blockstrata/device"

/** A run of blocks that a test looks at. */
interface Window {
  readonly offset: number
  readonly blockCount: number
}

/** Up to so many blocks a device is looked at as a whole. */
const WHOLE_BLOCK_COUNT = 256
/** Blocks of a window in a device that is larger. */
const WINDOW_BLOCK_COUNT = 16
/** Where arithmetic of fewer bits goes wrong: bytes, and sectors. */
const BOUNDARIES = [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 41]

/**
 * The blocks of a device that a test looks at, numbered as if they were all: the whole of a small one; of a large one its
 * ends, its middle, and both sides of what overflows.
 */
export class Windows {
  readonly blockSize: number
  readonly blockCount: number
  readonly #windows: readonly Window[]

  constructor({ size, blockSize }: BlockDevice) {
    this.blockSize = blockSize
    this.#windows = windowsOf(size, blockSize)
    this.blockCount = this.#windows.reduce((sum, window) => sum + window.blockCount, 0)
  }

  /** Bytes: where block `index` stands. */
  offsetOf(index: number): number {
    let rest = index
    for (const { offset, blockCount } of this.#windows) {
      if (rest < blockCount) return offset + rest * this.blockSize
      rest -= blockCount
    }
    throw new RangeError(`block ${index} of ${this.blockCount}`)
  }

  /** A run as near as can be to what was asked for: `at` modulo all blocks, from the end if negative; no longer than its window. */
  run(at: number, count: number): { index: number; count: number } {
    const index = ((at % this.blockCount) + this.blockCount) % this.blockCount
    let rest = index
    for (const { blockCount } of this.#windows) {
      if (rest < blockCount) return { index, count: Math.max(1, Math.min(count, blockCount - rest)) }
      rest -= blockCount
    }
    return { index, count: 1 }
  }

  /** Each window as one run. */
  runs(): { index: number; count: number }[] {
    let index = 0
    return this.#windows.map(({ blockCount }) => {
      const run = { index, count: blockCount }
      index += blockCount
      return run
    })
  }
}

function windowsOf(size: number, blockSize: number): Window[] {
  if (size / blockSize <= WHOLE_BLOCK_COUNT) return [{ offset: 0, blockCount: size / blockSize }]
  const length = WINDOW_BLOCK_COUNT * blockSize
  const aligned = (offset: number) => Math.floor(offset / blockSize) * blockSize
  const starts = [
    0,
    // The end comes early: a counterexample with small numbers is easier to read.
    size - length,
    aligned(size / 2),
    ...BOUNDARIES.map((boundary) => aligned(boundary) - length / 2),
  ]
  const windows: Window[] = []
  for (const offset of starts) {
    const isInside = offset >= 0 && offset + length <= size
    const isFree = windows.every((window) => offset + length <= window.offset || window.offset + length <= offset)
    if (isInside && isFree) windows.push({ offset, blockCount: WINDOW_BLOCK_COUNT })
  }
  return windows
}
