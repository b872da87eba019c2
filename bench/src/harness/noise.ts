/** Fills memory with bytes that no zero detection and no compression can shorten; the same on every run. */
export function fillNoise(bytes: Uint8Array): Uint8Array {
  // xorshift32 (Marsaglia 2003): noise to look at, not for keys.
  let state = 0x2545f491
  for (let index = 0; index < bytes.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

/** `count` places in `size` bytes, each a multiple of `unit`, in no order; the same on every run. */
export function scatteredOffsets(count: number, size: number, unit: number): readonly number[] {
  const words = new Uint32Array(fillNoise(new Uint8Array(count * 4)).buffer)
  return Array.from(words, (word) => (word % Math.floor(size / unit)) * unit)
}
