import { type BlockDevice, defineDevice, type Features, settleAll } from "@blockstrata/device"
import { atomicSizeWithin, rangeProblem } from "./lower-range.ts"
import { type Stripe, splitByStripe } from "./stripe-map.ts"
import { stripeRequests } from "./stripe-requests.ts"
import { stripeStatus } from "./stripe-status.ts"

export interface StripedOptions {
  readonly lowers: readonly Stripe[]
  /** Bytes; a multiple of the largest `blockSize` below, not only a power of two. */
  readonly chunkSize: number
  /** Bytes; whole chunks on every stripe. */
  readonly size: number
}

/** Why these stripes cannot carry a device; `undefined` if they can. */
export function stripesProblem({ lowers, chunkSize, size }: StripedOptions): string | undefined {
  if (lowers.length === 0) return "stripes: expected at least one"
  const width = size / lowers.length
  const blockSize = largestBlock(lowers)
  if (!Number.isSafeInteger(chunkSize) || chunkSize <= 0 || chunkSize % blockSize !== 0) {
    return `chunk size: expected a multiple of ${blockSize} bytes, got ${chunkSize}`
  }
  if (!Number.isSafeInteger(width) || width % chunkSize !== 0) {
    return `size: expected whole chunks of ${chunkSize} bytes on ${lowers.length} stripes, got ${size}`
  }
  const tagSizes = new Set(lowers.map(({ lower }) => lower.tagSize))
  const blockSizes = new Set(lowers.map(({ lower }) => lower.blockSize))
  if (tagSizes.size > 1 || (!tagSizes.has(0) && blockSizes.size > 1)) return "tags: expected alike on all stripes"
  return lowers
    .map(({ lower, start }) => rangeProblem(lower, start, width, blockSize))
    .find((problem) => problem !== undefined)
}

/**
 * Chunks dealt out over the lower devices in turn.
 *
 * Promises: each byte lies where the kernel's striped target puts it, tags included; nothing outside is touched.
 * Does not promise: anything that the lower devices do not. One that is lost takes the whole device with it.
 * Attacks that remain: all that the lower devices leave.
 *
 * A request becomes one lower request per stripe (small chunks are gathered through at most 1 MiB of scratch), or one
 * per chunk where chunks are large.
 *
 * @throws RangeError if the stripes do not fit below or do not divide the size.
 * Source: Linux, admin-guide/device-mapper/striped.
 */
export function stripedTarget(options: StripedOptions): BlockDevice {
  const { chunkSize, size } = options
  const problem = stripesProblem(options)
  if (problem !== undefined) throw new RangeError(`striped: ${problem}`)
  const stripes = [...options.lowers]
  const lowers = stripes.map(({ lower }) => lower)
  const blockSize = largestBlock(stripes)
  const tagSize = lowers[0]?.tagSize ?? 0
  // A single stripe has no order to restore: its chunks are one.
  const map = { stripeCount: stripes.length, chunkSize: stripes.length === 1 ? size : chunkSize, blockSize }
  const { onStripes, transfer } = stripeRequests(map, stripes, tagSize)

  return defineDevice({
    name: "striped",
    size,
    blockSize,
    tagSize,
    features: commonFeatures(stripes, chunkSize),
    // A block that is several below could be read half old, half new.
    ordered: lowers.some((lower) => lower.blockSize < blockSize),
    lowers: lowers.map((device, index) => ({ role: `stripe${index}`, device })),
    extents: (offset, length) =>
      splitByStripe(map, offset, length).map((range) => ({
        role: `stripe${range.stripe}`,
        offset: (stripes[range.stripe] as Stripe).start + range.offset,
        length: range.length,
      })),
    status: () => ({ stripeCount: stripes.length, chunkSize }),
    read: (offset, data, tags) =>
      transfer(offset, { data, tags }, "scatter", (lower, lowerOffset, memory) =>
        lower.read(lowerOffset, memory.data, memory.tags),
      ),
    write: (offset, data, { tags, fua }) =>
      transfer(offset, { data, tags }, "gather", (lower, lowerOffset, memory) =>
        lower.write(lowerOffset, memory.data, { tags: memory.tags, fua }),
      ),
    flush: () => settleAll(lowers.map((lower) => lower.flush())),
    discard: (offset, length) =>
      onStripes(offset, length, (lower, lowerOffset, range) => lower.discard(lowerOffset, range.length)),
    writeZeroes: (offset, length, how) =>
      onStripes(offset, length, (lower, lowerOffset, range) => lower.writeZeroes(lowerOffset, range.length, how)),
    blockStatus: (offset, length) => stripeStatus(map, stripes, offset, length),
  })
}

function largestBlock(stripes: readonly Stripe[]): number {
  return stripes.reduce((largest, { lower }) => Math.max(largest, lower.blockSize), 0)
}

/** What all stripes can do. */
function commonFeatures(stripes: readonly Stripe[], chunkSize: number): Features {
  const features = stripes.map(({ lower }) => lower.features)
  return {
    write: features.every((feature) => feature.write),
    discard: features.every((feature) => feature.discard),
    writeZeroes: features.every((feature) => feature.writeZeroes),
    fua: features.every((feature) => feature.fua),
    atomicSize: stripes.reduce(
      (size, { lower, start }) => Math.min(size, atomicSizeWithin(lower.features.atomicSize, chunkSize, start)),
      chunkSize,
    ),
    optimalSize: features.reduce((size, feature) => Math.max(size, feature.optimalSize), chunkSize) * stripes.length,
  }
}
