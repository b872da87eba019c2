import { type BlockDevice, BlockError, defineDevice, memoryDevice } from "@blockstrata/device"
import { seededRandom } from "@blockstrata/testkit"
import fc from "fast-check"
import { describe, expect, inject, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { TAG_CACHE_SIZE, TagCache } from "./tag-cache.ts"
import type { TagPlace } from "./tag-spans.ts"

const UNIT = 512
const SIZE = 32 * UNIT

interface Below {
  readonly device: BlockDevice
  readonly bytes: Uint8Array
  readonly requests: string[]
  failing: "read" | "write" | undefined
  /** Awaited before the next write lands, and then gone. */
  holdsNextWrite: Promise<void> | undefined
}

/** A device that takes a random while for everything, and fails when it is told. */
function below(seed = 1): Below {
  const bytes = seededRandom(7, "tags below").bytes(SIZE)
  const memory = memoryDevice({ bytes })
  const random = seededRandom(seed, "turns")
  const requests: string[] = []
  const pass = async (kind: "read" | "write", offset: number, length: number) => {
    requests.push(`${kind} ${offset / UNIT}+${length / UNIT}`)
    await turns(random.below(6))
    if (self.failing === kind) throw new BlockError("IO", `below: ${kind}`, { offset, length })
  }
  const device = defineDevice({
    ...{ name: "below", size: SIZE, blockSize: UNIT, features: { write: true } },
    async read(offset, buffer) {
      await memory.read(offset, buffer)
      await pass("read", offset, buffer.length)
    },
    async write(offset, data) {
      const held = self.holdsNextWrite
      self.holdsNextWrite = undefined
      await pass("write", offset, data.length)
      await held
      await memory.write(offset, data)
    },
    flush: async () => {},
  })
  const self: Below = { device, bytes, requests, failing: undefined, holdsNextWrite: undefined }
  return self
}

/** Lets others work. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

/** The tags of a request: bytes of the device below. */
const run = (tagOffset: number, tagLength: number): TagPlace => ({ tagOffset, tagLength })

async function readTags(cache: TagCache, offset: number, length: number): Promise<Uint8Array> {
  const tags = new Uint8Array(length)
  await cache.read([run(offset, length)], tags)
  return tags
}

const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0

test("of tags that lie in two blocks, one of which cannot be read, nothing is taken", async () => {
  const lower = below()
  const cache = new TagCache(lower.device, TAG_CACHE_SIZE)
  const before = new Uint8Array(lower.bytes)
  lower.failing = "read"
  await expect(cache.write([run(UNIT - 4, 8)], new Uint8Array(8))).rejects.toMatchObject({ code: "IO" })
  lower.failing = undefined
  expect(same(await readTags(cache, UNIT - 4, 8), before.subarray(UNIT - 4, UNIT + 4))).toBe(true)
  await cache.write([run(2 * UNIT, 4)], new Uint8Array(4))
  await cache.writeBack()
  expect(same(lower.bytes, before.fill(0, 2 * UNIT, 2 * UNIT + 4))).toBe(true)
})

test("tags on their way below are kept until they stand there, whatever else fails meanwhile", async () => {
  const lower = below()
  const cache = new TagCache(lower.device, TAG_CACHE_SIZE)
  const tags = Uint8Array.of(1, 2, 3, 4)
  let release = () => {}
  lower.holdsNextWrite = new Promise((resolve) => {
    release = resolve
  })
  await cache.write([run(UNIT, 4)], tags)
  const written = cache.writeBack()
  await turns(50)
  lower.failing = "read"
  await expect(cache.write([run(UNIT - 4, 8)], new Uint8Array(8))).rejects.toMatchObject({ code: "IO" })
  lower.failing = undefined
  expect(same(await readTags(cache, UNIT, 4), tags)).toBe(true)
  release()
  await written
  expect(same(lower.bytes.subarray(UNIT, UNIT + 4), tags)).toBe(true)
})

test("any reads, writes and write-backs side by side: what is read is what was written, and all of it ends below", async () => {
  const tagSize = 4
  const step = fc.record({
    kind: fc.constantFrom("write", "write", "write", "read", "write back"),
    first: fc.nat(SIZE / tagSize - 1),
    count: fc.integer({ min: 1, max: 300 }),
    seed: fc.nat(),
  })
  // Steps of a round are under way together, but each tag belongs to one of them, as the edge above sees to it.
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(rounds, fc.nat(), fc.constantFrom(0, 2 * UNIT, 64 * UNIT), async (list, seed, sizeMax) => {
      const medium = below(seed)
      const model = new Uint8Array(medium.bytes)
      const cache = new TagCache(medium.device, sizeMax)
      for (const round of list) {
        const taken = new Set<number>()
        const work = round.map(async ({ kind, first, count, seed: contentSeed }) => {
          if (kind === "write back") return await cache.writeBack()
          let end = first
          while (end < first + count && end < SIZE / tagSize && !taken.has(end)) taken.add(end++)
          if (end === first) return
          const [from, to] = [first * tagSize, end * tagSize]
          if (kind === "read") {
            expect(same(await readTags(cache, from, to - from), model.subarray(from, to))).toBe(true)
          } else {
            model.set(seededRandom(contentSeed, "tags").bytes(to - from), from)
            await cache.write([run(from, to - from)], model.slice(from, to))
          }
        })
        for (const outcome of await Promise.allSettled(work)) if (outcome.status === "rejected") throw outcome.reason
      }
      await cache.writeBack()
      expect(same(medium.bytes, model)).toBe(true)
    }),
    { seed: inject("seed"), numRuns: runCount(100) },
  )
})

describe("requests below", () => {
  test("sequential writes read no tags, and neighbours are written together", async () => {
    const medium = below()
    const cache = new TagCache(medium.device, TAG_CACHE_SIZE)
    for (let offset = 0; offset < 8 * UNIT; offset += 32) await cache.write([run(offset, 32)], new Uint8Array(32))
    expect(medium.requests).toEqual([])
    await cache.writeBack()
    expect(medium.requests).toEqual(["write 0+8"])
    await cache.writeBack()
    expect(medium.requests).toHaveLength(1)
  })

  test("of a stream only the ends are read, once it is written back", async () => {
    const medium = below()
    const cache = new TagCache(medium.device, TAG_CACHE_SIZE)
    for (let offset = 96; offset < 3 * UNIT + 64; offset += 32) await cache.write([run(offset, 32)], new Uint8Array(32))
    expect(medium.requests).toEqual(["read 0+1"])
    await cache.writeBack()
    expect(medium.requests).toEqual(["read 0+1", "read 3+1", "write 0+4"])
  })

  test("tags that are here are not read, and nothing stays once it is written", async () => {
    const medium = below()
    const cache = new TagCache(medium.device, TAG_CACHE_SIZE)
    await cache.write([run(2 * UNIT, UNIT)], new Uint8Array(UNIT))
    await readTags(cache, 2 * UNIT + 64, 64)
    expect(medium.requests).toEqual([])
    await readTags(cache, UNIT, 3 * UNIT)
    expect(medium.requests).toEqual(["read 1+1", "read 3+1"])
    await cache.writeBack()
    medium.bytes[2 * UNIT + 64]! ^= 1
    expect(await readTags(cache, 2 * UNIT + 64, 1)).toEqual(medium.bytes.slice(2 * UNIT + 64, 2 * UNIT + 65))
  })

  test("beyond its size it writes", async () => {
    const medium = below()
    const cache = new TagCache(medium.device, 4 * UNIT)
    for (let index = 0; index < 16; index += 2) {
      await cache.write([run(index * UNIT, UNIT)], new Uint8Array(UNIT))
      const written = medium.requests.filter((request) => request.startsWith("write")).length
      expect(index / 2 + 1 - written).toBeLessThanOrEqual(4)
    }
  })
})

describe("failures below", () => {
  test("a part of a block that cannot be read is not taken, and leaves nothing", async () => {
    const medium = below()
    const cache = new TagCache(medium.device, TAG_CACHE_SIZE)
    medium.failing = "read"
    await expect(cache.write([run(64, 32)], new Uint8Array(32))).rejects.toMatchObject({ code: "IO" })
    medium.failing = undefined
    await cache.writeBack()
    expect(medium.requests).toEqual(["read 0+1"])
  })

  test("what could not be written is kept, and the rest is written", async () => {
    const medium = below()
    const cache = new TagCache(medium.device, TAG_CACHE_SIZE)
    const tags = seededRandom(3, "kept").bytes(UNIT)
    await cache.write([run(0, UNIT)], tags)
    await cache.write([run(8 * UNIT, 32)], tags.subarray(0, 32))
    medium.failing = "read"
    await expect(cache.writeBack()).rejects.toMatchObject({ code: "IO", offset: 8 * UNIT })
    expect(same(medium.bytes.subarray(0, UNIT), tags)).toBe(true)
    medium.failing = "write"
    await expect(cache.writeBack()).rejects.toMatchObject({ code: "IO", offset: 8 * UNIT })
    expect(same(await readTags(cache, 8 * UNIT, 32), tags.subarray(0, 32))).toBe(true)
    medium.failing = undefined
    await cache.writeBack()
    expect(same(medium.bytes.subarray(8 * UNIT, 8 * UNIT + 32), tags.subarray(0, 32))).toBe(true)
  })
})

test("an older copy of a block does not land on a newer one, and who waits, waits for both", async () => {
  const medium = below()
  const cache = new TagCache(medium.device, TAG_CACHE_SIZE)
  const [old, fresh] = [1, 2].map((seed) => seededRandom(seed, "versions").bytes(UNIT)) as [Uint8Array, Uint8Array]
  let release = () => {}
  medium.holdsNextWrite = new Promise((resolve) => {
    release = resolve
  })
  await cache.write([run(0, UNIT)], old)
  const first = cache.writeBack()
  await turns(20)
  await cache.write([run(0, UNIT)], fresh)
  expect(same(await readTags(cache, 0, UNIT), fresh)).toBe(true)
  let isDone = false
  const second = cache.writeBack().then(() => {
    isDone = true
  })
  await turns(50)
  expect(isDone).toBe(false)
  release()
  await Promise.allSettled([first, second])
  expect(same(medium.bytes.subarray(0, UNIT), fresh)).toBe(true)
})
