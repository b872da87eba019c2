import type { BlockDevice } from "./block-device.ts"

/** What a request is checked against. */
type Shape = Pick<BlockDevice, "size" | "blockSize" | "tagSize">

/** @throws TypeError or RangeError unless `offset` and `length` are aligned and inside the device. */
export function checkRange(shape: Shape, offset: number, length: number): void {
  checkUnit("offset", offset, shape.blockSize)
  checkUnit("length", length, shape.blockSize)
  if (offset > shape.size || length > shape.size - offset) {
    throw new RangeError(`range: expected at most ${shape.size} bytes, got ${length} from offset ${offset}`)
  }
}

/** @throws TypeError or RangeError unless these are byte arrays of the right lengths for a request at `offset`. */
export function checkBuffers(shape: Shape, offset: number, data: Uint8Array, tags: Uint8Array | undefined): void {
  checkBytes("buffer", data)
  checkRange(shape, offset, data.length)
  if (tags === undefined) return
  checkBytes("tags", tags)
  const expected = (data.length / shape.blockSize) * shape.tagSize
  if (tags.length !== expected) throw new RangeError(`tags: expected ${expected} bytes, got ${tags.length}`)
}

function checkUnit(name: string, value: number, unit: number): void {
  if (typeof value !== "number") throw new TypeError(`${name}: expected a number, got ${typeof value}`)
  if (!Number.isSafeInteger(value) || value < 0 || value % unit !== 0) {
    throw new RangeError(`${name}: expected a non-negative multiple of ${unit}, got ${value}`)
  }
}

function checkBytes(name: string, value: Uint8Array): void {
  // The second test takes arrays of another realm, such as a VM context or a frame.
  if (value instanceof Uint8Array || (ArrayBuffer.isView(value) && value[Symbol.toStringTag] === "Uint8Array")) return
  throw new TypeError(`${name}: expected a Uint8Array`)
}
