import { type BlockDevice, defineDevice, memoryDevice, type Runtime, share } from "@blockstrata/device"
import { defaultEngine } from "@blockstrata/primitives"
import { describe, expect, test } from "vitest"
import { type FormatVerityOptions, formatVerity, hashDeviceBytes } from "./format-verity.ts"
import { openVerity, readVeritySuperblock } from "./open-verity.ts"

const SALT = Uint8Array.of(9, 8, 7)
const noise = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 2654435761) / 65536)
const runtime: Runtime = { fillRandom: (bytes) => void bytes.fill(0xff), now: () => 0, setTimer: () => () => {} }

/** The tree by its definition: levels from the leaves to the root, each as its blocks. */
function plainTree(data: Uint8Array, dataBlockSize: number, hashBlockSize: number, version: 0 | 1) {
  const hash = defaultEngine.hash("sha256")
  const digest = (block: Uint8Array) => (version === 1 ? hash.digest(SALT, block) : hash.digest(block, SALT))
  const split = (bytes: Uint8Array, size: number) =>
    Array.from({ length: bytes.length / size }, (_, index) => digest(bytes.subarray(index * size, (index + 1) * size)))
  let hashes = split(data, dataBlockSize)
  const levels: Uint8Array[] = []
  while (hashes.length > 1) {
    const level = new Uint8Array(Math.ceil((hashes.length * 32) / hashBlockSize) * hashBlockSize)
    hashes.forEach((entry, index) => level.set(entry, index * 32))
    levels.unshift(level)
    hashes = split(level, hashBlockSize)
  }
  return { rootHash: hashes[0], levels }
}

function options(data: BlockDevice, hash: BlockDevice, change: Partial<FormatVerityOptions> = {}): FormatVerityOptions {
  return { data, hash, dataBlockSize: 512, hashBlockSize: 512, algorithm: "sha256", salt: SALT, runtime, ...change }
}

test.each([
  [1, 512, 512, 1],
  [2, 512, 512, 1],
  [16, 512, 512, 0],
  [17, 512, 512, 1],
  [256, 512, 512, 0],
  [257, 512, 512, 1],
  [5000, 512, 512, 1],
  [129, 1024, 4096, 0],
  [3, 524288, 524288, 1],
])("%i blocks of %i, hash blocks of %i, version %i: the tree by its definition", async (...row) => {
  const [count, dataBlockSize, hashBlockSize] = row
  const version = row[3] === 0 ? 0 : 1
  const data = noise(count * dataBlockSize)
  const expected = plainTree(data, dataBlockSize, hashBlockSize, version)
  const hash = memoryDevice({ size: 4 * 524288 })
  const sizes = { dataBlockSize, hashBlockSize, version } as const
  const made = await formatVerity(options(memoryDevice({ bytes: data }), hash, sizes))
  expect(made.rootHash).toEqual(expected.rootHash)
  expect(made.hashAreaBytes).toBe(expected.levels.reduce((sum, level) => sum + level.length, 0))
  let offset = Math.max(512, hashBlockSize)
  for (const level of expected.levels) {
    const stored = new Uint8Array(level.length)
    await hash.read(offset, stored)
    expect(stored.every((byte, index) => byte === level[index])).toBe(true)
    offset += level.length
  }
  expect(made.hashEndBytes).toBe(offset)
  expect(await readVeritySuperblock(hash, 0)).toEqual(made.superblock)
  expect(made.superblock?.uuid).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff")
})

test("data and tree over larger blocks, at an offset, leave what is around them", async () => {
  const data = memoryDevice({ size: 65536, blockSize: 4096 })
  const hash = memoryDevice({ size: 65536, blockSize: 4096 })
  await data.write(0, noise(65536))
  await hash.write(0, new Uint8Array(65536).fill(0x55))
  const made = await formatVerity(options(data, hash, { dataBlockCount: 24, hashOffset: 1024, hashBlockSize: 1024 }))
  const stored = new Uint8Array(65536)
  await hash.read(0, stored)
  expect([...new Set(stored.subarray(0, 1024)), ...new Set(stored.subarray(1536, 2048))]).toEqual([0x55, 0x55])
  expect(new Set(stored.subarray(made.hashEndBytes))).toEqual(new Set([0x55]))
  await using opened = await openVerity({ data, hash, hashOffset: 1024, rootHash: made.rootHash })
  const read = new Uint8Array(24 * 512)
  await opened.read(0, read)
  expect(read).toEqual(noise(24 * 512))
})

test("the tree is flushed before the superblock is written, and the superblock before the end", async () => {
  const steps: string[] = []
  const hash = defineDevice({
    ...{ name: "log", size: 65536, blockSize: 512, features: { write: true } },
    read: async () => {},
    write: async (offset) => void steps.push(`write ${offset === 0 ? "superblock" : "tree"}`),
    flush: async () => void steps.push("flush"),
  })
  await formatVerity(options(memoryDevice({ size: 16384 }), hash))
  expect([...new Set(steps.slice(0, -3))]).toEqual(["write tree"])
  expect(steps.slice(-3)).toEqual(["flush", "write superblock", "flush"])
})

describe("refused before anything is written", () => {
  const data = memoryDevice({ size: 16384 })
  test.each<[string, Partial<FormatVerityOptions>]>([
    ["data block size", { dataBlockSize: 256 }],
    ["hash block size", { hashBlockSize: 3000 }],
    ["version", { version: 2 as 1 }],
    ["salt", { salt: new Uint8Array(257) }],
    ["no data", { dataBlockCount: 0 }],
    ["more data than there is", { dataBlockCount: 33 }],
    ["hash offset", { hashOffset: 100 }],
    ["uuid", { uuid: "none" }],
    ["an offset inside a hash block", { superblock: false, hashBlockSize: 1024, hashOffset: 512 }],
    ["overlap", { hash: data }],
    ["overlap of handles", { hash: share(data), data: share(data), dataBlockCount: 2, hashOffset: 512 }],
  ])("RangeError: %s", async (_, change) => {
    await expect(formatVerity(options(data, memoryDevice({ size: 65536 }), change))).rejects.toThrow(RangeError)
  })

  test.each<[string, Partial<FormatVerityOptions>, string]>([
    ["algorithm", { algorithm: "sha1" as "sha256" }, "UNSUPPORTED"],
    ["a small hash device", { hash: memoryDevice({ size: 1536 }) }, "NO_SPACE"],
    ["no room for the superblock", { hash: memoryDevice({ size: 0 }), dataBlockCount: 1 }, "NO_SPACE"],
    ["a read-only hash device", { hash: memoryDevice({ size: 65536, readOnly: true }) }, "READ_ONLY"],
  ])("BlockError: %s", async (_, change, code) => {
    await expect(formatVerity(options(data, memoryDevice({ size: 65536 }), change))).rejects.toMatchObject({ code })
  })
})

test("tells how far it is, and stops when asked", async () => {
  const data = memoryDevice({ size: 3 * 1048576 })
  const steps: number[] = []
  const hash = memoryDevice({ size: 1048576 })
  await formatVerity(options(data, hash, { onProgress: (done) => steps.push(done / 1048576) }))
  expect(steps).toEqual([1, 2, 3])
  const signal = AbortSignal.abort()
  await expect(formatVerity(options(data, hash, { signal }))).rejects.toMatchObject({ name: "AbortError" })
})

describe("hashDeviceBytes", () => {
  test.each([
    [4096, {}],
    [8192, {}],
    [1048576, {}],
    [1048576, { superblock: false }],
    [1048576, { hashOffset: 4096, hashBlockSize: 1024 }],
  ])("%i bytes of data with %j: enough, and not a block more", async (size, change) => {
    const data = memoryDevice({ size })
    const needed = hashDeviceBytes(options(data, data, change))
    await formatVerity(options(data, memoryDevice({ size: needed }), change))
    const short = memoryDevice({ size: needed - 512 })
    await expect(formatVerity(options(data, short, change))).rejects.toMatchObject({ code: "NO_SPACE" })
  })

  test("refuses what cannot be formatted, block sizes of 0 included", () => {
    const data = memoryDevice({ size: 1048576 })
    for (const change of [{ dataBlockSize: 0 }, { hashBlockSize: 0 }, { dataBlockCount: 0 }, { hashOffset: 2 ** 60 }])
      expect(() => hashDeviceBytes(options(data, data, change))).toThrow(RangeError)
  })
})

describe("opening", () => {
  test("a superblock that promises more than there is, or another hash", async () => {
    const data = memoryDevice({ size: 16384 })
    const hash = memoryDevice({ size: 4096 })
    const { rootHash } = await formatVerity(options(data, hash))
    const open = (change: Partial<Parameters<typeof openVerity>[0]>) => openVerity({ data, hash, rootHash, ...change })
    await expect(open({ data: memoryDevice({ size: 8192 }) })).rejects.toMatchObject({ code: "CORRUPT" })
    await expect(open({ hashOffset: 512 })).rejects.toMatchObject({ code: "CORRUPT" })
    await expect(open({ hashOffset: 4096 })).rejects.toMatchObject({ code: "CORRUPT" })
    await expect(open({ hashOffset: 1 })).rejects.toThrow(RangeError)
    const block = new Uint8Array(512)
    await hash.read(0, block)
    block.set(new TextEncoder().encode("sha512"), 32)
    await hash.write(0, block)
    await expect(open({})).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("sha512") as string,
    })
    expect((await readVeritySuperblock(hash, 0)).algorithm).toBe("sha512")
  })
})
