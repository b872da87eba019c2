import { type BlockDevice, settleAll } from "@blockstrata/device"
import {
  copyPieces,
  cutBuffers,
  groupPieces,
  type StripeBuffers,
  type StripeGroup,
  scratchBuffers,
} from "./stripe-buffers.ts"
import { lowestFailure, type StripeFailure } from "./stripe-failure.ts"
import { type Stripe, type StripeMap, type StripeRange, splitByChunk, splitByStripe } from "./stripe-map.ts"

/** Bytes of a request that are gathered or scattered at a time. */
const SCRATCH_SIZE = 1024 * 1024

/** Bytes: from here on a chunk is worth a lower request of its own, without a copy. */
const DIRECT_CHUNK_SIZE = 64 * 1024

/** Bytes of a request that are under way at a time where nothing is copied. */
const DIRECT_WINDOW_SIZE = 8 * 1024 * 1024

/** How requests of a striped device reach its lowers: all have settled when these do, and the lowest failure is thrown. */
export interface StripeRequests {
  /** Runs one request for each stripe that the range lies on. */
  onStripes(
    offset: number,
    length: number,
    request: (lower: BlockDevice, lowerOffset: number, range: StripeRange) => Promise<void>,
  ): Promise<void>
  /** Moves a request between its buffers and the lowers in windows: within one, all stripes work at once. */
  transfer(
    offset: number,
    buffers: StripeBuffers,
    direction: "gather" | "scatter",
    request: (lower: BlockDevice, lowerOffset: number, memory: StripeBuffers) => Promise<void>,
  ): Promise<void>
}

export function stripeRequests(
  map: StripeMap & { readonly blockSize: number },
  stripes: readonly Stripe[],
  tagSize: number,
): StripeRequests {
  const tagLength = (length: number) => (length / map.blockSize) * tagSize
  const isDirect = map.chunkSize >= DIRECT_CHUNK_SIZE
  const windowSize = isDirect ? DIRECT_WINDOW_SIZE : SCRATCH_SIZE

  async function settleRanges<Range extends StripeRange>(
    offset: number,
    length: number,
    ranges: readonly Range[],
    request: (lower: BlockDevice, lowerOffset: number, range: Range) => Promise<void>,
  ): Promise<void> {
    const failures: StripeFailure[] = []
    await settleAll(
      ranges.map(async (range) => {
        const { lower, start } = stripes[range.stripe] as Stripe
        try {
          await request(lower, start + range.offset, range)
        } catch (error) {
          failures.push({ stripe: range.stripe, start, error })
        }
      }),
    )
    if (failures.length > 0) throw lowestFailure(map, offset, length, failures)
  }

  const transfer: StripeRequests["transfer"] = async (offset, buffers, direction, request) => {
    for (let done = 0; done < buffers.data.length; done += windowSize) {
      const length = Math.min(windowSize, buffers.data.length - done)
      const part = cutBuffers(buffers, done, length, tagLength)
      const partOffset = offset + done
      const groups = groupPieces(splitByChunk(map, partOffset, length), isDirect)
      await settleRanges(partOffset, length, groups, async (lower, lowerOffset, group) => {
        const direct = directBuffers(group, part, partOffset)
        const memory = direct ?? scratchBuffers(part, group.length, tagLength)
        const copy = () => copyPieces(direction, group, memory, part, partOffset, tagLength)
        if (direct === undefined && direction === "gather") copy()
        await request(lower, lowerOffset, memory)
        if (direct === undefined && direction === "scatter") copy()
      })
    }
  }

  /** The caller's own memory, where a group is one piece. */
  function directBuffers(group: StripeGroup, part: StripeBuffers, partOffset: number): StripeBuffers | undefined {
    const [piece] = group.pieces
    if (piece === undefined || group.pieces.length > 1) return undefined
    return cutBuffers(part, piece.deviceOffset - partOffset, piece.length, tagLength)
  }

  return {
    onStripes: (offset, length, request) => settleRanges(offset, length, splitByStripe(map, offset, length), request),
    transfer,
  }
}
