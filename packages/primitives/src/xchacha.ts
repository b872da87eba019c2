import { __TESTS } from "@noble/ciphers/chacha.js"

/** "expand 32-byte k". */
const CONSTANTS = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)
const BLOCK_SIZE = 64
const KEY_WORDS = 8

/** Bytes of a nonce. */
export const XCHACHA_NONCE_SIZE = 24
export type ChachaRoundCount = 12 | 20

/** A stream cipher under one key. */
export interface Xchacha {
  /** `data ^= keystream`, from block 0 on. */
  mask(data: Uint8Array, nonce: Uint8Array): void
  destroy(): void
}

/**
 * XChaCha12 or XChaCha20 by noble's block function. It is the function itself that is used, for noble's streams refuse the
 * block counter 2^32 - 1, which HChaCha has to take as the first word of a nonce like any other. Bernstein, "Extending the
 * Salsa20 nonce"; draft-irtf-cfrg-xchacha.
 */
export function xchacha(key: Uint8Array, roundCount: ChachaRoundCount): Xchacha {
  const keyWords = wordsFrom(key, 0, KEY_WORDS)
  const subkey = new Uint32Array(KEY_WORDS)
  const block = new Uint32Array(BLOCK_SIZE / 4)
  const stream = new Uint32Array(3)

  /** HChaCha: the first and the last row of a block, without the addition of the input, which is taken back. */
  function makeSubkey(nonce: Uint32Array): void {
    __TESTS.chachaCore(CONSTANTS, keyWords, nonce.subarray(1, 4), block, nonce[0]!, roundCount)
    for (let word = 0; word < 4; word++) {
      subkey[word] = block[word]! - CONSTANTS[word]!
      subkey[word + 4] = block[word + 12]! - nonce[word]!
    }
  }

  return {
    mask(data, nonce) {
      const nonceWords = wordsFrom(nonce, 0, XCHACHA_NONCE_SIZE / 4)
      makeSubkey(nonceWords)
      // The counter has 64 bits, of which no sector needs the upper ones.
      stream.set(nonceWords.subarray(4), 1)
      for (let start = 0, counter = 0; start < data.length; start += BLOCK_SIZE, counter++) {
        __TESTS.chachaCore(CONSTANTS, subkey, stream, block, counter, roundCount)
        xorWords(data.subarray(start, start + BLOCK_SIZE), block)
      }
    },
    destroy() {
      for (const words of [keyWords, subkey, block]) words.fill(0)
    },
  }
}

/** `wordCount` words, little-endian. */
export function wordsFrom(bytes: Uint8Array, offset: number, wordCount: number): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Uint32Array.from({ length: wordCount }, (_, word) => view.getUint32(offset + word * 4, true))
}

/** `data ^= words`, whose end is left over; the length of `data` is a multiple of 4. */
function xorWords(data: Uint8Array, words: Uint32Array): void {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  for (let offset = 0, word = 0; offset < data.length; offset += 4, word++) {
    view.setUint32(offset, view.getUint32(offset, true) ^ words[word]!, true)
  }
}
