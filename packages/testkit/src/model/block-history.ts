import { type Change, contentAt, isBelow, matches } from "./change.ts"

/** What one block may hold now, and what a crash may bring back: the changes that matter, oldest first. */
export class BlockHistory {
  readonly #block: number
  #changes: Change[]
  /** Changes of which a read, with nothing else under way, has shown that they are not what the block holds. */
  #excluded: Set<Change> = new Set()

  constructor(block: number, initial: Change) {
    this.#block = block
    this.#changes = [initial]
  }

  add(change: Change): void {
    this.#changes.push(change)
  }

  /** Every change may have settled, failed or become durable since: drops those that nobody can ever see again. */
  prune(): void {
    if (this.#changes.length === 1) return
    const durable = this.#changes.filter(({ isDurable }) => isDurable)
    this.#changes = this.#changes.filter((change) => !durable.some((other) => isBelow(change, other)))
    for (const change of this.#excluded) if (!this.#changes.includes(change)) this.#excluded.delete(change)
  }

  /** What a read may find now. */
  visible(): Change[] {
    const changes = this.#changes
    return changes.filter(
      (change) =>
        !this.#excluded.has(change) && !changes.some((other) => isBelow(change, other) && !this.#excluded.has(other)),
    )
  }

  /** What may be there after a crash. */
  afterCrash(): readonly Change[] {
    return [...this.#changes]
  }

  /** A read that nothing overlapped found `actual`: from now on it finds that, or what was written since. */
  pin(actual: Uint8Array): void {
    for (const change of this.visible()) {
      if (change.settledAt === Number.POSITIVE_INFINITY) continue
      if (!matches(contentAt(change, this.#block), actual, 0, actual.length)) this.#excluded.add(change)
    }
  }

  /** After a crash: the block holds `actual`, which may be a mixture. What it was may still come back in another crash. */
  reopen(actual: Change): void {
    for (const change of this.#changes) this.#excluded.add(change)
    this.#changes.push(actual)
  }
}
