import { BlockError } from "@blockstrata/device"
import { bytesOnStripe, deviceOffsetOf, type StripeMap, stripeAt } from "./stripe-map.ts"

/** A request on one stripe that failed. The place in `error` is in the lower's bytes; the stripe begins at `start` there. */
export interface StripeFailure {
  readonly stripe: number
  readonly start: number
  readonly error: unknown
}

/** A failed run of one stripe: bytes from the begin of the stripe. */
interface FailedRun {
  readonly stripe: number
  readonly offset: number
  readonly end: number
  readonly error: BlockError
}

/**
 * One error out of those of a request's stripes: the lowest run of blocks that failed for the same reason, in the
 * bytes of the striped device. What lies next to each other here may lie on several stripes below.
 *
 * A bug, or an error that names no place in the request, is returned as it is, before all others.
 */
export function lowestFailure(
  map: StripeMap & { readonly blockSize: number },
  offset: number,
  length: number,
  failures: readonly StripeFailure[],
): unknown {
  const runs: FailedRun[] = []
  for (const failure of failures) {
    const run = failedRun(map, offset, length, failure)
    if (run === undefined) return failure.error
    runs.push(run)
  }
  const [first, ...others] = runs.map((run) => ({ run, deviceOffset: deviceOffsetOf(map, run.stripe, run.offset) }))
  if (first === undefined) return undefined
  const lowest = others.reduce((low, other) => (other.deviceOffset < low.deviceOffset ? other : low), first)
  const { error } = lowest.run
  const place = wholeBlocks(
    map.blockSize,
    lowest.deviceOffset,
    runEnd(map, lowest.deviceOffset, offset + length, error, runs),
  )
  const message = `striped: ${error.code} in ${error.device ?? "a stripe"} below offset ${place.offset}`
  return new BlockError(error.code, message, { ...place, cause: error })
}

/** The part of a failure that the request asked for; `undefined` if it names no such place. */
function failedRun(map: StripeMap, offset: number, length: number, failure: StripeFailure): FailedRun | undefined {
  const { stripe, start, error } = failure
  if (!(error instanceof BlockError) || error.offset === undefined || error.length === undefined) return undefined
  const from = Math.max(error.offset - start, bytesOnStripe(map, stripe, offset))
  const to = Math.min(error.offset + error.length - start, bytesOnStripe(map, stripe, offset + length))
  return from < to ? { stripe, offset: from, end: to, error } : undefined
}

/** Follows the failure from `position` over the chunks of all stripes, as long as they failed for the same reason. */
function runEnd(map: StripeMap, position: number, end: number, error: BlockError, runs: readonly FailedRun[]): number {
  let reached = position
  while (reached < end) {
    const stripe = stripeAt(map, reached)
    const onStripe = bytesOnStripe(map, stripe, reached)
    const run = runs.find((other) => other.stripe === stripe && other.offset <= onStripe && onStripe < other.end)
    if (run === undefined || run.error.code !== error.code) break
    reached += Math.min(map.chunkSize - (reached % map.chunkSize), run.end - onStripe, end - reached)
  }
  return reached
}

function wholeBlocks(blockSize: number, offset: number, end: number): { offset: number; length: number } {
  const first = offset - (offset % blockSize)
  return { offset: first, length: Math.ceil((end - first) / blockSize) * blockSize }
}
