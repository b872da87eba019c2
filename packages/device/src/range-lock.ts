/** Bytes from `offset`, `length` long. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

interface Entry {
  readonly ranges: readonly ByteRange[]
  readonly exclusive: boolean
  readonly dependents: Entry[]
  blockerCount: number
  grant: () => void
}

/**
 * Orders requests on overlapping byte ranges, first come first served: shared holders run side by side, an exclusive
 * one alone. All ranges of a request are taken in one call, so two requests can never wait for each other.
 *
 * Cost: each acquisition looks at every request that holds or waits.
 */
export class RangeLock {
  readonly #entries = new Set<Entry>()

  /** Takes the ranges now, if no earlier request that overlaps holds or waits; `undefined` if one does. */
  tryAcquire(ranges: readonly ByteRange[], mode: "shared" | "exclusive"): (() => void) | undefined {
    if (this.#entries.size > 0 && this.#hasConflict(ranges, mode === "exclusive")) return undefined
    const entry: Entry = { ranges, exclusive: mode === "exclusive", dependents: [], blockerCount: 0, grant: nothing }
    this.#entries.add(entry)
    return () => this.#release(entry)
  }

  #hasConflict(ranges: readonly ByteRange[], exclusive: boolean): boolean {
    for (const earlier of this.#entries) {
      if ((exclusive || earlier.exclusive) && overlaps(ranges, earlier.ranges)) return true
    }
    return false
  }

  /** Resolves with the function that releases, once no earlier request that overlaps stands in the way. */
  acquire(ranges: readonly ByteRange[], mode: "shared" | "exclusive"): Promise<() => void> {
    const entry: Entry = { ranges, exclusive: mode === "exclusive", dependents: [], blockerCount: 0, grant: nothing }
    for (const earlier of this.#entries) {
      if ((entry.exclusive || earlier.exclusive) && overlaps(entry.ranges, earlier.ranges)) {
        earlier.dependents.push(entry)
        entry.blockerCount += 1
      }
    }
    this.#entries.add(entry)
    const release = () => this.#release(entry)
    if (entry.blockerCount === 0) return Promise.resolve(release)
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

  #release(entry: Entry): void {
    if (!this.#entries.delete(entry)) return
    for (const dependent of entry.dependents) {
      dependent.blockerCount -= 1
      if (dependent.blockerCount === 0) dependent.grant()
    }
  }
}

function overlaps(left: readonly ByteRange[], right: readonly ByteRange[]): boolean {
  return left.some((a) => right.some((b) => a.offset < b.offset + b.length && b.offset < a.offset + a.length))
}

function nothing(): void {}
