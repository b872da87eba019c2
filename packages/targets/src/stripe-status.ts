import type { BlockStatus } from "@blockstrata/device"
import { type Stripe, type StripeMap, splitByChunk, splitByStripe } from "./stripe-map.ts"

/** Above this many chunks in a request the answer is not worth its cost. */
const CHUNK_COUNT_MAX = 4096

/**
 * What the lower devices know of a range, asked once per stripe. A range of very many chunks is allocated as a whole,
 * unless nothing of it is.
 */
export async function stripeStatus(
  map: StripeMap & { readonly blockSize: number },
  stripes: readonly Stripe[],
  offset: number,
  length: number,
): Promise<BlockStatus[]> {
  const known = new Map<number, BlockStatus[]>()
  for (const range of splitByStripe(map, offset, length)) {
    const stripe = stripes[range.stripe]
    if (stripe === undefined) continue
    const ranges = await stripe.lower.blockStatus(stripe.start + range.offset, range.length)
    known.set(
      range.stripe,
      ranges.map((status) => ({ ...status, offset: status.offset - stripe.start })),
    )
  }
  const kinds = new Set([...known.values()].flatMap((ranges) => ranges.map((status) => status.kind)))
  const [kind] = kinds
  if (kinds.size === 1 && kind !== undefined) return [{ offset, length, kind }]
  if (!kinds.has("allocated")) return [{ offset, length, kind: "zero" }]
  if (length / map.chunkSize > CHUNK_COUNT_MAX) return [{ offset, length, kind: "allocated" }]
  const result = chunkStatus(map, known, offset, length)
  // What a lower says of its own, smaller blocks may end inside a block of this device.
  const isAligned = result.every((status) => status.offset % map.blockSize === 0)
  return isAligned ? result : [{ offset, length, kind: "allocated" }]
}

function chunkStatus(
  map: StripeMap,
  known: ReadonlyMap<number, readonly BlockStatus[]>,
  offset: number,
  length: number,
): BlockStatus[] {
  const result: { offset: number; length: number; kind: BlockStatus["kind"] }[] = []
  for (const piece of splitByChunk(map, offset, length)) {
    for (const status of known.get(piece.stripe) ?? []) {
      const start = Math.max(status.offset, piece.offset)
      const end = Math.min(status.offset + status.length, piece.offset + piece.length)
      if (start >= end) continue
      const last = result.at(-1)
      if (last?.kind === status.kind) last.length += end - start
      else result.push({ offset: piece.deviceOffset + start - piece.offset, length: end - start, kind: status.kind })
    }
  }
  return result
}
