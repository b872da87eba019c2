import type { BlockDevice } from "./block-device.ts"
import { defineDevice } from "./define-device.ts"
import { sparseBytes, wholeBytes } from "./sparse-bytes.ts"

export interface MemoryDeviceOptions {
  /** Bytes; a multiple of `blockSize`. Not with `bytes`. */
  readonly size?: number | undefined
  /** The medium itself, instead of fresh sparse memory: its content is the device's, and writes change it. */
  readonly bytes?: Uint8Array | undefined
  /** Bytes; 512 if not given. */
  readonly blockSize?: number | undefined
  /** Bytes of tag per block: a device with inline metadata. */
  readonly tagSize?: number | undefined
  /** The medium of the tags, as `bytes` is of the data; `size / blockSize * tagSize` bytes. */
  readonly tagBytes?: Uint8Array | undefined
  readonly readOnly?: boolean | undefined
  readonly name?: string | undefined
}

/**
 * A device in memory. Fresh memory is sparse: blocks never written read as zeroes and take no space, so a device of
 * many TiB is cheap. Each request is one step: nothing is torn, and `flush` has nothing to do.
 */
export function memoryDevice(options: MemoryDeviceOptions): BlockDevice {
  const { bytes, blockSize = 512, tagSize = 0, tagBytes, readOnly = false, name = "memory" } = options
  const size = bytes?.length ?? options.size
  if (size === undefined || (bytes !== undefined && options.size !== undefined)) {
    throw new TypeError("memoryDevice: expected either size or bytes")
  }
  const tagAreaSize = (size / blockSize) * tagSize
  if (tagBytes !== undefined && tagBytes.length !== tagAreaSize) {
    throw new RangeError(`memoryDevice: tagBytes: expected ${tagAreaSize} bytes, got ${tagBytes.length}`)
  }
  const store = bytes === undefined ? sparseBytes() : wholeBytes(bytes)
  const tagStore = tagBytes === undefined ? sparseBytes() : wholeBytes(tagBytes)
  const tagOffset = (offset: number) => (offset / blockSize) * tagSize

  return defineDevice({
    name,
    size,
    blockSize,
    tagSize,
    // A device that carries tags has no discard: data would go and its tag stay.
    features: {
      write: !readOnly,
      discard: tagSize === 0,
      writeZeroes: true,
      fua: true,
      atomicSize: blockSize,
      optimalSize: 1024 * 1024,
    },
    async read(offset, buffer, tags) {
      store.read(offset, buffer)
      if (tags !== undefined) tagStore.read(tagOffset(offset), tags)
    },
    async write(offset, data, { tags }) {
      store.write(offset, data)
      if (tags !== undefined) tagStore.write(tagOffset(offset), tags)
    },
    async flush() {},
    async discard(offset, length) {
      store.clear(offset, length)
    },
    async writeZeroes(offset, length) {
      store.clear(offset, length)
    },
    async blockStatus(offset, length) {
      return store.status(offset, length)
    },
  })
}
