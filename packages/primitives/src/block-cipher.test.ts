import { createCipheriv } from "node:crypto"
import { equalBytes } from "@noble/ciphers/utils.js"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { bytesOf, isGuarded, patternBytes, place, placements } from "../test/placement.ts"

/** FIPS 197, appendix C. */
const PLAINTEXT = "00112233445566778899aabbccddeeff"
const CASES = [
  { key: "000102030405060708090a0b0c0d0e0f", ciphertext: "69c4e0d86a7b0430d8cdb78070b4c55a" },
  { key: "000102030405060708090a0b0c0d0e0f1011121314151617", ciphertext: "dda97ca4864cdfe06eaf70a0ec0d7191" },
  {
    key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ciphertext: "8ea2b7ca516745bfeafc49904b496089",
  },
]

function encryptByOpenSsl(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .setAutoPadding(false)
    .update(data)
}

describe.each(engines)("block cipher of the $name engine", (engine) => {
  test.each(CASES)("FIPS 197: $key", ({ key, ciphertext }) => {
    const cipher = engine.blockCipher("aes", bytes(key))
    expect(cipher.blockSize).toBe(16)
    const target = new Uint8Array(16)
    cipher.encryptBlocks(bytes(PLAINTEXT), target)
    expect(hex(target)).toBe(ciphertext)
    cipher.decryptBlocks(target, target)
    expect(hex(target)).toBe(PLAINTEXT)
  })

  test("blocks at any alignment, in place or not", () => {
    const runs = fc
      .tuple(fc.constantFrom(16, 24, 32).chain(bytesOf), fc.integer({ min: 0, max: 40 }))
      .chain(([key, count]) => fc.tuple(fc.constant(key), bytesOf(count * 16), placements, placements, fc.boolean()))
    fc.assert(
      fc.property(runs, ([key, data, sourcePlace, targetPlace, isInPlace]) => {
        const cipher = engine.blockCipher("aes", key)
        const source = place(data, sourcePlace)
        const target = isInPlace ? source : place(new Uint8Array(data.length), targetPlace)
        cipher.encryptBlocks(source, target)
        expect(hex(target)).toBe(hex(encryptByOpenSsl(key, data)))
        expect(hex(source)).toBe(hex(isInPlace ? target : data))
        cipher.decryptBlocks(target, source)
        expect(hex(source)).toBe(hex(data))
        expect(isGuarded(source) && isGuarded(target)).toBe(true)
      }),
      { numRuns: runCount(60) },
    )
  })

  test("one object serves many requests, of several pieces too, in both directions", () => {
    const key = patternBytes(32)
    const cipher = engine.blockCipher("aes", key)
    for (const length of [300_000, 16, 131_072, 131_088]) {
      const data = patternBytes(length, length)
      const target = data.slice()
      cipher.encryptBlocks(target, target)
      expect(equalBytes(target, encryptByOpenSsl(key, data))).toBe(true)
      cipher.decryptBlocks(target, target)
      expect(equalBytes(target, data)).toBe(true)
    }
  })

  test("the caller's key may be wiped at once", () => {
    const key = patternBytes(32)
    const cipher = engine.blockCipher("aes", key)
    const expected = encryptByOpenSsl(key, new Uint8Array(16))
    key.fill(0)
    const target = new Uint8Array(16)
    cipher.encryptBlocks(target, target)
    expect(hex(target)).toBe(hex(expected))
  })
})
