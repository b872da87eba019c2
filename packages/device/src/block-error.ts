/** What went wrong, as an API. A new target adds no code. */
export type BlockErrorCode =
  | "IO" // the host failed below, or did not answer in time
  | "INTEGRITY" // a tag, MAC or hash did not match at this place
  | "CORRUPT" // metadata is malformed or its checksum is wrong
  | "STALE" // authentic, but older than what the anchor accepted
  | "WRONG_KEY" // no keyslot opened
  | "INVALID" // a table line, key file, URI or header text that Linux would refuse too
  | "UNSUPPORTED" // valid, but a feature that is not implemented: the message names it
  | "REFUSED" // valid, but against the policy given
  | "READ_ONLY"
  | "NO_SPACE"
  | "BUSY"
  | "CLOSED"

export type Operation =
  | "read"
  | "write"
  | "flush"
  | "discard"
  | "writeZeroes"
  | "blockStatus"
  | "open"
  | "format"
  | "close"

export interface BlockErrorPlace {
  /** `layer.name` of the device that failed. The edge fills it in. */
  readonly device?: string | undefined
  readonly operation?: Operation | undefined
  /** Bytes, in the coordinates of `device`: the lowest maximal failing run; the blocks before it were good. */
  readonly offset?: number | undefined
  readonly length?: number | undefined
  /** The error of the layer below: the chain is the path through the stack. */
  readonly cause?: unknown
}

/**
 * The one error of the world below. `code` is the API; messages read `<target>: <what> at offset <n>: expected ...,
 * got ...`, may change freely and carry neither keys nor plaintext.
 */
export class BlockError extends Error {
  override readonly name = "BlockError"
  readonly code: BlockErrorCode
  readonly device: string | undefined
  readonly operation: Operation | undefined
  readonly offset: number | undefined
  readonly length: number | undefined

  constructor(code: BlockErrorCode, message: string, place: BlockErrorPlace = {}) {
    super(message, "cause" in place ? { cause: place.cause } : undefined)
    this.code = code
    this.device = place.device
    this.operation = place.operation
    this.offset = place.offset
    this.length = place.length
  }
}
