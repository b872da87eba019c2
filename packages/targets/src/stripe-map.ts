import type { BlockDevice } from "@blockstrata/device"

/** One stripe: `size / stripeCount` bytes of `lower` from `start` (bytes; a multiple of the striped device's `blockSize`). */
export interface Stripe {
  readonly lower: BlockDevice
  readonly start: number
}

/** Where bytes of a striped device lie: chunk after chunk, one stripe after the other, row after row. */
export interface StripeMap {
  readonly stripeCount: number
  /** Bytes; any multiple of a sector, not only powers of two. */
  readonly chunkSize: number
}

/** Bytes of one stripe, from the begin of that stripe. */
export interface StripeRange {
  readonly stripe: number
  readonly offset: number
  readonly length: number
}

/** A stripe range that is one piece of the striped device as well, at `deviceOffset`. */
export interface StripePiece extends StripeRange {
  readonly deviceOffset: number
}

/** How many of the first `offset` bytes of the device lie on `stripe`: for a byte of that stripe, its place there. */
export function bytesOnStripe({ stripeCount, chunkSize }: StripeMap, stripe: number, offset: number): number {
  const inChunk = offset % chunkSize
  const chunkIndex = (offset - inChunk) / chunkSize
  const lastStripe = chunkIndex % stripeCount
  const rowCount = (chunkIndex - lastStripe) / stripeCount
  const inRow = stripe < lastStripe ? chunkSize : stripe === lastStripe ? inChunk : 0
  return rowCount * chunkSize + inRow
}

/** Which stripe a byte of the device lies on. */
export function stripeAt({ stripeCount, chunkSize }: StripeMap, offset: number): number {
  return ((offset - (offset % chunkSize)) / chunkSize) % stripeCount
}

/** The place in the device of byte `offset` of a stripe. */
export function deviceOffsetOf({ stripeCount, chunkSize }: StripeMap, stripe: number, offset: number): number {
  const inChunk = offset % chunkSize
  return (offset - inChunk) * stripeCount + stripe * chunkSize + inChunk
}

/** The request as at most one range per stripe: what lies on one stripe is contiguous there. In order of stripes. */
export function splitByStripe(map: StripeMap, offset: number, length: number): StripeRange[] {
  const ranges: StripeRange[] = []
  for (let stripe = 0; stripe < map.stripeCount; stripe += 1) {
    const start = bytesOnStripe(map, stripe, offset)
    const end = bytesOnStripe(map, stripe, offset + length)
    if (end > start) ranges.push({ stripe, offset: start, length: end - start })
  }
  return ranges
}

/** The request cut at every chunk, in ascending order. */
export function splitByChunk(map: StripeMap, offset: number, length: number): StripePiece[] {
  const pieces: StripePiece[] = []
  const end = offset + length
  for (let position = offset; position < end; ) {
    const stripe = stripeAt(map, position)
    const pieceLength = Math.min(map.chunkSize - (position % map.chunkSize), end - position)
    pieces.push({ stripe, offset: bytesOnStripe(map, stripe, position), length: pieceLength, deviceOffset: position })
    position += pieceLength
  }
  return pieces
}
