import { bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import { describe, expect, test } from "vitest"
import xxhash from "xxhash-wasm"
import { engines } from "../test/engines.ts"
import { patternBytes } from "../test/placement.ts"
import { type Kernels, lazyKernels } from "./kernel/kernels.ts"
import { loadXxh64Kernel } from "./kernel/xxh64-kernel.ts"
import { unitHashOf } from "./unit-hash.ts"
import { xxh64Digest } from "./xxh64.ts"

const { h64Raw } = await xxhash()

function digestByLibrary(message: Uint8Array): string {
  const digest = new Uint8Array(8)
  new DataView(digest.buffer).setBigUint64(0, h64Raw(message), true)
  return hex(digest)
}

describe.each(engines)("XXH64 of the $name engine", (engine) => {
  test("agrees with xxhash-wasm at every length and alignment, whole, in parts and by unit", () => {
    const hash = engine.hash("xxhash64")
    const memory = patternBytes(700)
    for (let unitSize = 0; unitSize <= 330; unitSize++) {
      const data = memory.subarray(unitSize % 17, (unitSize % 17) + 2 * unitSize)
      const [first, second] = [data.subarray(0, unitSize), data.subarray(unitSize)]
      expect(hex(hash.digest(data))).toBe(digestByLibrary(data))
      expect(hex(hash.digest(first, second))).toBe(digestByLibrary(data))
      const digests = new Uint8Array(16)
      hash.digestUnits({ data, unitSize }, digests)
      expect([unitSize, hex(digests)]).toEqual([unitSize, digestByLibrary(first) + digestByLibrary(second)])
    }
  })

  test("agrees with it where a message, or all messages of a piece, have no room in the kernel's memory", () => {
    const hash = engine.hash("xxhash64")
    const long = patternBytes(1024 * 1024 + 5)
    expect(hex(hash.digest(long))).toBe(digestByLibrary(long))
    const digests = new Uint8Array(8)
    hash.digestUnits({ data: long, unitSize: long.length }, digests)
    expect(hex(digests)).toBe(digestByLibrary(long))
    const prefix = patternBytes(400 * 1024)
    const tags = new Uint8Array(5 * 8)
    hash.digestUnits({ data: long.subarray(0, 5), unitSize: 1, prefix }, tags)
    const message = (index: number) => Uint8Array.from([...prefix, long[index] ?? 0])
    expect(hex(tags)).toBe([0, 1, 2, 3, 4].map((index) => digestByLibrary(message(index))).join(""))
  })
})

test("the kernel gives its known answer on this host, once per engine", () => {
  const kernels = lazyKernels()() as Kernels
  expect(loadXxh64Kernel(kernels)).toBeDefined()
  expect(loadXxh64Kernel(kernels)).toBe(loadXxh64Kernel(kernels))
})

test("a kernel that answers wrongly is not used", () => {
  const kernels = lazyKernels()() as Kernels
  const broken = { ...kernels, load: () => ({ digest: () => {} }) }
  expect(loadXxh64Kernel(broken)).toBeUndefined()
  expect(hex(unitHashOf(xxh64Digest(broken)).digest(utf8ToBytes("abc")))).toBe("990977adf52cbc44")
})
