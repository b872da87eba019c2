import { createCipheriv, createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { bytesOf } from "../test/placement.ts"

/** IEEE 1619-2007, annex B: vectors 1 (its two keys are equal), 2 and 3. */
const SHORT_CASES = [
  {
    key: "00".repeat(32),
    iv: "00".repeat(16),
    plaintext: "00".repeat(32),
    ciphertext: "917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e",
  },
  {
    key: "11".repeat(16) + "22".repeat(16),
    iv: "3333333333".padEnd(32, "0"),
    plaintext: "44".repeat(32),
    ciphertext: "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
  },
  {
    key: `fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0${"22".repeat(16)}`,
    iv: "3333333333".padEnd(32, "0"),
    plaintext: "44".repeat(32),
    ciphertext: "af85336b597afc1a900b2eb21ec949d292df4c047e0b21532186a5971a227a89",
  },
]
/** Vectors 4 and 10: 512 bytes 00, 01 ... ff, 00 ...; the start of the ciphertext, and the SHA-256 of all of it. */
const LONG_CASES = [
  {
    key: "2718281828459045235360287471352631415926535897932384626433832795",
    iv: "00".repeat(16),
    start: "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c",
    sha256: "ebee4d64dd2395bb2d6a2d37a0a48ecb2bf4913cfc99d27c2214f2f4144715ea",
  },
  {
    key:
      "2718281828459045235360287471352662497757247093699959574966967627" +
      "3141592653589793238462643383279502884197169399375105820974944592",
    iv: "ff".padEnd(32, "0"),
    start: "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b",
    sha256: "e97e974fa393af794f7a4684395814cf820de60a01eaec677d87b452e316b364",
  },
]

interface VectorCase {
  readonly name: string
  readonly key: string
  readonly iv: string
  readonly plaintext: string
  readonly ciphertext: string
}

function readCases(file: string, list: string): readonly VectorCase[] {
  const text = readFileSync(new URL(`../test/${file}`, import.meta.url), "utf8")
  return (JSON.parse(text) as Readonly<Record<string, readonly VectorCase[]>>)[list] ?? []
}

/** A sample of NIST's, and Wycheproof's; the files say which. */
const VECTOR_CASES = [...readCases("xts-vectors.json", "cases"), ...readCases("wycheproof-vectors.json", "aes-xts")]

function encryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .setAutoPadding(false)
    .update(block)
}

/** IEEE 1619, 5.3.1 and 5.3.2 to the letter, for one sector, with the tweak as one number. */
function encryptByDefinition(key: Uint8Array, iv: Uint8Array, sector: Uint8Array): Uint8Array {
  const half = key.length / 2
  const target = new Uint8Array(sector.length)
  let tweak = BigInt(`0x${hex(encryptBlock(key.subarray(half), iv).toReversed())}`)
  for (let start = 0; start < sector.length; start += 16) {
    const mask = bytes(tweak.toString(16).padStart(32, "0")).toReversed()
    const xorMask = (block: Uint8Array) => block.map((byte, index) => byte ^ mask[index]!)
    target.set(xorMask(encryptBlock(key.subarray(0, half), xorMask(sector.subarray(start, start + 16)))), start)
    tweak <<= 1n
    if (tweak >> 128n) tweak ^= (1n << 128n) | 0x87n
  }
  return target
}

describe.each(engines)("aes-xts of the $name engine", (engine) => {
  test.each(SHORT_CASES)("IEEE 1619: $ciphertext", ({ key, iv, plaintext, ciphertext }) => {
    const cipher = engine.sectorCipher("aes-xts", bytes(key))
    const target = new Uint8Array(32)
    cipher.encryptSectors(bytes(plaintext), target, 32, bytes(iv))
    expect(hex(target)).toBe(ciphertext)
    cipher.decryptSectors(target, target, 32, bytes(iv))
    expect(hex(target)).toBe(plaintext)
  })

  test.each(LONG_CASES)("IEEE 1619: $start...", ({ key, iv, start, sha256 }) => {
    const cipher = engine.sectorCipher("aes-xts", bytes(key))
    const plaintext = Uint8Array.from({ length: 512 }, (_, index) => index % 256)
    const target = new Uint8Array(512)
    cipher.encryptSectors(plaintext, target, 512, bytes(iv))
    expect(hex(target.subarray(0, 32))).toBe(start)
    expect(createHash("sha256").update(target).digest("hex")).toBe(sha256)
    cipher.decryptSectors(target, target, 512, bytes(iv))
    expect(hex(target)).toBe(hex(plaintext))
  })

  test.each(VECTOR_CASES)("$name: $ciphertext", ({ key, iv, plaintext, ciphertext }) => {
    const cipher = engine.sectorCipher("aes-xts", bytes(key))
    const target = bytes(plaintext)
    cipher.encryptSectors(target, target, target.length, bytes(iv))
    expect(hex(target)).toBe(ciphertext)
    cipher.decryptSectors(target, target, target.length, bytes(iv))
    expect(hex(target)).toBe(plaintext)
  })

  test("keys of every size, equal halves too, are what the definition says", () => {
    const keys = fc
      .tuple(fc.constantFrom(16, 24, 32), fc.boolean())
      .chain(([size, isEqual]) =>
        isEqual ? bytesOf(size).map((half) => Uint8Array.of(...half, ...half)) : bytesOf(size * 2),
      )
    fc.assert(
      fc.property(keys, bytesOf(2 * 16), bytesOf(2 * 512), (key, ivs, data) => {
        const target = new Uint8Array(data.length)
        const cipher = engine.sectorCipher("aes-xts", key)
        cipher.encryptSectors(data, target, 512, ivs)
        const first = encryptByDefinition(key, ivs.subarray(0, 16), data.subarray(0, 512))
        const second = encryptByDefinition(key, ivs.subarray(16), data.subarray(512))
        expect(hex(target)).toBe(hex(first) + hex(second))
        cipher.decryptSectors(target, target, 512, ivs)
        expect(hex(target)).toBe(hex(data))
      }),
      { numRuns: runCount(30) },
    )
  })
})
