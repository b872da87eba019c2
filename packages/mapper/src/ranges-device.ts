import { type BlockDevice, defineDevice, type Features, settleAll } from "@blockstrata/device"
import { joinStatus, type RangePiece, settlePieces, splitByRange } from "./range-piece.ts"

/** Why ranges do not make one device; `UNSUPPORTED` where they do in Linux. */
export interface RangesProblem {
  readonly code: "INVALID" | "UNSUPPORTED"
  readonly message: string
}

/**
 * Why these ranges do not make one device; `undefined` if they do. The device's block is the largest of its ranges'.
 * The kernel wants each range to begin on a block of its own, and the last block to be whole; here no block may lie in
 * two ranges, because a write that fails in one of them would leave it half old, half new.
 */
export function rangesProblem(ranges: readonly BlockDevice[]): RangesProblem | undefined {
  const blockSize = largestBlock(ranges)
  const { starts, size } = layOut(ranges)
  const misplaced = ranges.findIndex((range, index) => (starts[index] ?? 0) % range.blockSize !== 0)
  if (misplaced >= 0) return { code: "INVALID", message: `line ${misplaced + 1}: does not start on a block of its own` }
  if (size % blockSize !== 0)
    return { code: "INVALID", message: `the last line ends inside a block of ${blockSize} bytes` }
  const isTagged = ranges.some((range) => range.tagSize > 0)
  const isAlike = ranges.every((range) => range.tagSize === ranges[0]?.tagSize && range.blockSize === blockSize)
  if (isTagged && !isAlike) return { code: "INVALID", message: "the lines of a device carry the same tags, or none" }
  const split = starts.findIndex((start) => start % blockSize !== 0)
  if (split >= 0)
    return { code: "UNSUPPORTED", message: `line ${split + 1}: begins inside a block of ${blockSize} bytes` }
  return undefined
}

/**
 * One device out of ranges that follow one another: a table of several lines. A request is split where ranges meet.
 *
 * Promises: each byte is the byte of its range, tags included.
 * Does not promise: anything that one of the ranges does not.
 * Attacks that remain: all that the ranges leave.
 *
 * @throws RangeError where `rangesProblem` finds one.
 */
export function rangesDevice(ranges: readonly BlockDevice[]): BlockDevice {
  const problem = rangesProblem(ranges)
  if (problem !== undefined || ranges.length === 0) throw new RangeError(`table: ${problem?.message ?? "no range"}`)
  const blockSize = largestBlock(ranges)
  const { starts, size } = layOut(ranges)
  const tagSize = ranges[0]?.tagSize ?? 0
  const split = (offset: number, length: number) => splitByRange(ranges, starts, offset, length)
  const tagLength = (length: number) => (length / blockSize) * tagSize
  /** The views of a piece in the buffers of a request at `offset`. */
  function cut(piece: RangePiece, offset: number, data: Uint8Array, tags: Uint8Array | undefined) {
    const start = piece.offset - offset
    const end = start + piece.length
    return { data: data.subarray(start, end), tags: tags?.subarray(tagLength(start), tagLength(end)) }
  }

  return defineDevice({
    name: "table",
    size,
    blockSize,
    tagSize,
    features: commonFeatures(ranges, starts),
    // A block that is several of its range could be read half old, half new.
    ordered: ranges.some((range) => range.blockSize < blockSize),
    lowers: ranges.map((device, index) => ({ role: `range${index}`, device })),
    extents: (offset, length) =>
      split(offset, length).map((piece) => ({ role: piece.role, offset: piece.rangeOffset, length: piece.length })),
    status: () => ({ rangeCount: ranges.length }),
    read: (offset, buffer, tags) =>
      settlePieces(blockSize, split(offset, buffer.length), (piece) => {
        const part = cut(piece, offset, buffer, tags)
        return piece.device.read(piece.rangeOffset, part.data, part.tags)
      }),
    write: (offset, buffer, { tags, fua }) =>
      settlePieces(blockSize, split(offset, buffer.length), (piece) => {
        const part = cut(piece, offset, buffer, tags)
        return piece.device.write(piece.rangeOffset, part.data, { tags: part.tags, fua })
      }),
    flush: () => settleAll(ranges.map((range) => range.flush())),
    discard: (offset, length) =>
      settlePieces(blockSize, split(offset, length), (piece) => piece.device.discard(piece.rangeOffset, piece.length)),
    writeZeroes: (offset, length, options) =>
      settlePieces(blockSize, split(offset, length), (piece) =>
        piece.device.writeZeroes(piece.rangeOffset, piece.length, options),
      ),
    blockStatus: async (offset, length) =>
      (await joinStatus(blockSize, split(offset, length))) ?? [{ offset, length, kind: "allocated" }],
  })
}

/** Bytes: where each range begins, and where the last ends. */
function layOut(ranges: readonly BlockDevice[]): { starts: number[]; size: number } {
  const starts: number[] = []
  let size = 0
  for (const range of ranges) {
    starts.push(size)
    size += range.size
  }
  return { starts, size }
}

function largestBlock(ranges: readonly BlockDevice[]): number {
  return ranges.reduce((largest, range) => Math.max(largest, range.blockSize), 0)
}

/** What all ranges can do. */
function commonFeatures(ranges: readonly BlockDevice[], starts: readonly number[]): Features {
  const features = ranges.map((range) => range.features)
  // A piece that the begin of a range cuts is not one piece below.
  const atomicSizes = features.map((feature, index) => greatestCommonDivisor(feature.atomicSize, starts[index] ?? 0))
  return {
    write: features.every((feature) => feature.write),
    discard: features.every((feature) => feature.discard),
    writeZeroes: features.every((feature) => feature.writeZeroes),
    fua: features.every((feature) => feature.fua),
    atomicSize: features.some((feature) => feature.atomicSize === 0) ? 0 : atomicSizes.reduce(greatestCommonDivisor),
    optimalSize: features.reduce((largest, feature) => Math.max(largest, feature.optimalSize), 0),
  }
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right)
}
