/** One request that reached a medium. `issuedAt` and `landedAt` are places in one order that all media of a stack share. */
export interface MediumEvent {
  readonly medium: string
  readonly kind: "read" | "write" | "writeZeroes" | "discard" | "flush"
  /** Bytes; 0 of a flush. */
  readonly offset: number
  readonly length: number
  /** Durable when it settles. */
  readonly fua: boolean
  readonly issuedAt: number
  /** When the medium had it; undefined while it is under way, and if it failed. */
  landedAt: number | undefined
  /** A copy of the bytes of a write and of its tags, from when it landed. */
  data: Uint8Array | undefined
  tags: Uint8Array | undefined
}

/** A change that a crash may lose: a write, writeZeroes or discard. */
export function isChange({ kind }: MediumEvent): boolean {
  return kind === "write" || kind === "writeZeroes" || kind === "discard"
}
