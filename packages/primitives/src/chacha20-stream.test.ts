import { createCipheriv } from "node:crypto"
import { expect, it } from "vitest"
import { chacha20Stream } from "./chacha20-stream.ts"

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 7)

/** OpenSSL's IV is the counter, little-endian, and then the nonce. */
function expected(length: number, blockIndex: number): Uint8Array {
  const iv = Buffer.alloc(16)
  iv.writeUInt32LE(blockIndex)
  return new Uint8Array(createCipheriv("chacha20", KEY, iv).update(Buffer.alloc(length)))
}

it("gives OpenSSL's keystream, wherever it begins, at any alignment", () => {
  const stream = chacha20Stream(KEY)
  for (const [length, blockIndex] of [
    [1, 0],
    [4096, 0],
    [100, 3],
    [8192, 2 ** 31 - 64],
    [64, 2 ** 32 - 2],
  ] as const) {
    const data = new Uint8Array(length + 3).subarray(3)
    stream.mask(data, blockIndex)
    expect(Buffer.compare(data, expected(length, blockIndex))).toBe(0)
  }
  stream.destroy()
})

it("masks twice to the same bytes", () => {
  const stream = chacha20Stream(KEY)
  const data = Uint8Array.from({ length: 1000 }, (_, index) => index % 251)
  const original = new Uint8Array(data)
  stream.mask(data, 5)
  expect(data).not.toEqual(original)
  stream.mask(data, 5)
  expect(data).toEqual(original)
})

it("refuses other keys, and places beyond its keystream", () => {
  expect(() => chacha20Stream(KEY.subarray(1))).toThrow(RangeError)
  for (const place of [-1, 0.5, 2 ** 32 - 1]) {
    expect(() => chacha20Stream(KEY).mask(new Uint8Array(64), place)).toThrow(RangeError)
  }
})
