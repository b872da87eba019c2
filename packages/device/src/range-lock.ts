/** Bytes from `offset`, `length` long. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** A request that holds its ranges or waits for them. */
interface Entry {
  readonly ranges: readonly ByteRange[]
  readonly exclusive: boolean
  /** Later requests that wait for this one. */
  dependents: Entry[] | undefined
  blockerCount: number
  grant: (() => void) | undefined
  /** Its place among the entries; -1 once released. */
  index: number
}

/**
 * Orders requests on overlapping byte ranges, first come first served: shared holders run side by side, an exclusive
 * one alone. All ranges of a request are taken in one call, so two requests can never wait for each other.
 *
 * Cost: each acquisition looks at every request that holds or waits.
 */
export class RangeLock {
  readonly #entries: Entry[] = []

  /** Takes the ranges now, if no earlier request that overlaps holds or waits; `undefined` if one does. */
  tryAcquire(ranges: readonly ByteRange[], mode: "shared" | "exclusive"): (() => void) | undefined {
    const exclusive = mode === "exclusive"
    for (const earlier of this.#entries) if (isConflict(earlier, ranges, exclusive)) return undefined
    const entry = this.#add(ranges, exclusive)
    return () => this.#release(entry)
  }

  /** Resolves with the function that releases, once no earlier request that overlaps stands in the way. */
  acquire(ranges: readonly ByteRange[], mode: "shared" | "exclusive"): Promise<() => void> {
    const exclusive = mode === "exclusive"
    const blockers = this.#entries.filter((earlier) => isConflict(earlier, ranges, exclusive))
    const entry = this.#add(ranges, exclusive)
    entry.blockerCount = blockers.length
    for (const blocker of blockers) (blocker.dependents ??= []).push(entry)
    const release = () => this.#release(entry)
    if (blockers.length === 0) return Promise.resolve(release)
    return new Promise((resolve) => {
      entry.grant = () => resolve(release)
    })
  }

  /** Runs `action` while holding `ranges`; releases however it ends. */
  async hold<T>(ranges: readonly ByteRange[], mode: "shared" | "exclusive", action: () => Promise<T>): Promise<T> {
    const release = await this.acquire(ranges, mode)
    try {
      return await action()
    } finally {
      release()
    }
  }

  #add(ranges: readonly ByteRange[], exclusive: boolean): Entry {
    const index = this.#entries.length
    const entry: Entry = { ranges, exclusive, dependents: undefined, blockerCount: 0, grant: undefined, index }
    this.#entries.push(entry)
    return entry
  }

  #release(entry: Entry): void {
    if (entry.index < 0) return
    // The last entry takes the place: who waits for whom stands in the entries, not in their order.
    const last = this.#entries.pop()
    if (last !== undefined && last !== entry) {
      this.#entries[entry.index] = last
      last.index = entry.index
    }
    entry.index = -1
    for (const dependent of entry.dependents ?? []) {
      dependent.blockerCount -= 1
      if (dependent.blockerCount === 0) dependent.grant?.()
    }
  }
}

function isConflict(earlier: Entry, ranges: readonly ByteRange[], exclusive: boolean): boolean {
  return (exclusive || earlier.exclusive) && overlaps(ranges, earlier.ranges)
}

function overlaps(left: readonly ByteRange[], right: readonly ByteRange[]): boolean {
  return left.some((a) => right.some((b) => a.offset < b.offset + b.length && b.offset < a.offset + a.length))
}
