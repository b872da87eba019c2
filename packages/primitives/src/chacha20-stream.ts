import { chacha20 } from "@noble/ciphers/chacha.js"
import { requireBytes, requireKey } from "./misuse.ts"

/** Bytes. */
const NONCE_SIZE = 12
const BLOCK_SIZE = 64

/** The keystream of ChaCha20 under one key and the nonce zero: no authentication. Whoever masks two texts at one place reveals their difference. */
export interface Chacha20Stream {
  /** `data ^= keystream` from block `blockIndex` (of 64 bytes) on. @throws RangeError beyond block 2^32 - 2. */
  mask(data: Uint8Array, blockIndex: number): void
  destroy(): void
}

/** For formats that encrypt a whole area as one message. Key of 32 bytes, of which a copy is kept. RFC 8439, 2.4, by noble on every host. */
export function chacha20Stream(key: Uint8Array): Chacha20Stream {
  requireKey("chacha20", key, [32])
  const ownKey = new Uint8Array(key)
  const nonce = new Uint8Array(NONCE_SIZE)
  return {
    mask(data, blockIndex) {
      requireBytes("data", data)
      // Noble refuses counters from 2^32 - 1 on.
      if (!Number.isInteger(blockIndex) || blockIndex < 0 || blockIndex + data.length / BLOCK_SIZE > 2 ** 32 - 1) {
        throw new RangeError(`chacha20: block ${blockIndex} is beyond the keystream`)
      }
      data.set(chacha20(ownKey, nonce, data, undefined, blockIndex))
    },
    destroy: () => void ownKey.fill(0),
  }
}
