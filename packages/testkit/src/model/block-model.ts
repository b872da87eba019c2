import { BlockHistory } from "./block-history.ts"
import { type BlockContent, type Change, contentAt, matches } from "./change.ts"

/** Told how a request ended. */
export interface Pending {
  settled(): void
  failed(): void
}

export interface PendingRead {
  /** What is wrong with what block `index` of the request gave; undefined if nothing is. To be asked once the read has settled. */
  problem(index: number, actual: Uint8Array): string | undefined
  /** Whether that block may be unreadable: a write to it was rejected, and the device promises nothing for such blocks. */
  mayFail(index: number): boolean
}

export interface ModelShape {
  readonly blockCount: number
  /** Bytes of content per block. */
  readonly blockSize: number
  /** Bytes: what the device states as `features.atomicSize`. */
  readonly atomicSize: number
}

/**
 * What a device may answer, by its contract: per block the changes that it may show now, and those that it may show
 * after a crash. Requests may overlap in any way.
 */
export class BlockModel {
  readonly shape: ModelShape
  readonly #histories: BlockHistory[]
  readonly #reads: Set<{ readonly seen: Set<Change>[]; readonly firstBlock: number; isAlone: boolean }> = new Set()
  #clock = 1
  #underWay: Set<Change> = new Set()

  /** `initial`: what each block holds; undefined where nobody knows. */
  constructor(shape: ModelShape, initial: (block: number) => BlockContent) {
    this.shape = shape
    this.#histories = Array.from({ length: shape.blockCount }, (_, block) => {
      const change = this.#change(block, [initial(block)])
      return new BlockHistory(block, Object.assign(change, { settledAt: this.#clock++, isDurable: true }))
    })
  }

  /** A write, writeZeroes or discard was asked for. `isFua`: durable when it settles. */
  change(firstBlock: number, contents: readonly BlockContent[], isFua: boolean): Pending {
    const change = this.#change(firstBlock, contents)
    this.#underWay.add(change)
    this.#each(change, (history) => history.add(change))
    for (const read of this.#reads) this.#show(read, change)
    const end = (hasFailed: boolean): void => {
      this.#underWay.delete(change)
      Object.assign(change, { settledAt: this.#clock++, hasFailed, isDurable: isFua && !hasFailed })
      this.#each(change, (history) => history.prune())
    }
    return { settled: () => end(false), failed: () => end(true) }
  }

  /** A flush was asked for: once it has settled, what had settled before it is durable. */
  flush(): Pending {
    const issuedAt = this.#clock++
    const settled = (): void => {
      for (const history of this.#histories) {
        for (const change of history.afterCrash()) {
          if (change.settledAt < issuedAt && !change.hasFailed) change.isDurable = true
        }
        history.prune()
      }
    }
    return { settled, failed: () => {} }
  }

  read(firstBlock: number, blockCount: number): PendingRead {
    const seen = Array.from({ length: blockCount }, (_, index) => new Set(this.#history(firstBlock + index).visible()))
    const read = { seen, firstBlock, isAlone: this.#underWay.size === 0 }
    this.#reads.add(read)
    return {
      problem: (index, actual) => {
        this.#reads.delete(read)
        const block = firstBlock + index
        const candidates = seen[index] ?? new Set()
        const isKnown = [...candidates].some((change) => matches(contentAt(change, block), actual, 0, actual.length))
        if (!isKnown) return `block ${block} holds none of the ${candidates.size} contents that it may hold`
        if (read.isAlone) this.#history(block).pin(actual)
        return undefined
      },
      mayFail: (index) => {
        this.#reads.delete(read)
        const { atomicSize, blockSize } = this.shape
        return atomicSize < blockSize && [...(seen[index] ?? [])].some(({ hasFailed }) => hasFailed)
      },
    }
  }

  /** What the contract permits after a crash now. Later calls do not change it. */
  expectation(): CrashExpectation {
    const candidates = this.#histories.map((history) =>
      history.afterCrash().map((change) => ({ change, isDurable: change.isDurable })),
    )
    return new CrashExpectation(this.shape, candidates)
  }

  /** The stack was opened again after a crash and holds `actual`; undefined where a block is unreadable. */
  reopened(actual: (block: number) => Uint8Array | undefined): void {
    for (const change of this.#underWay) Object.assign(change, { settledAt: this.#clock++, hasFailed: true })
    this.#underWay = new Set()
    this.#reads.clear()
    for (const [block, history] of this.#histories.entries()) {
      // A discarded block is whatever it is each time: what it was now says nothing of the next read.
      const isDiscarded = history.afterCrash().some((change) => contentAt(change, block) === "anything")
      const content = actual(block)
      const change = this.#change(block, [isDiscarded ? "anything" : (content ?? "anything")])
      // An unreadable block stays one until it is written: as after a rejected write.
      history.reopen(Object.assign(change, { settledAt: this.#clock++, hasFailed: content === undefined }))
    }
  }

  #change(firstBlock: number, contents: readonly BlockContent[]): Change {
    return {
      contents,
      firstBlock,
      issuedAt: this.#clock++,
      settledAt: Number.POSITIVE_INFINITY,
      hasFailed: false,
      isDurable: false,
    }
  }

  #history(block: number): BlockHistory {
    return this.#histories[block] as BlockHistory
  }

  #each({ firstBlock, contents }: Change, visit: (history: BlockHistory) => void): void {
    for (let index = 0; index < contents.length; index++) visit(this.#history(firstBlock + index))
  }

  /** A change that is issued during a read may be what the read finds. */
  #show(read: { readonly seen: Set<Change>[]; readonly firstBlock: number; isAlone: boolean }, change: Change): void {
    read.isAlone = false
    for (let index = 0; index < change.contents.length; index++) {
      read.seen[change.firstBlock + index - read.firstBlock]?.add(change)
    }
  }
}

interface CrashCandidate {
  readonly change: Change
  readonly isDurable: boolean
}

/** What a device may hold when it is opened after a crash. */
export class CrashExpectation {
  readonly #shape: ModelShape
  readonly #candidates: readonly (readonly CrashCandidate[])[]
  #unsettledRuns: readonly BlockRun[] | undefined

  constructor(shape: ModelShape, candidates: readonly (readonly CrashCandidate[])[]) {
    this.#shape = shape
    this.#candidates = candidates
  }

  /** Runs of blocks of which a crash may leave more than one content, ascending; every other block is as it was flushed. */
  unsettledRuns(): readonly BlockRun[] {
    this.#unsettledRuns ??= runsOf(this.#candidates.map((candidates) => !isSettled(candidates)))
    return this.#unsettledRuns
  }

  /** Whether the block may hold just this, not torn: what it was, or what a change that may have arrived made of it. */
  isWhole(block: number, actual: Uint8Array): boolean {
    const candidates = this.#candidates[block] ?? []
    return candidates.some(({ change }) => matches(contentAt(change, block), actual, 0, actual.length))
  }

  /** What is wrong with `actual` in this block, undefined if nothing is. `actual` undefined: the block was unreadable. */
  problem(block: number, actual: Uint8Array | undefined): string | undefined {
    const { atomicSize, blockSize } = this.#shape
    const candidates = this.#candidates[block] ?? []
    const isFlushed = isSettled(candidates)
    if (actual === undefined) {
      const isPermitted = atomicSize < blockSize && !isFlushed
      return isPermitted ? undefined : `block ${block} is unreadable`
    }
    if (atomicSize === 0 && !isFlushed) return undefined
    const unit = atomicSize === 0 ? blockSize : Math.min(atomicSize, blockSize)
    for (let from = 0; from < actual.length; from += unit) {
      const isKnown = candidates.some(({ change }) =>
        matches(contentAt(change, block), actual, from, Math.min(from + unit, actual.length)),
      )
      if (isKnown) continue
      const what = isFlushed ? "is not what was flushed" : `is none of the ${candidates.length} that a crash may leave`
      return `block ${block}: what stands in its bytes from ${from} ${what}`
    }
    return undefined
  }
}

/** Blocks that follow each other. */
export interface BlockRun {
  readonly firstBlock: number
  readonly blockCount: number
}

/** A crash can leave one content only. */
function isSettled(candidates: readonly CrashCandidate[]): boolean {
  return candidates.length === 1 && candidates[0]?.isDurable === true
}

function runsOf(flags: readonly boolean[]): BlockRun[] {
  const runs: BlockRun[] = []
  for (let block = 0; block < flags.length; block++) {
    if (!flags[block]) continue
    const firstBlock = block
    while (flags[block + 1]) block++
    runs.push({ firstBlock, blockCount: block + 1 - firstBlock })
  }
  return runs
}
