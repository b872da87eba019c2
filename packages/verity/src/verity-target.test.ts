import {
  type BlockDevice,
  BlockError,
  type DeviceEvent,
  defineDevice,
  memoryDevice,
  readAround,
  share,
} from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type FormatVerityOptions, formatVerity } from "./format-verity.ts"
import { openVerity } from "./open-verity.ts"
import { type VerityTargetOptions, verityTarget } from "./verity-target.ts"

/** A device over bytes that a test may change below it; reads that touch a bad offset fail. */
function rawDevice(content: Uint8Array, bad: ReadonlySet<number> = new Set(), blockSize = 512): BlockDevice {
  return defineDevice({
    name: "raw",
    size: content.length,
    blockSize,
    async read(offset, buffer) {
      for (let at = offset; at < offset + buffer.length; at += blockSize) {
        if (bad.has(at)) throw new BlockError("IO", "raw: bad", { offset: at, length: blockSize })
      }
      buffer.set(content.subarray(offset, offset + buffer.length))
    },
  })
}

const noise = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 2654435761) / 65536)

/** A formatted volume whose bytes lie open. `open` takes what differs from the plain opening. */
async function volume(dataBlockCount: number, change: Partial<FormatVerityOptions> = {}) {
  const { dataBlockSize = 512, hashBlockSize = 512 } = change
  const data = noise(dataBlockCount * dataBlockSize)
  const device = memoryDevice({ size: hashBlockSize * 64 })
  const salt = Uint8Array.of(1, 2, 3)
  const made = await formatVerity({
    ...{
      data: rawDevice(data),
      hash: device,
      dataBlockSize,
      hashBlockSize,
      algorithm: "sha256",
      salt,
      superblock: false,
    },
    ...change,
  })
  const hash = new Uint8Array(device.size)
  await device.read(0, hash)
  const { parameters, rootHash } = made
  const open = (other: Partial<VerityTargetOptions> = {}) =>
    verityTarget({ ...parameters, rootHash, data: rawDevice(data), hash: rawDevice(hash), size: data.length, ...other })
  return { data, hash, open, ...made }
}

async function readAll(device: BlockDevice, offset = 0, length = device.size - offset): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  await device.read(offset, buffer)
  return buffer
}

/** `toEqual` takes its time over a MiB. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

function flip(bytes: Uint8Array, offset: number, mask = 1): void {
  bytes[offset] = (bytes[offset] ?? 0) ^ mask
}

describe("reads what was formatted", () => {
  test.each([
    [1, 512, 512, 1],
    [16, 512, 512, 1],
    [17, 512, 512, 0],
    [257, 512, 512, 1],
    [300, 512, 4096, 0],
    [9, 4096, 512, 1],
    [3, 524288, 512, 1],
    [40, 512, 524288, 0],
  ])("%i blocks of %i, hash blocks of %i, version %i", async (count, dataBlockSize, hashBlockSize, version) => {
    const { data, open } = await volume(count, { dataBlockSize, hashBlockSize, version: version === 0 ? 0 : 1 })
    expect(isSame(await readAll(open()), data)).toBe(true)
    const last = (count - 1) * dataBlockSize
    expect(isSame(await readAll(open(), last), data.subarray(last))).toBe(true)
  })

  test("a superblock in the last bytes of its device: a single block has no tree", async () => {
    const data = noise(4096)
    const hash = memoryDevice({ size: 1024 })
    const parameters = {
      dataBlockSize: 4096,
      hashBlockSize: 512,
      algorithm: "sha256",
      salt: new Uint8Array(8),
    } as const
    const { rootHash } = await formatVerity({ data: rawDevice(data), hash, hashOffset: 512, ...parameters })
    const device = await openVerity({ data: rawDevice(data), hash: share(hash), hashOffset: 512, rootHash })
    expect(isSame(await readAll(device), data)).toBe(true)
    await expect(openVerity({ data: rawDevice(data), hash, hashOffset: 1024, rootHash })).rejects.toMatchObject({
      code: "CORRUPT",
    })
  })

  test("a line shorter than the tree, and larger blocks below", async () => {
    const { data, hash, open } = await volume(40)
    const shorter = open({ size: 1024 })
    expect(isSame(await readAll(shorter), data.subarray(0, 1024))).toBe(true)
    const coarse = open({ data: rawDevice(data, undefined, 4096), hash: rawDevice(hash, undefined, 4096) })
    expect(coarse.blockSize).toBe(4096)
    expect(isSame(await readAll(coarse, 4096), data.subarray(4096))).toBe(true)
  })

  test("a superblock on the data device", async () => {
    const device = memoryDevice({ size: 65536 })
    await device.write(0, noise(20480))
    const options = {
      dataBlockSize: 4096,
      hashBlockSize: 512,
      dataBlockCount: 5,
      algorithm: "sha256",
      salt: new Uint8Array(),
    } as const
    const { rootHash } = await formatVerity({ data: device, hash: device, hashOffset: 20480, ...options })
    await using opened = await openVerity({ data: share(device), hash: share(device), hashOffset: 20480, rootHash })
    expect(isSame(await readAll(opened), noise(20480))).toBe(true)
  })
})

test("every single flipped bit is found, in the data and in the tree", async () => {
  const { data, hash, parameters, hashAreaBytes, open } = await volume(17)
  const device = open({ cacheBytes: 0 })
  const buffer = new Uint8Array(512)
  const isFound = (offset: number) =>
    device.read(offset, buffer).then(
      () => false,
      (error: BlockError) => error.code === "INTEGRITY",
    )
  const missed: number[] = []
  // The fast run takes every fifth bit of the data: all bits of a byte in turn, all bytes.
  const step = process.env["SLOW"] === "1" ? 1 : 5
  for (let bit = 0; bit < data.length * 8; bit += step) {
    const [byte, mask] = [Math.floor(bit / 8), 2 ** (bit % 8)]
    flip(data, byte, mask)
    if (!(await isFound(byte - (byte % 512)))) missed.push(bit)
    flip(data, byte, mask)
  }
  for (let bit = parameters.hashStart * 8; bit < (parameters.hashStart + hashAreaBytes) * 8; bit++) {
    const [byte, mask] = [Math.floor(bit / 8), 2 ** (bit % 8)]
    flip(hash, byte, mask)
    // The second leaf block stands last: only the last data block needs it.
    if (!(await isFound(byte >= 1024 ? 16 * 512 : 0))) missed.push(-bit)
    flip(hash, byte, mask)
  }
  expect(missed).toEqual([])
  expect(isSame(await readAll(device), data)).toBe(true)
})

test("every byte of the root hash counts", async () => {
  const { rootHash, open } = await volume(17)
  for (let index = 0; index < 32; index++) {
    const wrong = Uint8Array.from(rootHash)
    flip(wrong, index, 0x80)
    await expect(readAll(open({ rootHash: wrong }), 0, 512)).rejects.toMatchObject({ code: "INTEGRITY" })
  }
})

test("closing forgets the verified tree", async () => {
  const device = (await volume(17)).open()
  await readAll(device)
  expect(device.layer.status()["cachedBytes"]).toBeGreaterThan(0)
  await device.close()
  expect(device.layer.status()["cachedBytes"]).toBe(0)
})

describe("error places", () => {
  const BLOCK = 512
  async function failure(
    device: BlockDevice,
    first = 0,
    count = device.size / BLOCK - first,
  ): Promise<[string, number, number]> {
    const buffer = new Uint8Array(count * BLOCK).fill(7)
    const error = await device.read(first * BLOCK, buffer).then(
      () => expect.unreachable(),
      (reason: BlockError) => reason,
    )
    expect(buffer.every((byte) => byte === 0)).toBe(true)
    return [error.code, (error.offset ?? -1) / BLOCK, (error.length ?? -1) / BLOCK]
  }

  test("the lowest run of bad data blocks, across pieces", async () => {
    const { data, open } = await volume(2100, { hashBlockSize: 4096 })
    for (const block of [3, 4, 9, 2047, 2048]) flip(data, block * BLOCK)
    expect(await failure(open())).toEqual(["INTEGRITY", 3, 2])
    expect(await failure(open(), 5)).toEqual(["INTEGRITY", 9, 1])
    expect(await failure(open(), 10)).toEqual(["INTEGRITY", 2047, 2])
    const bad = await readAround(open(), 0, new Uint8Array(2100 * BLOCK))
    expect(bad.map(({ offset, length }) => [offset / BLOCK, length / BLOCK])).toEqual([
      [3, 2],
      [9, 1],
      [2047, 2],
    ])
  })

  test("a bad hash block takes what is below it, joined with bad data beside it", async () => {
    const { data, hash, parameters, open } = await volume(300)
    // 300 blocks: a top block, a level of 2, a level of 19.
    const levels = {
      top: parameters.hashStart,
      middle: parameters.hashStart + 512,
      leaves: parameters.hashStart + 1536,
    }
    flip(hash, levels.leaves + 512)
    expect(await failure(open())).toEqual(["INTEGRITY", 16, 16])
    expect(await failure(open(), 20, 5)).toEqual(["INTEGRITY", 20, 5])
    flip(data, 15 * BLOCK)
    flip(data, 40 * BLOCK)
    expect(await failure(open())).toEqual(["INTEGRITY", 15, 17])
    flip(hash, levels.middle + 512)
    expect(await failure(open(), 41)).toEqual(["INTEGRITY", 256, 44])
    flip(hash, levels.top)
    expect(await failure(open())).toEqual(["INTEGRITY", 0, 300])
  })

  test("a wrong root hash fails everything, and is told", async () => {
    const events: DeviceEvent[] = []
    for (const count of [1, 40]) {
      const { open } = await volume(count)
      const device = open({ rootHash: new Uint8Array(32), onEvent: (event) => events.push(event) })
      expect(device.layer.status()).toMatchObject({ state: "V" })
      expect(await failure(device)).toEqual(["INTEGRITY", 0, count])
      expect(device.layer.status()).toMatchObject({ state: "C" })
    }
    expect(events).toMatchObject([
      { kind: "corruption", length: 512 },
      { kind: "corruption", length: 20480 },
    ])
  })

  test("a lower that fails: what comes before it was verified", async () => {
    const { data, hash, parameters, open } = await volume(300)
    const leaves = parameters.hashStart + 1536
    const badData = (...blocks: number[]) =>
      open({ data: rawDevice(data, new Set(blocks.map((block) => block * BLOCK))) })
    const badHash = (...blocks: number[]) =>
      open({ hash: rawDevice(hash, new Set(blocks.map((block) => leaves + block * BLOCK))) })
    expect(await failure(badData(5))).toEqual(["IO", 5, 1])
    expect(await failure(badHash(1))).toEqual(["IO", 16, 16])
    flip(data, 3 * BLOCK)
    expect(await failure(badData(5))).toEqual(["INTEGRITY", 3, 1])
    expect(await failure(badData(2))).toEqual(["IO", 2, 1])
    expect(await failure(badHash(1))).toEqual(["INTEGRITY", 3, 1])
    expect(await failure(badHash(0))).toEqual(["IO", 0, 16])
  })

  test("over larger blocks, whole blocks fail", async () => {
    const { data, open } = await volume(40)
    flip(data, 9 * BLOCK)
    const device = open({ data: rawDevice(data, undefined, 4096) })
    expect(await failure(device)).toEqual(["INTEGRITY", 8, 8])
    const bad = await readAround(device, 0, new Uint8Array(device.size))
    expect(bad).toMatchObject([{ offset: 4096, length: 4096 }])
  })
})

describe("the cache of verified hash blocks", () => {
  test("stays within its bytes, whatever is read", async () => {
    const { data, open } = await volume(600)
    const request = fc.tuple(fc.nat(599), fc.integer({ min: 1, max: 40 }))
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 30 }), fc.nat(8000), async (requests, cacheBytes) => {
        const device = open({ cacheBytes })
        for (const [first, count] of requests) {
          const length = Math.min(count, 600 - first) * 512
          expect(
            isSame(await readAll(device, first * 512, length), data.subarray(first * 512, first * 512 + length)),
          ).toBe(true)
          expect(device.layer.status()["cachedBytes"]).toBeLessThanOrEqual(cacheBytes)
        }
      }),
      { numRuns: 30 },
    )
  })

  test("holds nothing that was not verified, and trusts what it holds", async () => {
    const { data, hash, parameters, open } = await volume(16)
    const device = open()
    flip(hash, parameters.hashStart)
    await expect(readAll(device)).rejects.toMatchObject({ code: "INTEGRITY" })
    expect(device.layer.status()).toMatchObject({ hashBlocksVerified: 0, hashBlocksCached: 0 })
    flip(hash, parameters.hashStart)
    expect(isSame(await readAll(device), data)).toBe(true)
    flip(hash, parameters.hashStart)
    expect(isSame(await readAll(device), data)).toBe(true)
    await expect(readAll(open({ cacheBytes: 0 }))).rejects.toMatchObject({ code: "INTEGRITY" })
  })

  test("each block is read and verified once, however many reads need it", async () => {
    const { data, open, hashAreaBytes } = await volume(600)
    const device = open()
    const reads = Array.from({ length: 200 }, (_, index) => (index * 37) % 590)
    const all = [readAll(device), ...reads.map((first) => readAll(device, first * 512, 10 * 512))]
    const results = await Promise.allSettled(all)
    for (const [index, result] of results.slice(1).entries()) {
      const start = (reads[index] ?? 0) * 512
      expect(result.status === "fulfilled" && isSame(result.value, data.subarray(start, start + 5120))).toBe(true)
    }
    expect(device.layer.status()).toMatchObject({ hashBlocksVerified: hashAreaBytes / 512 })
  })
})

test("extents name the data and the path", async () => {
  const { open, parameters } = await volume(300)
  const at = (block: number) => parameters.hashStart + block * 512
  expect(open().layer.extents(20 * 512, 1024)).toEqual([
    { role: "data", offset: 20 * 512, length: 1024 },
    { role: "hash", offset: at(4), length: 512, kind: "hash" },
    { role: "hash", offset: at(1), length: 512, kind: "hash" },
    { role: "hash", offset: at(0), length: 512, kind: "hash" },
  ])
})

test("refused when built", async () => {
  const { open, data, hash } = await volume(40)
  expect(() => open({ algorithm: "sha512" as "sha256" })).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  for (const change of [
    { size: data.length + 512 },
    { rootHash: new Uint8Array(31) },
    { cacheBytes: -1 },
    { version: 3 as 1 },
  ]) {
    expect(() => open(change)).toThrow(RangeError)
  }
  expect(() => open({ data: rawDevice(data.subarray(512)) })).toThrow(RangeError)
  expect(() => open({ hash: rawDevice(hash.subarray(0, 1024)) })).toThrow(RangeError)
})

test("never writes", async () => {
  const { open } = await volume(4)
  await expect(open().write(0, new Uint8Array(512))).rejects.toMatchObject({ code: "READ_ONLY" })
})
