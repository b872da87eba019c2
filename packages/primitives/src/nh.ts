/** Bytes of message that NH takes at a time. */
export const NH_MESSAGE_SIZE = 1024
const UNIT_WORDS = 4
const PASS_COUNT = 4
/** Bytes of a digest: a number of 64 bits for each pass. */
export const NH_DIGEST_SIZE: number = PASS_COUNT * 8
/** Bytes of key: each pass begins a unit after the one before it. */
export const NH_KEY_SIZE: number = NH_MESSAGE_SIZE + (PASS_COUNT - 1) * UNIT_WORDS * 4

const HALF = 2 ** 16
const WORD = 2 ** 32

/**
 * NH of at most `NH_MESSAGE_SIZE` bytes, whole units of 16, into `target` at `offset`: for each pass the sum of
 * (m0 + k0)(m2 + k2) + (m1 + k1)(m3 + k3) over the units, additions modulo 2^32 and 2^64. Little-endian. Adiantum, 5.1.
 */
export function nhDigest(target: DataView, offset: number, message: Uint8Array, key: Uint32Array): void {
  const view = new DataView(message.buffer, message.byteOffset, message.length)
  for (let pass = 0; pass < PASS_COUNT; pass++) {
    // Products of halves: at most 128 of 32 bits in each sum, or twice as many, which a number holds exactly.
    let low = 0
    let middle = 0
    let high = 0
    for (let start = 0, word = pass * UNIT_WORDS; start < message.length; start += 16, word += UNIT_WORDS) {
      for (let at = 0; at < 2; at++) {
        const a = (view.getUint32(start + at * 4, true) + key[word + at]!) % WORD
        const b = (view.getUint32(start + at * 4 + 8, true) + key[word + at + 2]!) % WORD
        const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
        low += aLow * bLow
        middle += aLow * bHigh + aHigh * bLow
        high += aHigh * bHigh
      }
    }
    low += (middle % HALF) * HALF
    high += Math.floor(middle / HALF) + Math.floor(low / WORD)
    target.setUint32(offset + pass * 8, low % WORD, true)
    target.setUint32(offset + pass * 8 + 4, high % WORD, true)
  }
}
