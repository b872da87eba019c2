import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import fc from "fast-check"
import { describe, expect, inject, test } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { type FaultControl, faultTarget } from "./fault.ts"
import type { Fault, FaultKind, FaultSchedule } from "./fault-rule.ts"

const SIZE = 32 * 1024
const START = 4096

interface Subject {
  readonly device: BlockDevice
  readonly faults: FaultControl
  readonly medium: Uint8Array
}

function subject(faults: readonly Fault[], seed = 1, blockSize = 512): Subject {
  const medium = seededRandom(seed, "medium").bytes(START + SIZE)
  const lower = memoryDevice({ bytes: medium, blockSize })
  return { ...faultTarget({ lower, start: START, faults, runtime: seededRuntime(seed) }), medium }
}

async function read(device: BlockDevice, offset = 0, length = SIZE): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  await device.read(offset, buffer)
  return buffer
}

/** As `toEqual`, which takes its time over many bytes. */
function expectSame(left: Uint8Array, right: Uint8Array): void {
  expect(Buffer.compare(left, right)).toBe(0)
}

const differing = (left: Uint8Array, right: Uint8Array) =>
  [...left.keys()].filter((index) => left[index] !== right[index])

/** A request somewhere, in blocks. */
const requests = (blockSize: number, leastBlocks = 1) =>
  fc.record({
    seed: fc.nat(),
    length: fc.integer({ min: leastBlocks, max: 6 }).map((count) => count * blockSize),
    at: fc.nat(SIZE / blockSize - 6).map((block) => block * blockSize),
  })

async function forRequests(
  kinds: readonly [blockSize: number, leastBlocks: number][],
  check: (request: { seed: number; length: number; at: number; blockSize: number }) => Promise<void>,
): Promise<void> {
  for (const [blockSize, leastBlocks] of kinds) {
    const property = fc.asyncProperty(requests(blockSize, leastBlocks), (request) => check({ ...request, blockSize }))
    await fc.assert(property, { seed: inject("seed"), numRuns: runCount(40) })
  }
}

const BOTH: [number, number][] = [
  [512, 1],
  [4096, 1],
]

describe("what each fault does, and that nothing goes wrong once it is lifted", () => {
  test("error, no-space: the request fails, and nothing is done", async () => {
    const codes = { error: "IO", "no-space": "NO_SPACE" } as const
    await forRequests(BOTH, async ({ seed, length, at, blockSize }) => {
      for (const kind of ["error", "no-space"] as const) {
        const { device, faults, medium } = subject([{ kind }], seed, blockSize)
        const before = new Uint8Array(medium)
        const data = seededRandom(seed).bytes(length)
        const failure = { code: codes[kind], device: "fault", offset: at, length }
        await expect(device.write(at, data)).rejects.toMatchObject({ ...failure, operation: "write" })
        await expect(device.writeZeroes(at, length)).rejects.toMatchObject({ ...failure, operation: "writeZeroes" })
        if (kind === "error") await expect(device.read(at, data)).rejects.toMatchObject(failure)
        else expectSame(await read(device), before.subarray(START))
        expectSame(medium, before)
        expect(faults.takenCounts[kind]).toBe(kind === "error" ? 3 : 2)
        await expectGood({ device, faults, medium })
      }
    })
  })

  test("rot: one bit of what is read turns over, stays so, and goes when it is written", async () => {
    await forRequests(BOTH, async ({ seed, length, at, blockSize }) => {
      const { device, faults, medium } = subject([{ kind: "rot", nth: 1 }], seed, blockSize)
      const before = new Uint8Array(medium)
      const rotten = await read(device, at, length)
      const [index = -1, ...others] = differing(rotten, before.subarray(START + at)).filter((each) => each < length)
      expect(others).toEqual([])
      expect(Math.log2((rotten[index] ?? 0) ^ (before[START + at + index] ?? 0)) % 1).toBe(0)
      expectSame(await read(device, at, length), rotten)
      expect((await read(device))[at + index]).toBe(rotten[index])
      expectSame(medium, before)
      const block = Math.floor((at + index) / blockSize) * blockSize
      await device.write(block, before.subarray(START + block, START + block + blockSize))
      expectSame(await read(device), before.subarray(START))
      await expectGood({ device, faults, medium })
    })
  })

  test("rot stays in its range, and is lifted", async () => {
    const range = { offset: 1000, length: 3 }
    const { device, faults, medium } = subject([{ kind: "rot", range }])
    await read(device, 0, 512)
    expect(faults.takenCounts.rot).toBe(0)
    for (let round = 0; round < 5; round += 1) await read(device)
    expect(faults.takenCounts.rot).toBe(5)
    for (const index of differing(await read(device), medium.subarray(START))) {
      expect(index >= 1000 && index < 1003).toBe(true)
    }
    faults.lift()
    expectSame(await read(device), medium.subarray(START))
  })

  test("misdirected: the bytes are those of one other place, or go there", async () => {
    await forRequests(BOTH, async ({ seed, length, at, blockSize }) => {
      const reading = subject([{ kind: "misdirected-read" }], seed, blockSize)
      const bytes = await read(reading.device, at, length)
      const found = placesOf(bytes, reading.medium.subarray(START), blockSize)
      expect(found).toHaveLength(1)
      expect(found[0]).not.toBe(at)
      await expectGood(reading)

      const writing = subject([{ kind: "misdirected-write" }], seed, blockSize)
      const before = writing.medium.slice(START)
      const data = seededRandom(seed, "data").bytes(length)
      await writing.device.write(at, data)
      const [place = -1] = placesOf(data, writing.medium.subarray(START), blockSize)
      expect(place).not.toBe(at)
      before.set(data, place)
      expectSame(writing.medium.subarray(START), before)
      await expectGood(writing)
    })
  })

  test("lost: a write succeeds, and is not made", async () => {
    await forRequests(BOTH, async ({ seed, length, at, blockSize }) => {
      const { device, faults, medium } = subject([{ kind: "lost-write" }], seed, blockSize)
      const before = new Uint8Array(medium)
      await device.write(at, new Uint8Array(length), { fua: true })
      await device.flush()
      expectSame(medium, before)
      await expectGood({ device, faults, medium })
    })
  })

  test("torn: of each write some sectors land and some do not", async () => {
    const kinds: [number, number][] = [
      [512, 2],
      [4096, 1],
    ]
    const shapes = new Set<string>()
    await forRequests(kinds, async ({ seed, length, at, blockSize }) => {
      for (const fails of [false, true]) {
        const { device, faults, medium } = subject([{ kind: "torn-write", fails }], seed, blockSize)
        const before = new Uint8Array(medium)
        const data = seededRandom(seed, "data").bytes(length)
        const written = device.write(at, data)
        if (fails) await expect(written).rejects.toMatchObject({ code: "IO", offset: at, length })
        else await written
        const lands = Array.from({ length: length / 512 }, (_, sector) => {
          const [first, last] = [sector * 512, sector * 512 + 512]
          const now = medium.subarray(START + at + first, START + at + last)
          const isNew = now.every((byte, index) => byte === data[first + index])
          if (!isNew) expectSame(now, before.subarray(START + at + first, START + at + last))
          return isNew
        })
        expect(new Set(lands).size).toBe(2)
        shapes.add(lands.map(Number).join(""))
        expectSame(medium.subarray(0, START + at), before.subarray(0, START + at))
        expectSame(medium.subarray(START + at + length), before.subarray(START + at + length))
        await expectGood({ device, faults, medium })
      }
    })
    expect(shapes.size).toBeGreaterThan(10)
  })

  test("where there is no other place, nothing is misdirected", async () => {
    const { device, faults, medium } = subject([{ kind: "misdirected-read" }, { kind: "misdirected-write" }])
    await device.write(0, new Uint8Array(SIZE).fill(3))
    expectSame(await read(device), new Uint8Array(SIZE).fill(3))
    expectSame(medium.subarray(START), new Uint8Array(SIZE).fill(3))
    expect(faults.takenCounts).toMatchObject({ "misdirected-read": 0, "misdirected-write": 0 })
  })

  test("a write of one sector cannot be torn", async () => {
    const { device, faults, medium } = subject([{ kind: "torn-write" }, { kind: "no-space", nth: 2 }])
    await device.write(512, new Uint8Array(512))
    expectSame(medium.subarray(START + 512, START + 1024), new Uint8Array(512))
    await expect(device.write(512, new Uint8Array(512))).rejects.toMatchObject({ code: "NO_SPACE" })
    expect(faults.takenCounts).toMatchObject({ "torn-write": 0, "no-space": 1 })
  })

  test("a failed flush is final: writes, discards, flushes and close fail; reads do not", async () => {
    const { device, faults, medium } = subject([{ kind: "failed-flush", nth: 2 }])
    await device.flush()
    await device.write(0, new Uint8Array(512))
    await expect(device.flush()).rejects.toMatchObject({ code: "IO", operation: "flush" })
    const before = new Uint8Array(medium)
    const io = { code: "IO" }
    await expect(device.flush()).rejects.toMatchObject(io)
    await expect(device.write(512, new Uint8Array(512))).rejects.toMatchObject(io)
    await expect(device.writeZeroes(512, 512)).rejects.toMatchObject(io)
    await expect(device.discard(512, 512)).rejects.toMatchObject(io)
    expectSame(medium, before)
    expectSame(await read(device), medium.subarray(START))
    faults.set([])
    await expect(device.flush()).rejects.toMatchObject(io)
    faults.lift()
    await device.flush()
    faults.set([{ kind: "failed-flush" }])
    await expect(device.flush()).rejects.toMatchObject(io)
    await expect(device.close()).rejects.toMatchObject(io)
  })
})

/** Where the bytes stand, in steps of blocks. */
function placesOf(bytes: Uint8Array, medium: Uint8Array, blockSize: number): number[] {
  const places: number[] = []
  for (let at = 0; at + bytes.length <= medium.length; at += blockSize) {
    if (bytes.every((byte, index) => byte === medium[at + index])) places.push(at)
  }
  return places
}

/** After lifting, what is written is there, and nothing more is taken. */
async function expectGood({ device, faults, medium }: Subject): Promise<void> {
  faults.lift()
  const taken = faults.takenCounts
  expectSame(await read(device), medium.subarray(START))
  const data = seededRandom(7).bytes(SIZE)
  await device.write(0, data)
  await device.discard(4096, 4096)
  await device.write(4096, data.subarray(4096, 8192))
  await device.flush()
  expectSame(medium.subarray(START), data)
  expectSame(await read(device), data)
  expect(faults.takenCounts).toEqual(taken)
  expect(device.layer.status()).toEqual({ faultCount: 0, ...taken })
  await device.close()
}

/** Which of so many reads fail. */
async function failing(fault: FaultSchedule, count: number, seed = 1): Promise<number[]> {
  const { device } = subject([{ ...fault, kind: "error", operations: ["read"] }], seed)
  const failed: number[] = []
  for (let index = 1; index <= count; index += 1) {
    await device.write(0, new Uint8Array(512))
    await read(device, 0, 512).catch(() => failed.push(index))
  }
  return failed
}

describe("when", () => {
  test("the n-th, intervals, and both at once", async () => {
    expect(await failing({ nth: 3 }, 10)).toEqual([3])
    expect(await failing({ upCount: 3 }, 9)).toEqual([4, 8])
    expect(await failing({ upCount: 2, downCount: 3 }, 10)).toEqual([3, 4, 5, 8, 9, 10])
    expect(await failing({ downCount: 2 }, 3)).toEqual([1, 2, 3])
    expect(await failing({ nth: 4, upCount: 3 }, 9)).toEqual([4])
    expect(await failing({ nth: 3, upCount: 3 }, 9)).toEqual([])
    expect(await failing({}, 2)).toEqual([1, 2])
  })

  test("a probability is met, by the seed", async () => {
    const some = await failing({ probability: 0.3 }, 500, 5)
    expect(some.length).toBeGreaterThan(100)
    expect(some.length).toBeLessThan(200)
    expect(await failing({ probability: 0.3 }, 500, 5)).toEqual(some)
    expect(await failing({ probability: 0.3 }, 500, 6)).not.toEqual(some)
    expect(await failing({ probability: 0 }, 20)).toEqual([])
    expect(await failing({ probability: 1 }, 3)).toEqual([1, 2, 3])
  })

  test("a range: only requests that touch it, and the blocks in it are named", async () => {
    const { device } = subject([{ kind: "error", range: { offset: 1000, length: 100 } }])
    await read(device, 0, 512)
    await read(device, 1536, 512)
    await device.flush()
    await expect(read(device)).rejects.toMatchObject({ offset: 512, length: 1024 })
    await expect(device.discard(1024, 2048)).rejects.toMatchObject({ offset: 1024, length: 512 })
  })

  test("the first fault that takes a request decides; each counts", async () => {
    const { device, faults } = subject([
      { kind: "lost-write", nth: 2 },
      { kind: "no-space", nth: 2 },
      { kind: "error", operations: ["write"], nth: 3 },
    ])
    const write = () => device.write(0, new Uint8Array(512))
    await write()
    await write()
    await expect(write()).rejects.toMatchObject({ code: "IO" })
    await write()
    expect(faults.takenCounts).toMatchObject({ "lost-write": 1, "no-space": 0, error: 1 })
    faults.set([{ kind: "no-space", nth: 1 }])
    await expect(write()).rejects.toMatchObject({ code: "NO_SPACE" })
    await write()
  })
})

test("the same seed meets the same faults", async () => {
  const kinds: FaultKind[] = ["error", "rot", "misdirected-read", "misdirected-write", "lost-write", "torn-write"]
  const run = async (seed: number): Promise<Uint8Array> => {
    const { device, medium } = subject(
      kinds.map((kind) => ({ kind, probability: 0.2 })),
      seed,
    )
    const random = seededRandom(3)
    for (let step = 0; step < 200; step += 1) {
      const [at, length] = [random.below(32) * 512, (1 + random.below(16)) * 512]
      await (random.below(2) === 0 ? read(device, at, length) : device.write(at, random.bytes(length))).catch(() => {})
    }
    return medium
  }
  expect(await run(11)).toEqual(await run(11))
  expect(differing(await run(11), await run(12)).length).toBeGreaterThan(1000)
})

test("tags go with the data, and land where it lands", async () => {
  const tagBytes = new Uint8Array((SIZE / 512) * 4).fill(1)
  const lower = memoryDevice({ bytes: new Uint8Array(SIZE), tagSize: 4, tagBytes })
  const { device, faults } = faultTarget({ lower, faults: [{ kind: "torn-write" }], runtime: seededRuntime(2) })
  const [data, tags] = [new Uint8Array(8 * 512).fill(2), new Uint8Array(8 * 4).fill(2)]
  await device.write(0, data, { tags })
  faults.lift()
  await device.read(0, data, tags)
  for (let block = 0; block < 8; block += 1) expect(tags[block * 4]).toBe(data[block * 512] === 2 ? 2 : 1)
  expect(new Set(data).size).toBe(2)
})

test.each<[string, object]>([
  ["no such kind", { kind: "mischief" }],
  ["nth 0", { kind: "error", nth: 0 }],
  ["a probability above 1", { kind: "error", probability: 1.5 }],
  ["no down", { kind: "error", downCount: 0 }],
  ["half an up", { kind: "error", upCount: 0.5 }],
  ["an empty range", { kind: "error", range: { offset: 0, length: 0 } }],
])("refuses %s, and keeps the faults it had", async (_, fault) => {
  const { device, faults } = subject([{ kind: "error" }])
  expect(() => faults.set([fault as Fault])).toThrow(/^fault: /)
  await expect(read(device)).rejects.toMatchObject({ code: "IO" })
})
