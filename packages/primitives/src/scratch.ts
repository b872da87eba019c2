/** Bytes of a request that a mode works on at a time: large enough to amortise a call, small enough to stay in a cache. */
export const PIECE_BYTES: number = 128 * 1024

/** Memory of a mode's own that is used again by its next call. */
export interface Scratch {
  /** `lengthBytes` of scratch, at a multiple of 4 in its buffer; its content is undefined. Valid until the next `take`. */
  take(lengthBytes: number): Uint8Array
  wipe(): void
}

/** Scratch that grows to the largest piece it was asked for; the callers bound the pieces. */
export function createScratch(): Scratch {
  let memory = new Uint8Array(0)
  return {
    take(lengthBytes) {
      if (memory.length < lengthBytes) {
        memory.fill(0)
        memory = new Uint8Array(lengthBytes)
      }
      return memory.subarray(0, lengthBytes)
    },
    wipe: () => void memory.fill(0),
  }
}

/** `scratch` as 32-bit words in the host's byte order; its length is a multiple of 4. */
export function wordsOf(scratch: Uint8Array): Uint32Array {
  return new Uint32Array(scratch.buffer, scratch.byteOffset, scratch.length / 4)
}

/** `target ^= mask`: two pieces of scratch of the same length, a multiple of 16. */
export function xorScratch(target: Uint8Array, mask: Uint8Array): void {
  const words = wordsOf(target)
  const maskWords = wordsOf(mask)
  for (let index = 0; index < words.length; index += 4) {
    words[index] = words[index]! ^ maskWords[index]!
    words[index + 1] = words[index + 1]! ^ maskWords[index + 1]!
    words[index + 2] = words[index + 2]! ^ maskWords[index + 2]!
    words[index + 3] = words[index + 3]! ^ maskWords[index + 3]!
  }
}
