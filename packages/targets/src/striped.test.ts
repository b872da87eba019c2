import { type BlockDevice, defineDevice, memoryDevice } from "@blockstrata/device"
import { testBlockDevice } from "@blockstrata/testkit"
import fc from "fast-check"
import { describe, expect, it, test } from "vitest"
import { errorTarget } from "./error.ts"
import { linearTarget } from "./linear.ts"
import { stripedTarget } from "./striped.ts"

const KIB = 1024

/** Counts the requests that reach a device. */
function counted(lower: BlockDevice): { device: BlockDevice; counts: { read: number; write: number } } {
  const counts = { read: 0, write: 0 }
  const device = defineDevice({
    ...lower,
    name: "counted",
    features: { write: true },
    read: (offset, buffer, tags) => {
      counts.read += 1
      return lower.read(offset, buffer, tags)
    },
    write: (offset, data, options) => {
      counts.write += 1
      return lower.write(offset, data, options)
    },
    flush: () => lower.flush(),
  })
  return { device, counts }
}

/** Lower devices of which `bad` (bytes, from) cannot be read. */
function withBadRange(size: number, from: number, length: number): BlockDevice {
  const error = errorTarget({ size })
  const memory = memoryDevice({ size })
  return defineDevice({
    name: "scratched",
    size,
    blockSize: 512,
    async read(offset, buffer) {
      const start = Math.max(offset, from)
      const end = Math.min(offset + buffer.length, from + length)
      await (start < end ? error.read(start, new Uint8Array(end - start)) : memory.read(offset, buffer))
    },
    lowers: [{ role: "data", device: error }],
    extents: (offset, extentLength) => [{ role: "data", offset, length: extentLength }],
  })
}

describe("conformance", () => {
  const stripes = (minimumSizeBytes: number, base: (device: BlockDevice) => BlockDevice, unit: number, tagSize = 0) => {
    const width = Math.ceil(Math.max(192 * KIB, minimumSizeBytes) / (3 * unit)) * unit
    const blockSize = tagSize === 0 ? 512 : 4096
    const lowers = [0, 4096, 8192].map((start) => ({
      lower: base(memoryDevice({ size: width + 16 * KIB, blockSize, tagSize })),
      start,
    }))
    return stripedTarget({ lowers, chunkSize: unit, size: width * 3 })
  }
  testBlockDevice({
    name: "striped by 3 sectors",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) => stripes(minimumSizeBytes, base, 1536),
  })
  testBlockDevice({
    name: "striped by 64 KiB",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) => stripes(minimumSizeBytes, base, 64 * KIB),
  })
  testBlockDevice({
    name: "striped with tags, over linear",
    runner: { describe, it },
    create: ({ minimumSizeBytes, base }) => {
      const lower = stripes(minimumSizeBytes, base, 12 * KIB, 5)
      return linearTarget({ lower, start: 4096, size: lower.size - 12 * KIB })
    },
  })
})

test("each byte and tag lies where the definition says, however it is written and read", async () => {
  const shapes = fc.record({
    stripeCount: fc.integer({ min: 1, max: 4 }),
    chunkBlocks: fc.constantFrom(1, 2, 3, 5, 128, 192),
    rowCount: fc.integer({ min: 1, max: 4 }),
    tagSize: fc.constantFrom(0, 3),
    starts: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ stripeCount, chunkBlocks, rowCount, tagSize, starts, cut }) => {
      const chunkSize = chunkBlocks * 512
      const width = rowCount * chunkSize
      const media = starts.slice(0, stripeCount).map((start) => {
        const bytes = new Uint8Array(width + 4 * 512)
        const tagBytes = new Uint8Array((bytes.length / 512) * tagSize)
        return { bytes, tagBytes, start: start * 512, lower: memoryDevice({ bytes, tagBytes, tagSize }) }
      })
      const size = width * stripeCount
      const striped = stripedTarget({ lowers: media, chunkSize, size })
      const data = Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >>> 9) * 31) % 251)
      const tags = Uint8Array.from({ length: (size / 512) * tagSize }, (_, index) => index % 241)
      const middle = Math.floor((cut * size) / 512) * 512
      const tagMiddle = (middle / 512) * tagSize
      await striped.write(0, data.subarray(0, middle), { tags: tags.subarray(0, tagMiddle) })
      await striped.write(middle, data.subarray(middle), { tags: tags.subarray(tagMiddle) })

      const expected = media.map(({ bytes, tagBytes }) => ({
        bytes: new Uint8Array(bytes.length),
        tagBytes: new Uint8Array(tagBytes.length),
      }))
      for (let block = 0; block < size / 512; block += 1) {
        const chunkIndex = Math.floor(block / chunkBlocks)
        const stripe = chunkIndex % stripeCount
        const at =
          (Math.floor(chunkIndex / stripeCount) * chunkBlocks + (block % chunkBlocks)) * 512 + media[stripe]!.start
        expected[stripe]!.bytes.set(data.subarray(block * 512, block * 512 + 512), at)
        expected[stripe]!.tagBytes.set(tags.subarray(block * tagSize, (block + 1) * tagSize), (at / 512) * tagSize)
      }
      for (const [stripe, { bytes, tagBytes }] of media.entries()) {
        expect(Buffer.compare(bytes, expected[stripe]!.bytes)).toBe(0)
        expect(Buffer.compare(tagBytes, expected[stripe]!.tagBytes)).toBe(0)
      }
      const readBack = { data: new Uint8Array(size), tags: new Uint8Array(tags.length) }
      await striped.read(0, readBack.data, readBack.tags)
      expect(Buffer.compare(readBack.data, data)).toBe(0)
      expect(Buffer.compare(readBack.tags, tags)).toBe(0)
    }),
    { numRuns: 30 },
  )
})

test("a request is one lower request per stripe and MiB where chunks are small, one per chunk where they are large", async () => {
  for (const [chunkSize, expected] of [
    [4 * KIB, 2],
    [64 * KIB, 16],
  ] as const) {
    const lowers = [0, 1].map(() => counted(memoryDevice({ size: 1024 * KIB })))
    const striped = stripedTarget({
      lowers: lowers.map(({ device }) => ({ lower: device, start: 0 })),
      chunkSize,
      size: 2048 * KIB,
    })
    await striped.write(0, new Uint8Array(2048 * KIB))
    await striped.read(0, new Uint8Array(2048 * KIB))
    for (const { counts } of lowers) expect(counts).toEqual({ read: expected, write: expected })
  }
})

test("an error is the lowest failing run of this device, whatever lies lowest below", async () => {
  // Chunks of 1 KiB. The second stripe begins at 0 of its lower, the first far into it.
  const lowers = [
    { lower: withBadRange(64 * KIB, 32 * KIB + 2048, 512), start: 32 * KIB },
    { lower: withBadRange(64 * KIB, 3072, 1024), start: 0 },
  ]
  const striped = stripedTarget({ lowers, chunkSize: 1024, size: 16 * KIB })
  const failure = { code: "IO", device: "striped", offset: 4096, length: 512, cause: { device: "scratched" } }
  await expect(striped.read(0, new Uint8Array(16 * KIB))).rejects.toMatchObject(failure)
  const next = { code: "IO", offset: 7168, length: 1024 }
  await expect(striped.read(5120, new Uint8Array(8 * KIB))).rejects.toMatchObject(next)
  await striped.read(8192, new Uint8Array(8 * KIB))
})

test("a failing run goes on over stripes", async () => {
  const lowers = [0, 1, 2].map(() => ({ lower: withBadRange(64 * KIB, 1024, 2048), start: 0 }))
  const striped = stripedTarget({ lowers, chunkSize: 1024, size: 24 * KIB })
  const failure = { code: "IO", offset: 3072, length: 6144 }
  await expect(striped.read(0, new Uint8Array(24 * KIB))).rejects.toMatchObject(failure)
})

/** A device whose first `allocated` bytes hold something. */
function filled(size: number, allocated: number): BlockDevice {
  const ranges = [
    { offset: 0, length: allocated, kind: "allocated" as const },
    { offset: allocated, length: size - allocated, kind: "hole" as const },
  ]
  return defineDevice({
    name: "filled",
    size,
    blockSize: 512,
    async read() {},
    async blockStatus(offset, length) {
      return ranges.flatMap((range) => {
        const start = Math.max(offset, range.offset)
        const end = Math.min(offset + length, range.offset + range.length)
        return start < end ? [{ offset: start, length: end - start, kind: range.kind }] : []
      })
    },
  })
}

test("block status is told chunk by chunk, and only where it fits the blocks", async () => {
  const status = (blockSize: number, allocated: number) => {
    const lowers = [
      { lower: filled(64 * KIB, 4096 + allocated), start: 4096 },
      { lower: memoryDevice({ size: 64 * KIB, blockSize }), start: 0 },
    ]
    return stripedTarget({ lowers, chunkSize: 8192, size: 64 * KIB }).blockStatus(4096, 28 * KIB)
  }
  expect(await status(512, 8192 + 512)).toEqual([
    { offset: 4096, length: 4096, kind: "allocated" },
    { offset: 8192, length: 8192, kind: "hole" },
    { offset: 16 * KIB, length: 512, kind: "allocated" },
    { offset: 16 * KIB + 512, length: 15 * KIB + 512, kind: "hole" },
  ])
  expect(await status(4096, 8192 + 512)).toEqual([{ offset: 4096, length: 28 * KIB, kind: "allocated" }])
  expect(await status(512, 0)).toEqual([{ offset: 4096, length: 28 * KIB, kind: "hole" }])
})

test("blocks are the largest below", () => {
  const lowers = [
    { lower: memoryDevice({ size: 64 * KIB }), start: 4096 },
    { lower: memoryDevice({ size: 64 * KIB, blockSize: 4096 }), start: 0 },
  ]
  const striped = stripedTarget({ lowers, chunkSize: 8192, size: 64 * KIB })
  expect(striped).toMatchObject({ blockSize: 4096, features: { atomicSize: 512, discard: true, write: true } })
  expect(striped.layer.extents(4096, 16 * KIB)).toEqual([
    { role: "stripe0", offset: 8192, length: 8192 },
    { role: "stripe1", offset: 0, length: 8192 },
  ])
})

test("discard and zeroes reach every stripe once", async () => {
  const media = [0, 1].map(() => new Uint8Array(16 * KIB).fill(1))
  const striped = stripedTarget({
    lowers: media.map((bytes) => ({ lower: memoryDevice({ bytes }), start: 0 })),
    chunkSize: 512,
    size: 32 * KIB,
  })
  await striped.writeZeroes(512, 2048)
  await striped.discard(30 * KIB, 2048)
  const buffer = new Uint8Array(32 * KIB)
  await striped.read(0, buffer)
  const expected = new Uint8Array(32 * KIB)
    .fill(1)
    .fill(0, 512, 2560)
    .fill(0, 30 * KIB)
  expect(Buffer.compare(buffer, expected)).toBe(0)
})

test.each<[string, { lowers?: []; chunkSize?: number; size?: number; start?: number }]>([
  ["no stripe", { lowers: [] }],
  ["a chunk off the blocks", { chunkSize: 512 }],
  ["a size of broken chunks", { size: 12 * KIB }],
  ["a size that the stripes do not divide", { size: 12 * KIB + 512 }],
  ["a stripe beyond its device", { size: 128 * KIB }],
  ["a start off the blocks", { start: 512 }],
  ["no chunk", { chunkSize: 0 }],
])("refuses %s", (_, changed) => {
  const lowers = [512, 4096].map((blockSize) => ({
    lower: memoryDevice({ size: 32 * KIB, blockSize }),
    start: changed.start ?? 0,
  }))
  expect(() => stripedTarget({ lowers, chunkSize: 4096, size: 16 * KIB, ...changed })).toThrow(RangeError)
})

test("refuses stripes whose tags differ", () => {
  const lower = (blockSize: number, tagSize: number) => ({
    lower: memoryDevice({ size: 32 * KIB, blockSize, tagSize }),
    start: 0,
  })
  const of = (...lowers: ReturnType<typeof lower>[]) => stripedTarget({ lowers, chunkSize: 4096, size: 16 * KIB })
  expect(() => of(lower(512, 4), lower(512, 0))).toThrow(RangeError)
  expect(() => of(lower(512, 4), lower(4096, 4))).toThrow(RangeError)
  expect(of(lower(4096, 4), lower(4096, 4)).tagSize).toBe(4)
})
