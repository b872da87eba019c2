import { createCipheriv, createDecipheriv } from "node:crypto"
import type { BlockCipher } from "../engine.ts"
import { PIECE_BYTES } from "../scratch.ts"

const BLOCK_SIZE = 16

type Transform = Pick<ReturnType<typeof createCipheriv>, "update">

/** AES by OpenSSL: one long-lived ECB object per direction. ECB has no state from block to block, so it never ends. */
export function nodeAes(key: Uint8Array): BlockCipher {
  const name = `aes-${key.length * 8}-ecb`
  // OpenSSL has its own copy of the key, and clears it when the object is collected: here none is kept.
  let encryptor: Transform | undefined = createCipheriv(name, key, null).setAutoPadding(false)
  let decryptor: Transform | undefined = createDecipheriv(name, key, null).setAutoPadding(false)
  return {
    blockSize: BLOCK_SIZE,
    encryptBlocks: (source, target) => inPieces(source, target, encryptor),
    decryptBlocks: (source, target) => inPieces(source, target, decryptor),
    destroy() {
      encryptor = undefined
      decryptor = undefined
    },
  }
}

function inPieces(source: Uint8Array, target: Uint8Array, transform: Transform | undefined): void {
  for (let start = 0; start < source.length; start += PIECE_BYTES) {
    target.set(transform!.update(source.subarray(start, start + PIECE_BYTES)), start)
  }
}
