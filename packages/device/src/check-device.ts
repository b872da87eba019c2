import type { BlockDevice, LongVerbOptions } from "./block-device.ts"
import { type BadRange, readAround } from "./read-around.ts"

export interface CheckReport {
  /** Bytes that were looked at: the whole device. */
  readonly size: number
  /** Every run that could not be read, ascending. Empty if the device is good. */
  readonly bad: readonly BadRange[]
}

const PIECE_SIZE = 1024 * 1024

/**
 * Reads every block and reports each that does not read. What a good read means is the stack's matter: an integrity,
 * AEAD or verity layer makes it a verified one.
 *
 * @throws the signal's reason when aborted, between two reads.
 */
export async function checkDevice(
  device: BlockDevice,
  { signal, onProgress }: LongVerbOptions = {},
): Promise<CheckReport> {
  const buffer = new Uint8Array(Math.min(PIECE_SIZE, device.size))
  const bad: BadRange[] = []
  for (let offset = 0; offset < device.size; offset += buffer.length) {
    signal?.throwIfAborted()
    const piece = buffer.subarray(0, Math.min(buffer.length, device.size - offset))
    for (const run of await readAround(device, offset, piece)) appendRun(bad, run)
    onProgress?.(offset + piece.length, device.size)
  }
  return { size: device.size, bad }
}

/** One run that crosses the border of two reads is reported once. */
function appendRun(bad: BadRange[], run: BadRange): void {
  const last = bad.at(-1)
  if (last !== undefined && last.offset + last.length === run.offset && last.error.code === run.error.code) {
    bad[bad.length - 1] = { ...last, length: last.length + run.length }
  } else bad.push(run)
}
