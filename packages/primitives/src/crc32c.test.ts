import { crc32c } from "@aws-crypto/crc32c"
import { hexToBytes as bytes, bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { engines } from "../test/engines.ts"
import { place, placements } from "../test/placement.ts"

/** RFC 3720, B.4, as the bytes stand there; the check value of the CRC catalogues is e3069283. */
const CASES = [
  { message: hex(utf8ToBytes("123456789")), digest: "839206e3" },
  { message: "00".repeat(32), digest: "aa36918a" },
  { message: "ff".repeat(32), digest: "43aba862" },
  { message: hex(Uint8Array.from({ length: 32 }, (_, index) => index)), digest: "4e79dd46" },
  { message: hex(Uint8Array.from({ length: 32 }, (_, index) => 31 - index)), digest: "5cdb3f11" },
  {
    message: "01c0000000000000000000000000000014000000000004000000001400000018280000000000000002" + "00".repeat(7),
    digest: "563a96d9",
  },
]

describe.each(engines)("CRC32C of the $name engine", (engine) => {
  test.each(CASES)("RFC 3720: $digest", ({ message, digest }) => {
    expect(hex(engine.hash("crc32c").digest(bytes(message)))).toBe(digest)
  })

  test("agrees with @aws-crypto/crc32c, whole and in parts", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 300 }), placements, (message, cut, placement) => {
        const placed = place(message, placement)
        const expected = new Uint8Array(4)
        new DataView(expected.buffer).setUint32(0, crc32c(message), true)
        const hash = engine.hash("crc32c")
        expect(hex(hash.digest(placed))).toBe(hex(expected))
        expect(hex(hash.digest(placed.subarray(0, cut), placed.subarray(cut)))).toBe(hex(expected))
      }),
    )
  })
})
