import type { BlockDevice } from "./block-device.ts"
import { BlockError } from "./block-error.ts"

/** A run of bytes that could not be read, and why. */
export interface BadRange {
  readonly offset: number
  readonly length: number
  readonly error: BlockError
}

/**
 * Reads what can be read: bad runs come back zeroed in `buffer` (and `tags`, if given) and listed in ascending order,
 * everything else is good. For whoever must go on after a bad block.
 *
 * Cost: one more read of the rest of the buffer for each bad run, so give it pieces of at most a MiB.
 *
 * @throws whatever is not the failure of a place on the medium: a closed device, a bug.
 */
export async function readAround(
  device: BlockDevice,
  offset: number,
  buffer: Uint8Array,
  tags?: Uint8Array,
): Promise<BadRange[]> {
  const tagsOf = (from: number, to: number) =>
    tags?.subarray((from / device.blockSize) * device.tagSize, (to / device.blockSize) * device.tagSize)
  const bad: BadRange[] = []
  let start = 0
  while (start < buffer.length) {
    try {
      await device.read(offset + start, buffer.subarray(start), tagsOf(start, buffer.length))
      break
    } catch (error) {
      const run = failedRun(error, offset + start, offset + buffer.length, device.blockSize)
      // The rejected read zeroed the good blocks before the run as well. This range is shorter, so it comes to an end.
      const end = run.offset - offset
      const good = buffer.subarray(start, end)
      bad.push(...(await readAround(device, offset + start, good, tagsOf(start, end))), run)
      start = run.offset + run.length - offset
    }
  }
  return bad
}

function failedRun(error: unknown, from: number, to: number, blockSize: number): BadRange {
  if (!(error instanceof BlockError) || !["IO", "INTEGRITY", "CORRUPT"].includes(error.code)) throw error
  const offset = Math.min(Math.max(error.offset ?? from, from), to - blockSize)
  const length = Math.min(Math.max(error.length ?? to - offset, blockSize), to - offset)
  return { offset, length, error }
}
