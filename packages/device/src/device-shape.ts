import type { Features, Lower } from "./block-device.ts"
import type { DeviceImplementation } from "./define-device.ts"

/** Bytes. */
const BLOCK_SIZE_MIN = 512
const BLOCK_SIZE_MAX = 1024 * 1024

/** The geometry of an implementation. @throws TypeError or RangeError where it breaks the contract. */
export function checkShape(implementation: DeviceImplementation): {
  name: string
  size: number
  blockSize: number
  tagSize: number
  lowers: readonly Lower[]
} {
  const { name, size, blockSize, tagSize = 0, lowers = [] } = implementation
  if (!isPowerOfTwo(blockSize) || blockSize < BLOCK_SIZE_MIN || blockSize > BLOCK_SIZE_MAX) {
    throw new RangeError(`${name}: block size: expected a power of two from 512 to 1 MiB, got ${blockSize}`)
  }
  if (!Number.isSafeInteger(size) || size < 0 || size % blockSize !== 0) {
    throw new RangeError(`${name}: size: expected a multiple of ${blockSize}, got ${size}`)
  }
  if (!Number.isSafeInteger(tagSize) || tagSize < 0)
    throw new RangeError(`${name}: tag size: expected >= 0, got ${tagSize}`)
  if (new Set(lowers.map((lower) => lower.role)).size !== lowers.length)
    throw new TypeError(`${name}: roles must be unique`)
  return { name, size, blockSize, tagSize, lowers: Object.freeze([...lowers]) }
}

/** The features of an implementation, complete. @throws TypeError where one is stated without its method. */
export function checkFeatures(implementation: DeviceImplementation): Features {
  const { name, blockSize, features: stated = {} } = implementation
  const features: Features = {
    write: stated.write ?? false,
    discard: (stated.discard ?? false) && (stated.write ?? false),
    writeZeroes: (stated.writeZeroes ?? false) && (stated.write ?? false),
    fua: (stated.fua ?? false) && (stated.write ?? false),
    atomicSize: stated.atomicSize ?? 0,
    optimalSize: stated.optimalSize ?? blockSize,
  }
  const missing = [
    features.write && implementation.write === undefined ? "write" : "",
    features.write && implementation.flush === undefined ? "flush" : "",
    features.discard && implementation.discard === undefined ? "discard" : "",
    features.writeZeroes && implementation.writeZeroes === undefined ? "writeZeroes" : "",
  ].filter((method) => method !== "")
  if (missing.length > 0) throw new TypeError(`${name}: stated, but without a method: ${missing.join(", ")}`)
  return Object.freeze(features)
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && Number.isInteger(Math.log2(value))
}
