import { createCipheriv, createDecipheriv } from "node:crypto"
import type { BlockCipher } from "../engine.ts"
import { openCodebook, type Transform } from "./codebook.ts"
import { giveBack } from "./spent-output.ts"

const BLOCK_SIZE = 16
/** Bytes of one update. An output of 128 KiB is one that malloc maps and unmaps: page faults, each time. */
const UPDATE_BYTES = 64 * 1024

/** AES by OpenSSL: one long-lived object per direction. */
export function nodeAes(key: Uint8Array): BlockCipher {
  // OpenSSL has its own copy of the key, and clears it when the object is collected: here none is kept.
  let encryptor: Transform | undefined = openCodebook(createCipheriv, key)
  let decryptor: Transform | undefined = openCodebook(createDecipheriv, key)
  return {
    blockSize: BLOCK_SIZE,
    encryptBlocks: (source, target) => inPieces(source, target, encryptor!),
    decryptBlocks: (source, target) => inPieces(source, target, decryptor!),
    destroy() {
      encryptor = undefined
      decryptor = undefined
    },
  }
}

function inPieces(source: Uint8Array, target: Uint8Array, transform: Transform): void {
  // XTS refuses to do nothing.
  if (source.length === 0) return
  if (source.length <= UPDATE_BYTES) return updatePiece(source, target, 0, transform)
  for (let start = 0; start < source.length; start += UPDATE_BYTES) {
    updatePiece(source.subarray(start, start + UPDATE_BYTES), target, start, transform)
  }
}

function updatePiece(piece: Uint8Array, target: Uint8Array, start: number, transform: Transform): void {
  const output = transform.update(piece)
  target.set(output, start)
  giveBack(output)
}
