import type { BlockDevice, LongVerbOptions } from "./block-device.ts"

/** Bytes read, then written, at a time: smaller pieces cost more of their own than a cache close to the core saves. */
const PIECE_SIZE = 1024 * 1024

/** A run of bytes on its way: in the memory of its slot, or nothing but zeroes. */
interface Run {
  readonly offset: number
  readonly length: number
  readonly data?: Uint8Array
  readonly tags?: Uint8Array | undefined
}

/** Memory for one piece and its tags. */
interface Slot {
  readonly data: Uint8Array
  readonly tags: Uint8Array
}

export interface CopyOptions extends LongVerbOptions {
  /** Where the memory for the two pieces comes from: an engine's `allocate` spares its kernels a copy of each piece. */
  readonly allocate?: ((length: number) => Uint8Array) | undefined
}

/**
 * Copies all of `from` to the start of `to` and flushes it. Ranges that read as zeroes are written as zeroes and may
 * become holes. Tags are copied where both devices carry tags of one size and the same block size.
 *
 * Holds two pieces of 1 MiB: one is read while the other is written.
 *
 * @throws RangeError if `from` does not fit into `to`; the signal's reason when aborted; any failure of either device,
 * and then `to` holds a part of the copy.
 */
export async function copyDevice(
  from: BlockDevice,
  to: BlockDevice,
  { signal, onProgress, allocate = (length) => new Uint8Array(length) }: CopyOptions = {},
): Promise<void> {
  if (from.size > to.size || from.size % to.blockSize !== 0) {
    throw new RangeError(`copyDevice: ${from.size} bytes do not fit into ${to.size} bytes in blocks of ${to.blockSize}`)
  }
  const tagSize = from.tagSize === to.tagSize && from.blockSize === to.blockSize ? from.tagSize : 0
  const pieceSize = Math.min(Math.max(PIECE_SIZE, from.blockSize, to.blockSize), from.size)
  const slots = [0, 1].map(() => newSlot(allocate, pieceSize, (pieceSize / from.blockSize) * tagSize)) as [Slot, Slot]
  let writing: Promise<void> = Promise.resolve()
  try {
    for (let offset = 0; offset < from.size; offset += pieceSize) {
      signal?.throwIfAborted()
      const length = Math.min(pieceSize, from.size - offset)
      const runs = await readRuns(from, offset, length, tagSize, to.blockSize, slots[0])
      slots.reverse()
      await writing
      onProgress?.(offset, from.size)
      writing = writeRuns(to, runs)
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

function newSlot(allocate: (length: number) => Uint8Array, size: number, tagBytes: number): Slot {
  return { data: allocate(size), tags: new Uint8Array(tagBytes) }
}

async function readRuns(
  from: BlockDevice,
  offset: number,
  length: number,
  tagSize: number,
  unit: number,
  slot: Slot,
): Promise<Run[]> {
  const ranges = await from.blockStatus(offset, length)
  // What one device calls a range need not be whole blocks of the other.
  const isDivided = tagSize === 0 && ranges.every((range) => range.offset % unit === 0 && range.length % unit === 0)
  const runs: Run[] = []
  for (const range of isDivided ? ranges : [{ offset, length, kind: "allocated" }]) {
    if (range.kind !== "allocated") {
      runs.push({ offset: range.offset, length: range.length })
      continue
    }
    const at = range.offset - offset
    const data = slot.data.subarray(at, at + range.length)
    const tags = tagSize === 0 ? undefined : slot.tags.subarray(0, (range.length / from.blockSize) * tagSize)
    await from.read(range.offset, data, tags)
    runs.push({ offset: range.offset, length: range.length, data, tags })
  }
  return runs
}

async function writeRuns(to: BlockDevice, runs: readonly Run[]): Promise<void> {
  for (const { offset, length, data, tags } of runs) {
    if (data === undefined) await to.writeZeroes(offset, length, { mayDiscard: true })
    else await to.write(offset, data, { tags })
  }
}
