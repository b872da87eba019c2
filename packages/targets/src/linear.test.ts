import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { testBlockDevice } from "@blockstrata/testkit"
import { describe, expect, it, test } from "vitest"
import { errorTarget } from "./error.ts"
import { linearTarget } from "./linear.ts"

const KIB = 1024

describe("conformance", () => {
  const lower = (minimumSizeBytes: number, blockSize = 512, tagSize = 0): BlockDevice =>
    memoryDevice({ size: Math.max(256 * KIB, minimumSizeBytes + 64 * KIB), blockSize, tagSize })
  const middle = (device: BlockDevice) => linearTarget({ lower: device, start: 8 * KIB, size: device.size - 24 * KIB })

  testBlockDevice({
    name: "linear, not the tail",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) => middle(base(lower(minimumSizeBytes))),
  })
  testBlockDevice({
    name: "linear over linear, 4096-byte blocks with tags",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) => middle(middle(base(lower(minimumSizeBytes, 4096, 7)))),
  })
})

test("passes what the lower can do, and no more of atomicSize than its start leaves", () => {
  const lower = memoryDevice({ size: 64 * KIB, blockSize: 4096, tagSize: 3 })
  const linear = linearTarget({ lower, start: 8 * KIB, size: 16 * KIB })
  expect(linear).toMatchObject({ size: 16 * KIB, blockSize: 4096, tagSize: 3, features: lower.features })
  expect(linear.layer.extents(4096, 8192)).toEqual([{ role: "data", offset: 12 * KIB, length: 8192 }])
})

test("block status comes in its own offsets", async () => {
  const lower = memoryDevice({ size: 64 * KIB })
  await lower.write(8 * KIB, new Uint8Array(8 * KIB).fill(1))
  const linear = linearTarget({ lower, start: 4 * KIB, size: 40 * KIB })
  const below = await lower.blockStatus(4 * KIB, 40 * KIB)
  expect(await linear.blockStatus(0, 40 * KIB)).toEqual(
    below.map((range) => ({ ...range, offset: range.offset - 4 * KIB })),
  )
})

test("an error below has its place here", async () => {
  const linear = linearTarget({ lower: errorTarget({ size: 64 * KIB }), start: 4 * KIB, size: 8 * KIB })
  await expect(linear.read(1024, new Uint8Array(1024))).rejects.toMatchObject({
    code: "IO",
    device: "linear",
    offset: 1024,
    length: 1024,
    cause: { device: "error", offset: 5 * KIB },
  })
})

test.each([
  ["a start off the blocks", 512, 4096],
  ["a size off the blocks", 4096, 4096 + 512],
  ["an end beyond", 4096, 64 * KIB],
  ["a start beyond", 128 * KIB, 4096],
  ["a negative start", -4096, 4096],
  ["no size", 0, 0],
  ["a fraction", 0.5, 4096],
])("refuses %s", (_, start, size) => {
  const lower = memoryDevice({ size: 64 * KIB, blockSize: 4096 })
  expect(() => linearTarget({ lower, start, size })).toThrow(RangeError)
})
