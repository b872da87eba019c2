/** What a change makes of a block: these bytes, or (after a discard) whatever the device likes. */
export type BlockContent = Uint8Array | "anything"

/** One change that was asked for, as the model keeps it. Times are places in the order of all calls and settlements. */
export interface Change {
  /** Of the blocks from `firstBlock`, in their order. */
  readonly contents: readonly BlockContent[]
  readonly firstBlock: number
  readonly issuedAt: number
  /** Infinity while it is under way. */
  settledAt: number
  /** Rejected: it may have happened or not. */
  hasFailed: boolean
  /** A crash cannot undo it. */
  isDurable: boolean
}

export function contentAt(change: Change, block: number): BlockContent {
  return change.contents[block - change.firstBlock] ?? "anything"
}

/** Whether `earlier` certainly lies below `later`: it had settled before the other was asked for. */
export function isBelow(earlier: Change, later: Change): boolean {
  return !later.hasFailed && later.settledAt !== Number.POSITIVE_INFINITY && earlier.settledAt < later.issuedAt
}

/** Whether bytes `from` ... `to` of a block may have come from this content. */
export function matches(content: BlockContent, actual: Uint8Array, from: number, to: number): boolean {
  if (content === "anything") return true
  for (let index = from; index < to; index++) if (content[index] !== actual[index]) return false
  return true
}
