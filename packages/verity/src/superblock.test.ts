import { BlockError } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decodeVeritySuperblock, encodeVeritySuperblock, type VeritySuperblock } from "./superblock.ts"

const superblock: VeritySuperblock = {
  version: 1,
  uuid: "7eec9f7a-89c3-4a5a-86d5-6f9fc941ab53",
  algorithm: "sha256",
  dataBlockSize: 512,
  hashBlockSize: 4096,
  dataBlockCount: 600,
  salt: Uint8Array.of(0xaa, 0xbb),
}

const blockSizes = fc.integer({ min: 9, max: 19 }).map((exponent) => 2 ** exponent)
const superblocks: fc.Arbitrary<VeritySuperblock> = fc.record({
  version: fc.constantFrom(0 as const, 1 as const),
  uuid: fc.uuid(),
  algorithm: fc.constantFrom("sha256", "sha1", "sha512", "blake2b-512"),
  dataBlockSize: blockSizes,
  hashBlockSize: blockSizes,
  dataBlockCount: fc.integer({ min: 1, max: 2 ** 31 }),
  salt: fc.uint8Array({ maxLength: 256 }),
})

test("what was encoded decodes", () => {
  fc.assert(
    fc.property(superblocks, (value) => {
      expect(decodeVeritySuperblock(encodeVeritySuperblock(value))).toEqual(value)
    }),
  )
})

function poke(offset: number, hex: string): Uint8Array {
  const bytes = encodeVeritySuperblock(superblock)
  bytes.set(
    Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
    offset,
  )
  return bytes
}

describe("refused", () => {
  test.each([
    ["no signature", 0, "00", "CORRUPT"],
    ["version 0", 8, "00", "UNSUPPORTED"],
    ["version 2", 8, "02", "UNSUPPORTED"],
    ["hash type 2", 12, "02", "UNSUPPORTED"],
    ["no algorithm", 32, "00", "CORRUPT"],
    ["an endless algorithm", 32, "61".repeat(32), "CORRUPT"],
    ["an algorithm with a newline", 32, "0a", "CORRUPT"],
    ["data block size 1", 64, "01000000", "CORRUPT"],
    ["data block size 0", 64, "00000000", "CORRUPT"],
    ["data block size 1 MiB", 64, "00001000", "CORRUPT"],
    ["hash block size 4095", 68, "ff0f0000", "CORRUPT"],
    ["no data blocks", 72, "0000000000000000", "UNSUPPORTED"],
    ["2^64 - 1 data blocks", 72, "ffffffffffffffff", "CORRUPT"],
    ["2^53 bytes of data", 72, "0000000000100000", "CORRUPT"],
    ["salt of 257 bytes", 80, "0101", "CORRUPT"],
    ["salt of 65535 bytes", 80, "ffff", "CORRUPT"],
  ])("%s", (_, offset, hex, code) => {
    expect(() => decodeVeritySuperblock(poke(offset, hex))).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    ["algorithm", { algorithm: "" }],
    ["algorithm", { algorithm: "a".repeat(32) }],
    ["block size", { dataBlockSize: 511 }],
    ["count", { dataBlockCount: 0 }],
    ["count", { dataBlockCount: 2 ** 44 }],
    ["salt", { salt: new Uint8Array(257) }],
    ["uuid", { uuid: "7eec9f7a" }],
  ])("on encoding: %s %j", (_, change) => {
    expect(() => encodeVeritySuperblock({ ...superblock, ...change })).toThrow(RangeError)
  })
})

test("unused bytes are not looked at, and the largest volume decodes", () => {
  expect(decodeVeritySuperblock(poke(82, "ff"))).toEqual(superblock)
  expect(decodeVeritySuperblock(poke(400, "ff"))).toEqual(superblock)
  expect(decodeVeritySuperblock(poke(32, "534841323536"))).toEqual(superblock)
  expect(decodeVeritySuperblock(poke(72, "ffffffffff0f0000")).dataBlockCount).toBe(2 ** 44 - 1)
})

test("any bytes decode or are refused by a BlockError", () => {
  const mutations = fc.array(fc.tuple(fc.nat(511), fc.nat(255)), { maxLength: 12 })
  fc.assert(
    fc.property(superblocks, mutations, (value, changes) => {
      const bytes = encodeVeritySuperblock(value)
      for (const [offset, byte] of changes) bytes[offset] = byte
      try {
        const decoded = decodeVeritySuperblock(bytes)
        // What decodes is within bounds: it encodes again, but for names that veritysetup would not write.
        if (/^[a-z0-9][a-z0-9_-]*$/.test(decoded.algorithm)) encodeVeritySuperblock(decoded)
      } catch (error) {
        expect(error).toBeInstanceOf(BlockError)
      }
    }),
    { numRuns: 5000 },
  )
})
