import {
  type BlockDevice,
  BlockError,
  type DeviceImplementation,
  defineDevice,
  memoryDevice,
} from "@blockstrata/device"
import { expect, it } from "vitest"
import type { ConformanceOptions } from "./conformance/conformance-options.ts"
import { testBlockDevice } from "./conformance/conformance-suite.ts"
import { recordingRunner } from "./runner.ts"

const BLOCK = 512
const TAG = 4
const SIZE = 32 * 1024
const SECRET = Uint8Array.from({ length: 32 }, (_, index) => (index * 89 + 17) % 256)
const HEX = Array.from(SECRET, (byte) => byte.toString(16).padStart(2, "0")).join("")

type Options = Partial<ConformanceOptions>
type Methods = Partial<BlockDevice>

const memory = (): BlockDevice => memoryDevice({ size: SIZE })
const tagged = (): BlockDevice => memoryDevice({ size: SIZE, tagSize: TAG })
const readOnly = (): BlockDevice => memoryDevice({ size: SIZE, readOnly: true })

/** A device made by hand, without the edge: `right`, but for some of its methods. */
function handMade(right: BlockDevice, wrong: (right: BlockDevice) => Methods): BlockDevice {
  return { ...right, ...wrong(right) }
}

/** A device over `lower` whose implementation is wrong. */
function passThrough(lower: BlockDevice, wrong: Partial<DeviceImplementation>): BlockDevice {
  const { size, blockSize, tagSize, features, read, write, flush, discard, writeZeroes, blockStatus } = lower
  return defineDevice({
    ...{ name: "wrong", size, blockSize, tagSize, features, read, write, flush, discard, writeZeroes, blockStatus },
    lowers: [{ role: "data", device: lower }],
    ...wrong,
  })
}

/** Keeps what it is given instead of a copy, block by block. */
function keeper(copy: (block: Uint8Array) => Uint8Array): (right: BlockDevice) => Methods {
  const kept = new Map<number, Uint8Array>()
  return (right) => ({
    async write(offset, data, options) {
      await right.write(offset, data, options)
      for (let start = 0; start < data.length; start += BLOCK)
        kept.set(offset + start, copy(data.subarray(start, start + BLOCK)))
    },
    async read(offset, buffer) {
      await right.read(offset, buffer)
      for (let start = 0; start < buffer.length; start += BLOCK) buffer.set(kept.get(offset + start) ?? [], start)
    },
    writeZeroes: (offset, length) => (kept.clear(), right.writeZeroes(offset, length)),
    discard: (offset, length) => (kept.clear(), right.discard(offset, length)),
  })
}

/** Encrypts in place, and back again when the write has settled. */
function inPlace(right: BlockDevice): Methods {
  const invert = (bytes: Uint8Array) => bytes.forEach((byte, index) => (bytes[index] = byte ^ 0xff))
  return {
    async write(offset, data, options) {
      invert(data)
      await right.write(offset, data, options)
      invert(data)
    },
    read: async (offset, buffer) => (await right.read(offset, buffer), invert(buffer)),
  }
}

/** A checksum of each block in the tag below it; that of the last block may go unread. */
function checksummed(lower: BlockDevice, checksLast: boolean): BlockDevice {
  const sumsOf = (bytes: Uint8Array): Uint8Array => {
    const sums = new DataView(new ArrayBuffer((bytes.length / BLOCK) * TAG))
    const sumOf = (block: Uint8Array) => block.reduce((sum, byte, index) => (sum + byte * (index + 1)) % 65521, 1)
    for (let start = 0; start < bytes.length; start += BLOCK) {
      sums.setUint32((start / BLOCK) * TAG, sumOf(bytes.subarray(start, start + BLOCK)))
    }
    return new Uint8Array(sums.buffer)
  }
  return passThrough(lower, {
    tagSize: 0,
    features: { write: true },
    extents: (offset, length) => [{ role: "data", offset, length }],
    writeZeroes: (offset, length) => {
      const zeroes = new Uint8Array(length)
      return lower.write(offset, zeroes, { tags: sumsOf(zeroes) })
    },
    write: (offset, data) => lower.write(offset, data, { tags: sumsOf(data) }),
    async read(offset, buffer) {
      const tags = new Uint8Array((buffer.length / BLOCK) * TAG)
      await lower.read(offset, buffer, tags)
      const bad = sumsOf(buffer).findIndex((byte, index) => byte !== tags[index])
      const at = offset + Math.floor(bad / TAG) * BLOCK
      if (bad < 0 || (!checksLast && at + BLOCK === SIZE)) return
      throw new BlockError("INTEGRITY", "wrong: checksum", { offset: at, length: BLOCK })
    },
  })
}

const withoutLastTag = (tags: Uint8Array | undefined) =>
  tags?.map((byte, index) => (index < tags.length - TAG ? byte : 0))
const wholeBuffer = (bytes: Uint8Array) => new Uint8Array(bytes.buffer, 0, bytes.length)
const naive = (right: BlockDevice): Methods => {
  const medium = new Uint8Array(2 * SIZE)
  return {
    read: async (offset, buffer) => buffer.set(medium.subarray(offset, offset + buffer.length)),
    write: async (offset, data) => medium.set(data, offset),
    writeZeroes: async (offset, length) => void medium.fill(0, offset, offset + length),
    discard: right.discard,
  }
}

const defects: [defect: string, group: string, make: () => BlockDevice, options?: Options][] = [
  [
    "tag of the last block is lost",
    "tags",
    () =>
      handMade(tagged(), ({ write }) => ({
        write: (offset, data, { tags, ...options } = {}) =>
          write(offset, data, { ...options, tags: withoutLastTag(tags) }),
      })),
  ],
  [
    "tags are not read",
    "tags",
    () => handMade(tagged(), ({ read }) => ({ read: (offset, buffer) => read(offset, buffer) })),
  ],
  [
    "a write without tags clears them",
    "tags",
    () =>
      handMade(tagged(), ({ write }) => ({
        write: (offset, data, options = {}) =>
          write(offset, data, { ...options, tags: options.tags ?? new Uint8Array((data.length / BLOCK) * TAG) }),
      })),
  ],
  [
    "tags of any length are taken",
    "misuse",
    () =>
      handMade(tagged(), ({ read }) => ({
        read: (offset, buffer, tags) =>
          tags?.length === (buffer.length / BLOCK) * TAG ? read(offset, buffer, tags) : read(offset, buffer),
      })),
  ],
  [
    "data is kept after settling",
    "buffers",
    () =>
      handMade(
        memory(),
        keeper((block) => block),
      ),
  ],
  [
    "data is copied with slice",
    "buffers",
    () =>
      handMade(
        memory(),
        keeper((block) => block.slice()),
      ),
  ],
  [
    "data is modified",
    "buffers",
    () =>
      handMade(memory(), ({ write }) => ({
        write: (offset, data, options) => write(offset, data, options).finally(() => data.fill(0, 0, 1)),
      })),
  ],
  ["data is encrypted in place", "buffers", () => handMade(memory(), inPlace)],
  [
    "buffers are taken from the start of their memory",
    "buffers",
    () => handMade(memory(), ({ read }) => ({ read: (offset, buffer) => read(offset, wholeBuffer(buffer)) })),
  ],
  ["nothing is checked", "misuse", () => handMade(memory(), naive)],
  [
    "misuse throws",
    "misuse",
    () =>
      handMade(memory(), ({ read }) => ({
        read: (offset, buffer, tags) => {
          if (offset % BLOCK !== 0) throw new RangeError("offset")
          return read(offset, buffer, tags)
        },
      })),
  ],
  [
    "misuse is a plain error",
    "misuse",
    () =>
      handMade(memory(), ({ read }) => ({
        read: (offset, buffer, tags) =>
          read(offset, buffer, tags).catch((error: Error) => Promise.reject(new Error(error.message))),
      })),
  ],
  ["a size that is no multiple of the block size", "geometry", () => ({ ...memory(), size: SIZE + 1 })],
  ["a read-only device that was not asked for", "geometry", readOnly],
  [
    "writes on a read-only device resolve",
    "read-only",
    () => handMade(readOnly(), () => ({ write: async () => {} })),
    { readOnly: true },
  ],
  [
    "flush on a read-only device rejects",
    "read-only",
    () => handMade(readOnly(), () => ({ flush: () => Promise.reject(new BlockError("READ_ONLY", "flush")) })),
    { readOnly: true },
  ],
  [
    "a read-only device gives other bytes than it has",
    "transfer",
    readOnly,
    { readOnly: true, content: new Uint8Array(SIZE).fill(1) },
  ],
  [
    "extents outside the lower",
    "layer",
    () => passThrough(memory(), { extents: (offset, length) => [{ role: "data", offset: offset + BLOCK, length }] }),
  ],
  [
    "extents of a role that is not there",
    "layer",
    () => passThrough(memory(), { extents: (offset, length) => [{ role: "meta", offset, length }] }),
  ],
  [
    "extents that blocks share",
    "layer",
    () => passThrough(memory(), { extents: (_offset, length) => [{ role: "data", offset: 0, length }] }),
  ],
  ["a status that is no number", "layer", () => passThrough(memory(), { status: () => ({ bad: Number.NaN }) })],
  [
    "a key in the status",
    "secrets",
    () => passThrough(memory(), { status: () => ({ key: HEX }) }),
    { secrets: [SECRET] },
  ],
  [
    "half a key in a property",
    "secrets",
    () => Object.assign({}, memory(), { hidden: { map: new Map([["k", SECRET.subarray(16)]]) } }),
    { secrets: [SECRET] },
  ],
  [
    "a key in an error",
    "secrets",
    () =>
      handMade(memory(), ({ read }) => ({
        read: (offset, buffer) =>
          read(offset, buffer).catch((error: unknown) =>
            Promise.reject(new RangeError(btoa(String.fromCharCode(...SECRET)), { cause: error })),
          ),
      })),
    { secrets: [SECRET] },
  ],
  ["the last block is not verified", "detection", () => checksummed(tagged(), false), { authentic: true }],
  ["what is written is gone when opened again", "opened again", memory, { reopen: memory }],
]

async function failuresOf(create: () => BlockDevice, options: Options = {}): Promise<string[]> {
  const runner = recordingRunner()
  testBlockDevice({ name: "device", runner, create, ...options })
  return (await runner.run()).filter(({ outcome }) => outcome === "failed").map(({ name }) => name)
}

it.each(defects)("%s: seen", async (_defect, group, make, options) => {
  expect((await failuresOf(make, options)).filter((name) => new RegExp(`> ${group}.* >`).test(name))).not.toEqual([])
})

it("the devices that they are made of are right", async () => {
  expect(await failuresOf(() => passThrough(memory(), {}), { secrets: [SECRET] })).toEqual([])
  expect(await failuresOf(() => handMade(tagged(), () => ({})))).toEqual([])
  expect(await failuresOf(() => checksummed(tagged(), true), { authentic: true })).toEqual([])
})

it("bytes written below a read-only device are seen", async () => {
  const create: ConformanceOptions["create"] = ({ base }) => {
    const lower = base(memory())
    return passThrough(lower, {
      features: {},
      read: (offset, buffer) => lower.write(0, new Uint8Array(BLOCK)).then(() => lower.read(offset, buffer)),
    })
  }
  expect(await failuresOf(memory, { readOnly: true, create })).toEqual([
    "device (seed 1) > read-only > nothing is written below, from opening to close",
  ])
})
