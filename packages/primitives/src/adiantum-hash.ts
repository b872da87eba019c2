import { poly1305 } from "@noble/ciphers/_poly1305.js"
import { NH_DIGEST_SIZE, NH_KEY_SIZE, NH_MESSAGE_SIZE, nhDigest } from "./nh.ts"
import { createScratch } from "./scratch.ts"
import { wordsFrom } from "./xchacha.ts"

const POINT_SIZE = 16
/** K_T and K_M, the points at which Poly1305 takes tweak and message; then NH's key. */
export const HASH_KEYS_SIZE: number = 2 * POINT_SIZE + NH_KEY_SIZE
export const ADIANTUM_TWEAK_SIZE = 32

/** The hash of Adiantum, 5: of a sector's left part (whole blocks) and its tweak. */
export interface AdiantumHash {
  /** `block + hash` modulo 2^128, little-endian, in fresh memory. */
  addTo(block: Uint8Array, left: Uint8Array, tweak: Uint8Array): Uint8Array
  /** `block - hash` modulo 2^128. */
  subtractFrom(block: Uint8Array, left: Uint8Array, tweak: Uint8Array): Uint8Array
  destroy(): void
}

/** `keys`: `HASH_KEYS_SIZE` bytes. In TypeScript, Poly1305 by noble. */
export function adiantumHash(keys: Uint8Array): AdiantumHash {
  const nhKey = wordsFrom(keys, 2 * POINT_SIZE, NH_KEY_SIZE / 4)
  // A key of Poly1305 is its point and a number that is added at the end: here, what was there before.
  const tweakKey = new Uint8Array(2 * POINT_SIZE)
  const messageKey = new Uint8Array(2 * POINT_SIZE)
  tweakKey.set(keys.subarray(0, POINT_SIZE))
  messageKey.set(keys.subarray(POINT_SIZE, 2 * POINT_SIZE))
  const head = new Uint8Array(16 + ADIANTUM_TWEAK_SIZE)
  const headView = new DataView(head.buffer)
  const digests = createScratch()

  function digestAll(left: Uint8Array): Uint8Array {
    const all = digests.take(Math.ceil(left.length / NH_MESSAGE_SIZE) * NH_DIGEST_SIZE)
    const view = new DataView(all.buffer, all.byteOffset, all.length)
    for (let start = 0, to = 0; start < left.length; start += NH_MESSAGE_SIZE, to += NH_DIGEST_SIZE) {
      nhDigest(view, to, left.subarray(start, start + NH_MESSAGE_SIZE), nhKey)
    }
    return all
  }

  function addTo(block: Uint8Array, left: Uint8Array, tweak: Uint8Array): Uint8Array {
    headView.setUint32(0, left.length * 8, true)
    head.set(tweak, 16)
    tweakKey.set(block, POINT_SIZE)
    messageKey.set(poly1305(head, tweakKey), POINT_SIZE)
    return poly1305(digestAll(left), messageKey)
  }

  return {
    addTo,
    // x - h = ~(~x + h)
    subtractFrom: (block, left, tweak) => addTo(block.map(invert), left, tweak).map(invert),
    destroy() {
      for (const owned of [nhKey, tweakKey, messageKey]) owned.fill(0)
      digests.wipe()
    },
  }
}

function invert(byte: number): number {
  return 255 - byte
}
