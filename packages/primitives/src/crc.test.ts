import { crc32 as zipCrc32 } from "node:zlib"
import { crc32c } from "@aws-crypto/crc32c"
import { hexToBytes as bytes, bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { engines } from "../test/engines.ts"
import { patternBytes, place, placements } from "../test/placement.ts"
import { crcDigest } from "./crc.ts"
import type { CrcName } from "./crc-tables.ts"
import { loadCrcKernel } from "./kernel/crc-kernel.ts"
import { type Kernels, lazyKernels } from "./kernel/kernels.ts"
import { unitHashOf } from "./unit-hash.ts"

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

type Crc = (message: Uint8Array) => number
/** zlib inverts the state before and after; the kernel's `crc32` is its polynomial without either. */
const OTHERS: readonly [CrcName, Crc][] = [
  ["crc32c", crc32c],
  ["crc32", (message) => ~zipCrc32(message, 0xffffffff) >>> 0],
]

describe.each(engines)("CRCs of the $name engine", (engine) => {
  test.each(CASES)("RFC 3720: $digest", ({ message, digest }) => {
    expect(hex(engine.hash("crc32c").digest(bytes(message)))).toBe(digest)
  })

  test.each(OTHERS)("%s agrees with @aws-crypto/crc32c or zlib, whole and in parts", (name, other) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 300 }), placements, (message, cut, placement) => {
        const placed = place(message, placement)
        const expected = new Uint8Array(4)
        new DataView(expected.buffer).setUint32(0, other(message), true)
        const hash = engine.hash(name)
        expect(hex(hash.digest(placed))).toBe(hex(expected))
        expect(hex(hash.digest(placed.subarray(0, cut), placed.subarray(cut)))).toBe(hex(expected))
      }),
    )
  })

  test.each(OTHERS)(
    "%s: the same at every length and alignment, by unit and in the engine's own memory",
    (name, other) => {
      const memory = engine.allocate(1200)
      memory.set(patternBytes(memory.length))
      const hash = engine.hash(name)
      for (let unitSize = 0; unitSize <= 580; unitSize++) {
        const data = memory.subarray(unitSize % 17, (unitSize % 17) + 2 * unitSize)
        const expected = new Uint32Array([other(data.subarray(0, unitSize)), other(data.subarray(unitSize))])
        for (const units of [data, new Uint8Array(data)]) {
          const digests = new Uint8Array(8)
          hash.digestUnits({ data: units, unitSize }, digests)
          const view = new DataView(digests.buffer)
          expect([unitSize, view.getUint32(0, true), view.getUint32(4, true)]).toEqual([unitSize, ...expected])
        }
      }
    },
  )
})

test.each(["crc32", "crc32c"] as const)(
  "the kernel of %s gives its known answer on this host, once per engine",
  (name) => {
    const kernels = lazyKernels()() as Kernels
    expect(loadCrcKernel[name](kernels)).toBeDefined()
    expect(loadCrcKernel[name](kernels)).toBe(loadCrcKernel[name](kernels))
  },
)

test("a kernel that answers wrongly is not used, and one that has no room is not made", () => {
  const kernels = lazyKernels()() as Kernels
  const load = (binary: string) => ({ ...kernels.load(binary), extend: () => {} })
  expect(loadCrcKernel.crc32c({ ...kernels, load })).toBeUndefined()
  const full = { ...kernels, reserve: () => -1 }
  expect(loadCrcKernel.crc32c(full)).toBeUndefined()
  expect(hex(unitHashOf(crcDigest("crc32c", full)).digest(utf8ToBytes("123456789")))).toBe("839206e3")
})
