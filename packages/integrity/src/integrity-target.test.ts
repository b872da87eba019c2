import {
  type BlockDevice,
  BlockError,
  type DeviceEvent,
  defineDevice,
  memoryDevice,
  readAround,
} from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type FormatIntegrityOptions, formatIntegrity } from "./format-integrity.ts"
import type { InternalHash } from "./internal-hash.ts"
import { areaRuns, type IntegrityLayout, layoutOf } from "./layout.ts"
import { type OpenIntegrityOptions, openIntegrity } from "./open-integrity.ts"

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index)
const HASHES: readonly InternalHash[] = [{ name: "crc32c" }, { name: "sha256" }, { name: "hmac(sha256)", key: KEY }]

interface Volume {
  readonly image: Uint8Array
  readonly layout: IntegrityLayout
  readonly device: BlockDevice
}

/** A formatted volume in memory, opened in mode D. */
async function volume(
  format: Partial<FormatIntegrityOptions>,
  open: Partial<OpenIntegrityOptions> = {},
  lowerOf: (image: Uint8Array) => BlockDevice = (bytes) => memoryDevice({ bytes }),
): Promise<Volume> {
  const image = new Uint8Array(256 * 1024)
  const internalHash = format.internalHash
  const options = { tagSize: 16, blockSize: 512, interleaveSectors: 32, wipe: true, ...format, internalHash }
  const superblock = await formatIntegrity({ ...options, lower: memoryDevice({ bytes: image }) })
  const layout = layoutOf(superblock, image.length, format.start ?? 0)
  const lower = lowerOf(image)
  const size = layout.providedBytes
  return { image, layout, device: await openIntegrity({ lower, size, mode: "D", internalHash, ...open }) }
}

function filled(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + Math.floor(index / 512)) % 256)
}

describe("with an internal hash", () => {
  it("device blocks that hold bad blocks and stand side by side are one failing run", async () => {
    const internalHash = { name: "sha256" } as const
    const { image, layout, device } = await volume({ internalHash, blockSize: 1024 }, { internalHash }, (bytes) =>
      memoryDevice({ bytes, blockSize: 4096 }),
    )
    // Of 1024 bytes each: the last of the second device block, the second of the third; the fifth device block.
    for (const blockIndex of [7, 9, 16]) image[areaRuns(layout, blockIndex * 1024, 1024)[0]!.dataOffset]! ^= 1
    const whole = new Uint8Array(8 * 4096)
    await expect(device.read(0, whole)).rejects.toMatchObject({ code: "INTEGRITY", offset: 4096, length: 8192 })
    const bad = await readAround(device, 0, whole)
    expect(bad.map(({ offset, length }) => [offset, length])).toEqual([
      [4096, 8192],
      [16384, 4096],
    ])
  })

  it.each(HASHES)("every flipped bit of data and tags is found: $name", async (internalHash) => {
    const tagSize = internalHash.name === "crc32c" ? 4 : 16
    const size = 4 * 512
    const { image, layout, device } = await volume(
      { internalHash, tagSize },
      { internalHash, size, engine: nodeEngine },
    )
    const data = filled(size)
    await device.write(0, data)
    await device.flush()
    const [run] = areaRuns(layout, 0, size)
    const block = new Uint8Array(512)
    for (let index = 0; index < 4; index++) {
      const places = [
        ...Array.from({ length: 512 }, (_, at) => run!.dataOffset + index * 512 + at),
        ...Array.from({ length: tagSize }, (_, at) => run!.tagOffset + index * tagSize + at),
      ]
      for (const place of places) {
        for (let bit = 0; bit < 8; bit++) {
          image[place]! ^= 2 ** bit
          const outcome = await device.read(index * 512, block).then(
            () => "read",
            (error: unknown) => (error instanceof BlockError ? error.code : error),
          )
          if (outcome !== "INTEGRITY") expect({ place, bit, outcome }).toEqual({ place, bit, outcome: "INTEGRITY" })
          image[place]! ^= 2 ** bit
        }
      }
    }
    await device.read(0, new Uint8Array(size))
  })

  it("a swapped, a moved and a zeroed block is found; an old one with its old tag is not", async () => {
    const internalHash = HASHES[2]!
    const { image, layout, device } = await volume({ internalHash }, {})
    await device.write(0, filled(1024))
    await device.flush()
    const [first, second] = [areaRuns(layout, 0, 512)[0]!, areaRuns(layout, 512, 512)[0]!]
    const old = image.slice()
    for (const [to, from] of [
      [first.dataOffset, second.dataOffset],
      [first.tagOffset, second.tagOffset],
    ] as const) {
      const length = to === first.dataOffset ? 512 : 16
      image.copyWithin(to, from, from + length)
    }
    await expect(device.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "INTEGRITY" })
    image.fill(0, first.dataOffset, first.dataOffset + 512).fill(0, first.tagOffset, first.tagOffset + 16)
    await expect(device.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "INTEGRITY" })
    await device.write(0, filled(512, 9))
    await device.flush()
    image.set(old.subarray(first.dataOffset, first.dataOffset + 512), first.dataOffset)
    image.set(old.subarray(first.tagOffset, first.tagOffset + 16), first.tagOffset)
    const block = new Uint8Array(512)
    await device.read(0, block)
    expect(block).toEqual(filled(512))
  })

  it("names the lowest maximal run, across areas and pieces, and tells of it", async () => {
    const internalHash = HASHES[0]!
    const events: DeviceEvent[] = []
    const image = new Uint8Array(4 * 1024 * 1024)
    const superblock = await formatIntegrity({
      lower: memoryDevice({ bytes: image }),
      tagSize: 4,
      blockSize: 512,
      interleaveSectors: 64,
      internalHash,
      wipe: true,
    })
    const layout = layoutOf(superblock, image.length, 0)
    const device = await openIntegrity({
      lower: memoryDevice({ bytes: image }),
      size: layout.providedBytes,
      mode: "D",
      internalHash,
      onEvent: (event) => void events.push(event),
    })
    const blockCount = device.size / 512
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.oneof(fc.nat(blockCount - 1), fc.integer({ min: 1000, max: 1100 })), { maxLength: 120 }),
        async (blocks) => {
          const places = blocks.map((block) => areaRuns(layout, block * 512, 512)[0]!.dataOffset)
          for (const place of places) image[place]! ^= 1
          const bad = await readAround(device, 0, new Uint8Array(device.size))
          for (const place of places) image[place]! ^= 1
          const found = bad.flatMap(({ offset, length }) =>
            Array.from({ length: length / 512 }, (_, index) => offset / 512 + index),
          )
          expect(found).toEqual([...blocks].sort((left, right) => left - right))
          for (let index = 1; index < bad.length; index++) {
            expect(bad[index]!.offset).toBeGreaterThan(bad[index - 1]!.offset + bad[index - 1]!.length)
          }
        },
      ),
      { numRuns: 25 },
    )
    expect(events[0]).toMatchObject({ kind: "corruption", device: "integrity" })
    expect(device.layer.status()["mismatchCount"]).toBe(events.length)
  })

  it("a failure below does not hide a bad block before it", async () => {
    const internalHash = HASHES[1]!
    let failing = -1
    const { image, layout, device } = await volume({ internalHash, interleaveSectors: 128 }, {}, (bytes) => {
      const memory = memoryDevice({ bytes })
      return defineDevice({
        name: "spotted",
        size: memory.size,
        blockSize: 512,
        async read(offset, buffer) {
          const isHit = failing >= offset && failing < offset + buffer.length
          if (isHit) throw new BlockError("IO", "spotted", { offset: Math.floor(failing / 512) * 512, length: 512 })
          await memory.read(offset, buffer)
        },
      })
    })
    const place = (block: number) => areaRuns(layout, block * 512, 512)[0]!
    const buffer = new Uint8Array(device.size)
    failing = place(80).dataOffset
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "IO", offset: 80 * 512, length: 512 })
    image[place(5).dataOffset]! ^= 1
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "INTEGRITY", offset: 5 * 512, length: 512 })
    image[place(5).dataOffset]! ^= 1
    // 512 bytes hold 32 tags: all their blocks are lost.
    failing = place(40).tagOffset
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "IO", offset: 32 * 512, length: 32 * 512 })
    image[place(31).dataOffset]! ^= 1
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "INTEGRITY", offset: 31 * 512, length: 512 })
    expect(device.features.write).toBe(false)
    await expect(device.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: "READ_ONLY" })
  })

  it("zeroes are written with their tags, and a block of 4096 below is one block", async () => {
    const internalHash = HASHES[1]!
    const { device } = await volume({ internalHash }, {}, (bytes) => memoryDevice({ bytes, blockSize: 4096 }))
    expect(device.blockSize).toBe(4096)
    await device.write(4096, filled(8192))
    await device.writeZeroes(4096, 4096)
    const buffer = new Uint8Array(12288)
    await device.read(0, buffer)
    expect(buffer.subarray(0, 8192)).toEqual(new Uint8Array(8192))
    expect(buffer.subarray(8192)).toEqual(filled(8192).subarray(4096))
  })

  it("needs the key and the salt, and keeps no key where it can be seen", async () => {
    const internalHash = HASHES[2]!
    const { image, device } = await volume({ internalHash }, {})
    const other = { name: "hmac(sha256)", key: new Uint8Array(32) } as const
    const lower = memoryDevice({ bytes: image })
    const wrong = await openIntegrity({ lower, size: device.size, mode: "D", internalHash: other })
    await expect(wrong.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "INTEGRITY", length: 512 })
    const unsalted = image.slice()
    unsalted[48]! ^= 1
    const salted = await openIntegrity({ lower: memoryDevice({ bytes: unsalted }), size: 512, mode: "D", internalHash })
    await expect(salted.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "INTEGRITY" })
    const { inspect } = await import("node:util")
    expect(inspect(device, { depth: 12, showHidden: true })).not.toContain("28, 29, 30, 31")
  })
})

describe("discard", () => {
  const internalHash = HASHES[1]!

  it("fills tags with 0xf6, which then go with any data", async () => {
    const { image, layout, device } = await volume({ internalHash, tagSize: 32 }, { allowDiscards: true })
    await device.write(0, filled(device.size))
    await device.discard(512, 40 * 512)
    const [run] = areaRuns(layout, 512, 512)
    expect(image.subarray(run!.tagOffset, run!.tagOffset + 32)).toEqual(new Uint8Array(32).fill(0xf6))
    const buffer = new Uint8Array(device.size)
    await device.read(0, buffer)
    expect(buffer.subarray(0, 512)).toEqual(filled(device.size).subarray(0, 512))
    expect(buffer.subarray(512, 41 * 512).every((byte) => byte === 0)).toBe(true)
    expect(buffer.subarray(41 * 512)).toEqual(filled(device.size).subarray(41 * 512))
    const strict = await openIntegrity({
      lower: memoryDevice({ bytes: image }),
      size: device.size,
      mode: "D",
      internalHash,
    })
    await expect(strict.read(0, buffer)).rejects.toMatchObject({ offset: 512, length: 40 * 512 })
    await device.write(512, filled(512))
    await device.flush()
    await strict.read(512, new Uint8Array(512))
    await expect(strict.discard(0, 512)).rejects.toMatchObject({ code: "UNSUPPORTED" })
  })

  it("keeps the data where the device below has no discard", async () => {
    const { device } = await volume({ internalHash }, { allowDiscards: true }, (bytes) => {
      const memory = memoryDevice({ bytes })
      return defineDevice({
        name: "kept",
        size: memory.size,
        blockSize: 512,
        features: { write: true },
        read: (offset, buffer) => memory.read(offset, buffer),
        write: (offset, data) => memory.write(offset, data),
        flush: () => memory.flush(),
      })
    })
    await device.write(0, filled(1024))
    await device.discard(0, 1024)
    const buffer = new Uint8Array(1024)
    await device.read(0, buffer)
    expect(buffer).toEqual(filled(1024))
  })
})

describe("as a tag store", () => {
  it("keeps tags with their blocks, at any place and length", async () => {
    const { device } = await volume({ internalHash: undefined, tagSize: 28 }, {})
    expect(device.tagSize).toBe(28)
    const blockCount = device.size / 512
    const data = new Uint8Array(device.size)
    const tags = new Uint8Array(blockCount * 28)
    const request = fc
      .tuple(fc.nat(blockCount - 1), fc.nat(80), fc.nat(255), fc.boolean())
      .map(([block, count, byte, withTags]) => ({
        block,
        count: Math.min(1 + count, blockCount - block),
        byte,
        withTags,
      }))
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
        for (const { block, count, byte, withTags } of requests) {
          const given = new Uint8Array(count * 28).fill(byte)
          await device.write(block * 512, new Uint8Array(count * 512).fill(byte + 1), withTags ? { tags: given } : {})
          data.fill(byte + 1, block * 512, (block + count) * 512)
          if (withTags) tags.set(given, block * 28)
        }
        const read = { data: new Uint8Array(data.length), tags: new Uint8Array(tags.length) }
        await device.read(0, read.data, read.tags)
        expect(Buffer.compare(read.data, data)).toBe(0)
        expect(Buffer.compare(read.tags, tags)).toBe(0)
      }),
      { numRuns: 30 },
    )
    await expect(device.discard(0, 512)).rejects.toMatchObject({ code: "UNSUPPORTED" })
  })
})

describe("tags that share a block below", () => {
  it.each([512, 4096])("survive writes side by side, %i bytes below", async (blockSizeBelow) => {
    const { device } = await volume({ internalHash: HASHES[0]!, tagSize: 4, blockSize: 4096 }, {}, (bytes) => {
      const memory = memoryDevice({ bytes, blockSize: blockSizeBelow })
      // Each request takes a different number of turns, so that reads and writes of one tag block interleave.
      const delay = async (offset: number) => {
        for (let turn = 0; turn < (offset / blockSizeBelow) % 5; turn++) await Promise.resolve()
      }
      return defineDevice({
        name: "slow",
        size: memory.size,
        blockSize: blockSizeBelow,
        features: { write: true },
        read: async (offset, buffer) => {
          await delay(offset)
          await memory.read(offset, buffer)
        },
        write: async (offset, data) => {
          await delay(offset + 3 * blockSizeBelow)
          await memory.write(offset, data)
        },
        flush: () => memory.flush(),
      })
    })
    const blockCount = device.size / 4096
    for (let round = 0; round < 20; round++) {
      const writes = Array.from({ length: blockCount }, (_, block) =>
        device.write(block * 4096, filled(4096, block + round)),
      )
      const reads = Array.from({ length: blockCount }, (_, block) => device.read(block * 4096, new Uint8Array(4096)))
      expect((await Promise.allSettled([...writes, ...reads])).every(({ status }) => status === "fulfilled")).toBe(true)
    }
    const buffer = new Uint8Array(device.size)
    await device.read(0, buffer)
    expect(buffer.subarray(0, 4096)).toEqual(filled(4096, 19))
  })
})

describe("layer", () => {
  it("names the data and the tags of a request, area by area", async () => {
    const { device, layout } = await volume({ internalHash: HASHES[1]!, interleaveSectors: 8 }, {})
    const runs = areaRuns(layout, 0, 8192)
    expect(runs).toHaveLength(2)
    expect(device.layer.extents(0, 8192)).toEqual(
      runs.flatMap((run) => [
        { role: "data", offset: run.dataOffset, length: 4096 },
        { role: "data", offset: run.tagOffset, length: 128, kind: "tag" },
      ]),
    )
    expect(device.features).toMatchObject({ atomicSize: 0, discard: false, fua: false })
  })
})
