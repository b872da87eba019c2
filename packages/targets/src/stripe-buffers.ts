import type { StripePiece } from "./stripe-map.ts"

/** The data of a request and, on tagged devices, its tags. */
export interface StripeBuffers {
  readonly data: Uint8Array
  readonly tags: Uint8Array | undefined
}

/** How many bytes of tag stand beside `length` bytes of data. */
export type TagLength = (length: number) => number

/** Pieces that lie on one stripe, one after the other there: one lower request. */
export interface StripeGroup {
  readonly stripe: number
  readonly offset: number
  readonly length: number
  readonly pieces: readonly StripePiece[]
}

/** One group for each stripe, or, where each piece is worth a request of its own, one for each piece. */
export function groupPieces(pieces: readonly StripePiece[], isDirect: boolean): StripeGroup[] {
  if (isDirect) return pieces.map((piece) => ({ ...piece, pieces: [piece] }))
  const groups = new Map<number, StripePiece[]>()
  for (const piece of pieces) {
    const group = groups.get(piece.stripe)
    if (group === undefined) groups.set(piece.stripe, [piece])
    else group.push(piece)
  }
  return [...groups.values()].map((group) => ({
    stripe: group[0]?.stripe ?? 0,
    offset: group[0]?.offset ?? 0,
    length: group.reduce((sum, piece) => sum + piece.length, 0),
    pieces: group,
  }))
}

/** `length` bytes from `start` with their tags: a view. */
export function cutBuffers(
  { data, tags }: StripeBuffers,
  start: number,
  length: number,
  tagLength: TagLength,
): StripeBuffers {
  return {
    data: data.subarray(start, start + length),
    tags: tags?.subarray(tagLength(start), tagLength(start + length)),
  }
}

/** Memory for a group of several pieces, beside the caller's buffers. */
export function scratchBuffers({ tags }: StripeBuffers, length: number, tagLength: TagLength): StripeBuffers {
  return { data: new Uint8Array(length), tags: tags === undefined ? undefined : new Uint8Array(tagLength(length)) }
}

/**
 * Copies the pieces of a group between the buffers of the request, which begin at `deviceOffset` of the device, and
 * the group's scratch, where they stand one after the other.
 */
export function copyPieces(
  direction: "gather" | "scatter",
  group: StripeGroup,
  scratch: StripeBuffers,
  buffers: StripeBuffers,
  deviceOffset: number,
  tagLength: TagLength,
): void {
  for (const piece of group.pieces) {
    const inScratch = cutBuffers(scratch, piece.offset - group.offset, piece.length, tagLength)
    const inRequest = cutBuffers(buffers, piece.deviceOffset - deviceOffset, piece.length, tagLength)
    const [from, to] = direction === "gather" ? [inRequest, inScratch] : [inScratch, inRequest]
    to.data.set(from.data)
    if (from.tags !== undefined) to.tags?.set(from.tags)
  }
}
