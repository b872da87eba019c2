import type { DeviceImplementation } from "./define-device.ts"

const SCRATCH_BYTES_MAX = 1024 * 1024

/** `writeZeroes` for a target that does not state it: plain writes of zeroes, at most 1 MiB at a time. */
export async function writeZeroBytes(
  target: DeviceImplementation,
  offset: number,
  length: number,
  fua: boolean,
): Promise<void> {
  const zeroes = new Uint8Array(Math.min(length, SCRATCH_BYTES_MAX))
  for (let done = 0; done < length; done += zeroes.length) {
    const piece = zeroes.subarray(0, Math.min(zeroes.length, length - done))
    await target.write?.(offset + done, piece, { tags: undefined, fua })
  }
}
