import { createCipheriv } from "node:crypto"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { bytesOf } from "../test/placement.ts"

const POLYNOMIAL = (1n << 128n) | 0x87n
const INDEX_COUNT = 1n << 128n

/** What Linux tests itself with, proposed to IEEE P1619; and three blocks that dm-crypt wrote as `aes-lrw-benbi`. */
const CASES = [
  {
    key: "4562ac25f828176d4c268414b5680185258e2a05e73e9d03ee5a830ccc094c87",
    iv: "00000000000000000000000000000001",
    plaintext: "30313233343536373839414243444546",
    ciphertext: "f1b273cd65a3df5fe95d489254634eb8",
  },
  {
    key: "7829e0ec6c207c25526bdf3bb42ddbc0310be0121c70391649ab23a28a0f76d1ff8e1128a9d6a327a4b50f5424b3d3b8",
    iv: "00000000000000000000000000000fe1",
    plaintext: "5d375ced79cebf41b318ac11ea67c4c0ddd2307f63aae251fa770aec61d9b7189f411fc5699f23e82a04b96162707631",
    ciphertext: "88a3145817a6727a268e93c3f77ceafc7cfc46ac77963d6c151d670b3dff499ddae3cd79eb248ee39ce22091cf8b2d85",
  },
]

const numberOf = (block: Uint8Array) => BigInt(`0x${hex(block)}`)
const blockOf = (value: bigint) => bytes(value.toString(16).padStart(32, "0"))

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n
  for (let bit = 127n; bit >= 0n; bit--) {
    product <<= 1n
    if (product >> 128n) product ^= POLYNOMIAL
    if ((b >> bit) & 1n) product ^= a
  }
  return product
}

/** C = E(P xor T) xor T with T = tweakKey * index, one block after the other. */
function encryptByDefinition(key: Uint8Array, source: Uint8Array, sectorSize: number, ivs: Uint8Array): Uint8Array {
  const [cipherKey, tweakKey] = [key.subarray(0, -16), numberOf(key.subarray(-16))]
  const target = new Uint8Array(source.length)
  for (let start = 0; start < source.length; start += 16) {
    const sector = Math.floor(start / sectorSize)
    const blockIndex = BigInt((start % sectorSize) / 16)
    const index = (numberOf(ivs.subarray(sector * 16, sector * 16 + 16)) + blockIndex) % INDEX_COUNT
    const tweak = multiply(tweakKey, index)
    const enciphered = createCipheriv(`aes-${cipherKey.length * 8}-ecb`, cipherKey, null)
      .setAutoPadding(false)
      .update(blockOf(numberOf(source.subarray(start, start + 16)) ^ tweak))
    target.set(blockOf(numberOf(enciphered) ^ tweak), start)
  }
  return target
}

/** Indices of every size, and those whose next ones carry far. */
const indices = fc.oneof(
  bytesOf(16),
  fc.bigInt({ min: 0n, max: 2n ** 40n }).map(blockOf),
  fc
    .tuple(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 0, max: 9 }))
    .map(([bits, below]) => blockOf((2n ** BigInt(bits) - 1n - BigInt(below) + INDEX_COUNT) % INDEX_COUNT)),
)

describe.each(engines)("aes-lrw of the $name engine", (engine) => {
  test.each(CASES)("known answer: $ciphertext", ({ key, iv, plaintext, ciphertext }) => {
    const cipher = engine.sectorCipher("aes-lrw", bytes(key))
    const target = bytes(plaintext)
    cipher.encryptSectors(target, target, target.length, bytes(iv))
    expect(hex(target)).toBe(ciphertext)
    cipher.decryptSectors(target, target, target.length, bytes(iv))
    expect(hex(target)).toBe(plaintext)
  })

  test("keys of every size and indices that carry are what the definition says", () => {
    const requests = fc.tuple(
      fc.constantFrom(32, 40, 48).chain(bytesOf),
      fc.constantFrom(16, 48, 512),
      fc.array(indices, { minLength: 1, maxLength: 3 }),
      bytesOf(3 * 512),
    )
    fc.assert(
      fc.property(requests, ([key, sectorSize, ivList, memory]) => {
        const ivs = new Uint8Array(ivList.flatMap((iv) => [...iv]))
        const data = memory.subarray(0, ivList.length * sectorSize)
        const target = new Uint8Array(data.length)
        const cipher = engine.sectorCipher("aes-lrw", key)
        cipher.encryptSectors(data, target, sectorSize, ivs)
        expect(hex(target)).toBe(hex(encryptByDefinition(key, data, sectorSize, ivs)))
        cipher.decryptSectors(target, target, sectorSize, ivs)
        expect(hex(target)).toBe(hex(data))
      }),
      { numRuns: runCount(30) },
    )
  })

  test("a key of another length is refused", () => {
    for (const length of [16, 31, 64]) {
      expect(() => engine.sectorCipher("aes-lrw", new Uint8Array(length))).toThrow(RangeError)
    }
  })
})
