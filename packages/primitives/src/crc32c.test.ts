import { crc32c } from "@aws-crypto/crc32c"
import { hexToBytes as bytes, bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { engines } from "../test/engines.ts"
import { patternBytes, place, placements } from "../test/placement.ts"
import { crc32cDigest } from "./crc32c.ts"
import { loadCrc32cKernel } from "./kernel/crc32c-kernel.ts"
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

  test("agrees with @aws-crypto/crc32c at every length and alignment, by unit and in the engine's own memory", () => {
    const memory = engine.allocate(1200)
    memory.set(patternBytes(memory.length))
    const hash = engine.hash("crc32c")
    for (let unitSize = 0; unitSize <= 580; unitSize++) {
      const data = memory.subarray(unitSize % 17, (unitSize % 17) + 2 * unitSize)
      const expected = new Uint32Array([crc32c(data.subarray(0, unitSize)), crc32c(data.subarray(unitSize))])
      for (const units of [data, new Uint8Array(data)]) {
        const digests = new Uint8Array(8)
        hash.digestUnits({ data: units, unitSize }, digests)
        const view = new DataView(digests.buffer)
        expect([unitSize, view.getUint32(0, true), view.getUint32(4, true)]).toEqual([unitSize, ...expected])
      }
    }
  })
})

test("the kernel gives its known answer on this host, once per engine", () => {
  const kernels = lazyKernels()() as Kernels
  expect(loadCrc32cKernel(kernels)).toBeDefined()
  expect(loadCrc32cKernel(kernels)).toBe(loadCrc32cKernel(kernels))
})

test("a kernel that answers wrongly is not used, and one that has no room is not made", () => {
  const kernels = lazyKernels()() as Kernels
  const load = (binary: string) => ({ ...kernels.load(binary), extend: () => {} })
  expect(loadCrc32cKernel({ ...kernels, load })).toBeUndefined()
  const full = { ...kernels, reserve: () => -1 }
  expect(loadCrc32cKernel(full)).toBeUndefined()
  expect(hex(unitHashOf(crc32cDigest(full)).digest(utf8ToBytes("123456789")))).toBe("839206e3")
})
