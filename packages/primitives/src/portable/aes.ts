import { ecb } from "@noble/ciphers/aes.js"
import type { BlockCipher } from "../engine.ts"
import { PIECE_BYTES } from "../scratch.ts"

const BLOCK_SIZE = 16

/** AES by noble; the key is expanded once per piece. */
export function portableAes(key: Uint8Array): BlockCipher {
  const ownKey = new Uint8Array(key)
  function inPieces(source: Uint8Array, target: Uint8Array, transform: (piece: Uint8Array) => Uint8Array): void {
    for (let start = 0; start < source.length; start += PIECE_BYTES) {
      target.set(transform(source.subarray(start, start + PIECE_BYTES)), start)
    }
  }
  return {
    blockSize: BLOCK_SIZE,
    encryptBlocks(source, target) {
      inPieces(source, target, (piece) => ecb(ownKey, { disablePadding: true }).encrypt(piece))
    },
    decryptBlocks(source, target) {
      inPieces(source, target, (piece) => ecb(ownKey, { disablePadding: true }).decrypt(piece))
    },
    destroy: () => void ownKey.fill(0),
  }
}
