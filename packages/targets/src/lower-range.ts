import type { BlockDevice } from "@blockstrata/device"

/**
 * Why `length` bytes from `start` of `lower` cannot carry a target; `undefined` if they can. The kernel refuses the
 * same when it loads a table: an area outside the device, or one that does not begin and end on a block of the target.
 */
export function rangeProblem(
  lower: BlockDevice,
  start: number,
  length: number,
  blockSize: number = lower.blockSize,
): string | undefined {
  if (!Number.isSafeInteger(start) || start < 0 || start % blockSize !== 0) {
    return `start: expected a multiple of ${blockSize} bytes, got ${start}`
  }
  if (!Number.isSafeInteger(length) || length <= 0 || length % blockSize !== 0) {
    return `length: expected a multiple of ${blockSize} bytes, got ${length}`
  }
  if (start > lower.size || length > lower.size - start) {
    return `range: expected to end by ${lower.size} bytes of the lower device, got ${length} from ${start}`
  }
  return undefined
}

/**
 * Bytes: what remains of a lower's `atomicSize` when its pieces begin at `bounds` (bytes): the greatest common divisor,
 * since an aligned piece above must be one aligned piece below.
 */
export function atomicSizeWithin(atomicSize: number, ...bounds: readonly number[]): number {
  if (atomicSize === 0) return 0
  return bounds.reduce(greatestCommonDivisor, atomicSize)
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right)
}
