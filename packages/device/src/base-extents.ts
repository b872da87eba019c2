import type { BlockDevice, Extent } from "./block-device.ts"

/** Bytes of a device at the bottom of a stack. */
export interface BaseExtent {
  readonly device: BlockDevice
  readonly offset: number
  readonly length: number
  /** What the bytes are to the first layer that did not call them data. */
  readonly kind: "data" | "tag" | "hash"
}

/**
 * Which bytes at the bottom of the stack hold these, found by walking `layer.extents` down. Exact to the byte where a
 * layer maps a range in one piece; else rounded out to the blocks of that layer.
 *
 * @param offset bytes, a multiple of `blockSize`, as is `length`.
 */
export function baseExtents(device: BlockDevice, offset: number, length: number): BaseExtent[] {
  if (length === 0) return []
  if (device.layer.lowers.length === 0) return [{ device, offset, length, kind: "data" }]
  const start = offset - (offset % device.blockSize)
  const end = Math.ceil((offset + length) / device.blockSize) * device.blockSize
  const extents = device.layer.extents(start, end - start)
  const data = extents.filter((extent) => (extent.kind ?? "data") === "data")
  const [whole] = data
  // One piece of the same length: a part of a block keeps its place in it.
  const isOnePiece = data.length === 1 && whole?.length === end - start
  return extents.flatMap((extent) =>
    descend(
      device,
      isOnePiece && extent === whole ? { ...extent, offset: extent.offset + offset - start, length } : extent,
    ),
  )
}

function descend(device: BlockDevice, extent: Extent): BaseExtent[] {
  const lower = device.layer.lowers.find(({ role }) => role === extent.role)
  if (lower === undefined) return []
  const kind = extent.kind ?? "data"
  const below = baseExtents(lower.device, extent.offset, extent.length)
  return kind === "data" ? below : below.map((base) => ({ ...base, kind }))
}
