import type { BlockDevice, DeviceImplementation } from "@blockstrata/device"
import { atomicSizeWithin, rangeProblem } from "./lower-range.ts"

export interface LowerPartOptions {
  readonly lower: BlockDevice
  /** Bytes into the lower device; a multiple of its `blockSize`. 0 if not given. */
  readonly start?: number | undefined
  /** Bytes; a multiple of the lower's `blockSize`. All that follows `start` if not given. */
  readonly size?: number | undefined
}

/** Every method that a pass-through has. */
type Method = "extents" | "read" | "write" | "flush" | "discard" | "blockStatus"
export type LowerPart = DeviceImplementation & Required<Pick<DeviceImplementation, Method | "features">>

/**
 * A target that passes everything on to a range of its lower device, tags included: what it does otherwise is spread over it.
 * Zeroes are written, as on most of the kernel's targets.
 *
 * @throws RangeError if the range is not inside the lower device, or does not begin and end on its blocks.
 */
export function lowerPart(name: string, { lower, start = 0, size = lower.size - start }: LowerPartOptions): LowerPart {
  const problem = rangeProblem(lower, start, size)
  if (problem !== undefined) throw new RangeError(`${name}: ${problem}`)
  return {
    name,
    size,
    blockSize: lower.blockSize,
    tagSize: lower.tagSize,
    features: { ...lower.features, writeZeroes: false, atomicSize: atomicSizeWithin(lower.features.atomicSize, start) },
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset: start + offset, length }],
    read: (offset, buffer, tags) => lower.read(start + offset, buffer, tags),
    write: (offset, data, options) => lower.write(start + offset, data, options),
    flush: () => lower.flush(),
    discard: (offset, length) => lower.discard(start + offset, length),
    async blockStatus(offset, length) {
      const ranges = await lower.blockStatus(start + offset, length)
      return ranges.map((range) => ({ ...range, offset: range.offset - start }))
    },
  }
}
