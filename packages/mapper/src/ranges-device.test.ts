import { type BlockDevice, defineDevice, memoryDevice } from "@blockstrata/device"
import { errorTarget, linearTarget, zeroTarget } from "@blockstrata/targets"
import { testBlockDevice } from "@blockstrata/testkit"
import { describe, expect, it, test } from "vitest"
import { rangesDevice, rangesProblem } from "./ranges-device.ts"

const KIB = 1024

describe("conformance", () => {
  testBlockDevice({
    name: "ranges",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) =>
      rangesDevice([
        base(memoryDevice({ size: 3 * 512 })),
        base(memoryDevice({ size: Math.ceil(minimumSizeBytes / 512) * 512 + 64 * KIB })),
        base(memoryDevice({ size: 5 * 512 })),
      ]),
  })
  testBlockDevice({
    name: "ranges with tags, nested",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) => {
      const part = (size: number) => base(memoryDevice({ size, blockSize: 4096, tagSize: 3 }))
      const inner = rangesDevice([part(64 * KIB), part(8192)])
      return rangesDevice([part(4096), inner, part(Math.ceil(minimumSizeBytes / 4096) * 4096 + 8192)])
    },
  })
  testBlockDevice({
    name: "ranges whose blocks differ",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) =>
      rangesDevice([
        base(memoryDevice({ size: 8192 })),
        base(memoryDevice({ size: Math.ceil(minimumSizeBytes / 4096) * 4096 + 64 * KIB, blockSize: 4096 })),
      ]),
  })
})

test("requests are split where ranges meet", async () => {
  const media = [512, 1024, 2560].map((size) => new Uint8Array(size))
  const whole = rangesDevice(media.map((bytes) => memoryDevice({ bytes })))
  expect(whole).toMatchObject({ size: 4096, blockSize: 512, layer: { name: "table" } })
  const data = Uint8Array.from({ length: 2048 }, (_, index) => index % 251)
  await whole.write(0, data)
  expect(media.map((bytes) => bytes.subarray(0, 512))).toEqual([
    data.subarray(0, 512),
    data.subarray(512, 1024),
    data.subarray(1536),
  ])
  const buffer = new Uint8Array(1024)
  await whole.read(1024, buffer)
  expect(buffer).toEqual(data.subarray(1024))
  expect(whole.layer.extents(0, 2048)).toEqual([
    { role: "range0", offset: 0, length: 512 },
    { role: "range1", offset: 0, length: 1024 },
    { role: "range2", offset: 0, length: 512 },
  ])
})

describe("places of errors", () => {
  const good = (size: number) => memoryDevice({ size })
  const bad = (size: number) => errorTarget({ size })
  const failure = (offset: number, length: number) => ({ code: "IO", device: "table", offset, length })
  const read = (device: BlockDevice, offset: number, length: number) => device.read(offset, new Uint8Array(length))

  test("the part of the request that lies on the bad range", async () => {
    const whole = rangesDevice([good(1024), bad(2048), good(1024)])
    await expect(read(whole, 0, 4096)).rejects.toMatchObject({ ...failure(1024, 2048), cause: { device: "error" } })
    await expect(read(whole, 2048, 1536)).rejects.toMatchObject(failure(2048, 1024))
    await expect(whole.write(512, new Uint8Array(1024))).rejects.toMatchObject(failure(1024, 512))
    await read(whole, 0, 1024)
    await read(whole, 3072, 1024)
  })

  test("a run goes on over ranges that fail for the same reason, and ends at a good one", async () => {
    const whole = rangesDevice([good(512), bad(512), bad(1024), good(512), bad(512)])
    await expect(read(whole, 0, 3072)).rejects.toMatchObject(failure(512, 1536))
    await expect(read(whole, 2048, 1024)).rejects.toMatchObject(failure(2560, 512))
  })

  test("whole blocks, where a range has smaller ones", async () => {
    const scratched = rangesDevice([good(2048), bad(512), good(1536)])
    const whole = rangesDevice([scratched, memoryDevice({ size: 8192, blockSize: 4096 })])
    await expect(read(whole, 0, 12 * KIB)).rejects.toMatchObject(failure(0, 4096))
    await read(whole, 4096, 8192)
  })

  test("a bug stays a bug", async () => {
    const buggy = defineDevice({
      name: "buggy",
      size: 512,
      blockSize: 512,
      async read() {
        throw new TypeError("oops")
      },
    })
    await expect(read(rangesDevice([bad(512), buggy]), 0, 1024)).rejects.toBeInstanceOf(TypeError)
  })
})

test("features are those of all ranges", () => {
  const memory = () => memoryDevice({ size: 64 * KIB })
  expect(rangesDevice([memory(), memory()]).features).toMatchObject({
    write: true,
    discard: true,
    fua: true,
    atomicSize: 512,
  })
  expect(rangesDevice([memory(), zeroTarget({ size: 512 })]).features).toMatchObject({ write: true, discard: false })
  expect(rangesDevice([memory(), errorTarget({ size: 512 })]).features).toMatchObject({ fua: false, atomicSize: 0 })
  expect(rangesDevice([memory(), memoryDevice({ size: 512, readOnly: true })]).features.write).toBe(false)
})

test("block status is joined, and told in whole blocks", async () => {
  const zero = (size: number) => zeroTarget({ size })
  const inner = rangesDevice([zero(2048), errorTarget({ size: 2048 })])
  const odd = rangesDevice([inner, memoryDevice({ size: 4096, blockSize: 4096 })])
  expect(await odd.blockStatus(0, 8192)).toEqual([{ offset: 0, length: 8192, kind: "allocated" }])
  const even = rangesDevice([zero(2048), errorTarget({ size: 2048 })])
  expect(await even.blockStatus(512, 2048)).toEqual([
    { offset: 512, length: 1536, kind: "zero" },
    { offset: 2048, length: 512, kind: "allocated" },
  ])
})

test("ranges that Linux does not join, and those that it joins inside a block", () => {
  const of = (size: number, blockSize: number, tagSize = 0) => memoryDevice({ size, blockSize, tagSize })
  const problem = (code: string, text: string) => ({ code, message: expect.stringContaining(text) })
  expect(rangesProblem([of(4096, 512), of(4096, 4096)])).toBeUndefined()
  expect(rangesProblem([of(2048, 512), of(2048, 512), of(4096, 4096)])).toEqual(problem("UNSUPPORTED", "line 2"))
  expect(rangesProblem([of(2048, 512), of(4096, 4096), of(2048, 512)])).toEqual(problem("INVALID", "line 2"))
  expect(rangesProblem([of(4096, 4096), of(2048, 512)])).toEqual(problem("INVALID", "last line"))
  expect(rangesProblem([of(4096, 512, 4), of(4096, 512)])).toEqual(problem("INVALID", "tags"))
  expect(rangesProblem([of(4096, 512, 4), of(4096, 4096, 4)])).toEqual(problem("INVALID", "tags"))
  expect(() => rangesDevice([of(4096, 4096), of(2048, 512)])).toThrow(RangeError)
  expect(() => rangesDevice([])).toThrow(RangeError)
})

test("close closes every range", async () => {
  const lowers = [0, 1].map(() => memoryDevice({ size: 4096 }))
  const whole = rangesDevice(lowers.map((lower) => linearTarget({ lower, start: 0, size: 4096 })))
  await whole.close()
  for (const lower of lowers) await expect(lower.flush()).rejects.toMatchObject({ code: "CLOSED" })
})
