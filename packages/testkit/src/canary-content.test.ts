import { type BlockDevice, type DeviceImplementation, defineDevice, memoryDevice } from "@blockstrata/device"
import { expect, it } from "vitest"
import { testBlockDevice } from "./conformance/conformance-suite.ts"
import { recordingRunner } from "./runner.ts"

/** A right device over `lower`, but for what `wrong` says. */
function passThrough(lower: BlockDevice, wrong: Partial<DeviceImplementation>): BlockDevice {
  return defineDevice({
    name: "wrong",
    size: lower.size,
    blockSize: lower.blockSize,
    tagSize: lower.tagSize,
    features: lower.features,
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    read: lower.read,
    write: lower.write,
    flush: lower.flush,
    discard: lower.discard,
    writeZeroes: lower.writeZeroes,
    blockStatus: lower.blockStatus,
    ...wrong,
  })
}

type Make = (lower: BlockDevice) => BlockDevice
const BLOCK = 512
const FOUR_GIB = 2 ** 32

/** Requests cut at the end of the device: `read` and `write` of all but the last block. */
function withoutLast(lower: BlockDevice, bytes: Uint8Array, offset: number): Uint8Array {
  return offset + bytes.length === lower.size ? bytes.subarray(0, -BLOCK) : bytes
}

/** Block by block, each at the place that `translate` gives it. */
function translated(lower: BlockDevice, translate: (offset: number) => number): Partial<DeviceImplementation> {
  const each = async (offset: number, bytes: Uint8Array, act: (at: number, block: Uint8Array) => Promise<void>) => {
    for (let start = 0; start < bytes.length; start += BLOCK)
      await act(translate(offset + start), bytes.subarray(start, start + BLOCK))
  }
  return {
    read: (offset, buffer) => each(offset, buffer, lower.read),
    write: (offset, data) => each(offset, data, lower.write),
  }
}

/** A cache in front of reads, which some changes forget to tell. */
function cached(lower: BlockDevice, forgets: "discard" | "writeZeroes"): Partial<DeviceImplementation> {
  const cache = new Map<number, Uint8Array>()
  const drop = (offset: number, length: number) => {
    for (let at = offset; at < offset + length; at += BLOCK) cache.delete(at)
  }
  return {
    async read(offset, buffer) {
      for (let start = 0; start < buffer.length; start += BLOCK) {
        const block = cache.get(offset + start) ?? new Uint8Array(BLOCK)
        if (!cache.has(offset + start)) await lower.read(offset + start, block)
        cache.set(offset + start, block)
        buffer.set(block, start)
      }
    },
    async write(offset, data) {
      drop(offset, data.length)
      await lower.write(offset, data)
      drop(offset, data.length)
    },
    async discard(offset, length) {
      if (forgets !== "discard") drop(offset, length)
      await lower.discard(offset, length)
    },
    async writeZeroes(offset, length) {
      if (forgets !== "writeZeroes") drop(offset, length)
      await lower.writeZeroes(offset, length)
    },
  }
}

const swap = (offset: number) => (offset === 2 * BLOCK ? 5 * BLOCK : offset === 5 * BLOCK ? 2 * BLOCK : offset)
let requestCount = 0

const defects: [defect: string, group: string, make: Make][] = [
  [
    "the tail is not written",
    "transfer > the last block",
    (lower) => passThrough(lower, { write: (offset, data) => lower.write(offset, withoutLast(lower, data, offset)) }),
  ],
  [
    "the tail is not read",
    "transfer > the last block",
    (lower) => passThrough(lower, { read: (offset, buffer) => lower.read(offset, withoutLast(lower, buffer, offset)) }),
  ],
  [
    "two blocks are swapped when read",
    "transfer",
    (lower) => passThrough(lower, { read: translated(lower, swap).read as DeviceImplementation["read"] }),
  ],
  [
    "every block is written to its neighbour",
    "transfer",
    (lower) =>
      passThrough(lower, {
        write: translated(lower, (offset) => (offset + BLOCK) % lower.size).write as NonNullable<
          DeviceImplementation["write"]
        >,
      }),
  ],
  [
    "one block off above 2^32",
    "far offsets > both sides of 2\\^32",
    (lower) =>
      passThrough(lower, { read: (offset, buffer) => lower.read(offset > FOUR_GIB ? offset - BLOCK : offset, buffer) }),
  ],
  [
    "offsets cut to 32 bits",
    "far offsets > a write at 3 TiB",
    (lower) =>
      passThrough(
        lower,
        translated(lower, (offset) => offset % FOUR_GIB),
      ),
  ],
  [
    "sectors cut to 32 bits",
    "far offsets > a write at 3 TiB",
    (lower) =>
      passThrough(
        lower,
        translated(lower, (offset) => offset % 2 ** 41),
      ),
  ],
  ["reads resolve without filling", "transfer > a read fills", (lower) => passThrough(lower, { read: async () => {} })],
  [
    "reads fill the first block only",
    "transfer > a read fills",
    (lower) => passThrough(lower, { read: (offset, buffer) => lower.read(offset, buffer.subarray(0, BLOCK)) }),
  ],
  [
    "what lies beyond 1 MiB of a request is lost",
    "transfer > a request longer",
    (lower) => passThrough(lower, { write: (offset, data) => lower.write(offset, data.subarray(0, 1024 * 1024)) }),
  ],
  [
    "one write in 97 is lost",
    "random trace",
    (lower) =>
      passThrough(lower, {
        write: async (offset, data) => (++requestCount % 97 === 0 ? undefined : lower.write(offset, data)),
      }),
  ],
  ["writeZeroes does nothing", "zeroes, discard", (lower) => passThrough(lower, { writeZeroes: async () => {} })],
  [
    "writeZeroes takes the next block too",
    "zeroes, discard",
    (lower) =>
      passThrough(lower, {
        writeZeroes: (offset, length) => lower.writeZeroes(offset, Math.min(length + BLOCK, lower.size - offset)),
      }),
  ],
  ["writeZeroes forgets a cache", "zeroes, discard", (lower) => passThrough(lower, cached(lower, "writeZeroes"))],
  ["a discard forgets a cache", "zeroes, discard", (lower) => passThrough(lower, cached(lower, "discard"))],
  [
    "a discard takes the block before too",
    "zeroes, discard",
    (lower) => passThrough(lower, { discard: (offset, length) => lower.discard(Math.max(0, offset - BLOCK), length) }),
  ],
  [
    "block status covers less than asked for",
    "zeroes, discard",
    (lower) =>
      passThrough(lower, {
        blockStatus: async (offset, length) => [{ offset, length: length - BLOCK || BLOCK, kind: "allocated" }],
      }),
  ],
  [
    "block status is in the coordinates of another",
    "zeroes, discard",
    (lower) =>
      passThrough(lower, { blockStatus: async (_offset, length) => [{ offset: 0, length, kind: "allocated" }] }),
  ],
  [
    "data is called a hole",
    "zeroes, discard",
    (lower) => passThrough(lower, { blockStatus: async (offset, length) => [{ offset, length, kind: "hole" }] }),
  ],
  [
    "a discard that is not stated resolves",
    "zeroes, discard",
    (lower) => ({
      ...passThrough(lower, { features: { ...lower.features, discard: false } }),
      discard: async () => {},
    }),
  ],
]

it.each(defects)("%s: seen", async (_defect, group, make) => {
  const runner = recordingRunner()
  const create = ({ minimumSizeBytes }: { minimumSizeBytes: number }) =>
    make(memoryDevice({ size: Math.max(64 * 1024, minimumSizeBytes) }))
  testBlockDevice({ name: "wrong", runner, create })
  const failed = (await runner.run()).filter(({ outcome }) => outcome === "failed").map(({ name }) => name)
  expect(failed.filter((name) => new RegExp(`> ${group}`).test(name))).not.toEqual([])
})

it("the device that they are made of is right", async () => {
  const runner = recordingRunner()
  testBlockDevice({
    name: "right",
    runner,
    create: ({ minimumSizeBytes }) => passThrough(memoryDevice({ size: Math.max(64 * 1024, minimumSizeBytes) }), {}),
  })
  expect((await runner.run()).filter(({ outcome }) => outcome === "failed")).toEqual([])
})
