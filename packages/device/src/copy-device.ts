import type { BlockDevice, LongVerbOptions } from "./block-device.ts"

const PIECE_SIZE = 1024 * 1024

interface Piece {
  readonly offset: number
  readonly length: number
  /** Absent where the source says that the range reads as zeroes. */
  readonly data?: Uint8Array
  readonly tags?: Uint8Array | undefined
}

/**
 * Copies all of `from` to the start of `to` and flushes it. Ranges that read as zeroes are written as zeroes and may
 * become holes. Tags are copied where both devices carry tags of one size and the same block size.
 *
 * Holds at most two pieces of 1 MiB: one is read while the other is written.
 *
 * @throws RangeError if `from` does not fit into `to`; the signal's reason when aborted; any failure of either device,
 * and then `to` holds a part of the copy.
 */
export async function copyDevice(
  from: BlockDevice,
  to: BlockDevice,
  { signal, onProgress }: LongVerbOptions = {},
): Promise<void> {
  if (from.size > to.size || from.size % to.blockSize !== 0) {
    throw new RangeError(`copyDevice: ${from.size} bytes do not fit into ${to.size} bytes in blocks of ${to.blockSize}`)
  }
  const tagSize = from.tagSize === to.tagSize && from.blockSize === to.blockSize ? from.tagSize : 0
  let writing: Promise<void> = Promise.resolve()
  try {
    for (let offset = 0; offset < from.size; offset += PIECE_SIZE) {
      signal?.throwIfAborted()
      const pieces = await readPieces(from, offset, Math.min(PIECE_SIZE, from.size - offset), tagSize, to.blockSize)
      await writing
      onProgress?.(offset, from.size)
      writing = writePieces(to, pieces)
      // A rejection is seen at the next await; until then it must not count as unhandled.
      writing.catch(() => {})
    }
  } finally {
    // Whatever happened, nothing may still be on its way when this function settles.
    await writing
  }
  await to.flush()
  onProgress?.(from.size, from.size)
}

async function readPieces(
  from: BlockDevice,
  offset: number,
  length: number,
  tagSize: number,
  unit: number,
): Promise<Piece[]> {
  const ranges = await from.blockStatus(offset, length)
  // What one device calls a range need not be whole blocks of the other.
  const isDivided = tagSize === 0 && ranges.every((range) => range.offset % unit === 0 && range.length % unit === 0)
  const pieces: Piece[] = []
  for (const range of isDivided ? ranges : [{ offset, length, kind: "allocated" }]) {
    if (range.kind !== "allocated") {
      pieces.push({ offset: range.offset, length: range.length })
      continue
    }
    const data = new Uint8Array(range.length)
    const tags = tagSize === 0 ? undefined : new Uint8Array((range.length / from.blockSize) * tagSize)
    await from.read(range.offset, data, tags)
    pieces.push({ offset: range.offset, length: range.length, data, tags })
  }
  return pieces
}

async function writePieces(to: BlockDevice, pieces: readonly Piece[]): Promise<void> {
  for (const { offset, length, data, tags } of pieces) {
    if (data === undefined) await to.writeZeroes(offset, length, { mayDiscard: true })
    else await to.write(offset, data, { tags })
  }
}
