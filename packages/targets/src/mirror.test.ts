import { BlockError, defineDevice, memoryDevice } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, inject, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { BLOCK, content, inUse, isSame, mirrorOf, readAll, SIZE, START, wornLeg } from "../../../test/worn-leg.ts"
import { type MirrorOptions, mirrorTarget } from "./mirror.ts"

describe("reading", () => {
  test("any bad blocks, never the same on all legs: all is read, mended, counted and told; tags too", async () => {
    const legCounts = fc.integer({ min: 2, max: 4 })
    const places = fc.array(fc.record({ block: fc.nat(63), on: fc.nat(15), code: fc.constantFrom("IO", "INTEGRITY") }))
    await fc.assert(
      fc.asyncProperty(legCounts, places, fc.constantFrom(0, 5), async (legCount, bads, tagSize) => {
        const legs = Array.from({ length: legCount }, () => wornLeg(SIZE, tagSize))
        const { device, events } = mirrorOf(legs)
        const [data, tags] = [content(), content((SIZE / BLOCK) * tagSize, "tags")]
        await device.write(0, data, { tags })
        for (const { block, on, code } of bads) {
          const failing = legs.filter((_, index) => (on & (1 << index)) !== 0)
          // One leg at least has every block.
          for (const leg of failing.slice(0, legCount - 1)) {
            if (legs.filter((other) => other.bad.has(block)).length < legCount - 1) {
              leg.bad.set(block, code)
              inUse(leg).fill(0xee, block * BLOCK, (block + 1) * BLOCK)
              leg.tagBytes.fill(0xee, (START / BLOCK + block) * tagSize, (START / BLOCK + block + 1) * tagSize)
            }
          }
        }
        const askedFirst = legs[0]!.bad.size
        const read = { data: new Uint8Array(SIZE), tags: new Uint8Array(tags.length) }
        await device.read(0, read.data, read.tags)
        expect(isSame(read.data, data) && isSame(read.tags, tags)).toBe(true)
        expect(legs[0]!.bad.size).toBe(0)
        expect(isSame(inUse(legs[0]!), data)).toBe(true)
        expect(isSame(legs[0]!.tagBytes.subarray((START / BLOCK) * tagSize), tags)).toBe(true)
        expect(Number(device.layer.status()["repairedBytes"])).toBeGreaterThanOrEqual(askedFirst * BLOCK)
        expect(events.some(({ kind }) => kind === "repaired")).toBe(askedFirst > 0)
        expect(events.some(({ kind }) => kind === "corruption")).toBe(askedFirst > 0)
      }),
      { seed: inject("seed"), numRuns: runCount(60) },
    )
  })

  test("only the failed part goes to the other leg, and only that is written", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const { device, events } = mirrorOf(legs)
    await device.write(0, content())
    for (const block of [10, 11, 40]) legs[0].bad.set(block, "INTEGRITY")
    for (const leg of legs) leg.requests.length = 0
    expect(isSame(await readAll(device), content())).toBe(true)
    expect(legs[1].requests).toEqual(["read 10+2", "read 40+1"])
    expect(legs[0].requests.filter((request) => request.startsWith("write"))).toEqual(["write 10+2", "write 40+1"])
    expect(events).toMatchObject([
      { kind: "corruption", offset: 10 * BLOCK, length: 2 * BLOCK },
      { kind: "corruption", offset: 40 * BLOCK, length: BLOCK },
      { kind: "repaired", offset: 10 * BLOCK, length: 2 * BLOCK },
      { kind: "repaired", offset: 40 * BLOCK, length: BLOCK },
    ])
    for (const leg of legs) leg.requests.length = 0
    await readAll(device)
    expect([legs[0].requests, legs[1].requests]).toEqual([["read 0+64"], []])
  })

  test("a block that is bad on every leg is an error at its place, and is not written; its neighbours are mended", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const { device } = mirrorOf(legs)
    await device.write(0, content())
    for (const block of [20, 21, 22, 23]) legs[0].bad.set(block, "IO")
    for (const block of [21, 22]) legs[1].bad.set(block, "INTEGRITY")
    for (const leg of legs) leg.requests.length = 0
    const buffer = new Uint8Array(SIZE).fill(7)
    const place = { offset: 21 * BLOCK, length: 2 * BLOCK }
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "INTEGRITY", device: "mirror", ...place })
    expect(buffer.every((byte) => byte === 0)).toBe(true)
    expect([...legs[0].bad.keys(), ...legs[1].bad.keys()]).toEqual([21, 22, 21, 22])
    expect([...legs[0].requests, ...legs[1].requests].filter((each) => each.startsWith("write"))).toEqual([
      "write 20+1",
      "write 23+1",
    ])
    expect(device.layer.status()).toMatchObject({ lostBytes: 2 * BLOCK, repairedBytes: 2 * BLOCK })
    await device.write(20 * BLOCK, content().subarray(20 * BLOCK, 24 * BLOCK))
    expect(isSame(await readAll(device), content())).toBe(true)
  })

  test("legs of other block sizes: the bad sector of one is the block of the mirror", async () => {
    const [small, large] = [wornLeg(), memoryDevice({ size: SIZE + START, blockSize: 4096 })]
    const legs = [
      { lower: small.device, start: START },
      { lower: large, start: START },
    ]
    const { device } = mirrorTarget({ legs, size: SIZE })
    expect(device.blockSize).toBe(4096)
    await device.write(0, content())
    for (const block of [3, 9, 15, 16]) small.bad.set(block, "IO")
    expect(isSame(await readAll(device), content())).toBe(true)
    expect(small.bad.size).toBe(0)
  })

  test("a leg that takes nothing back is asked last", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const { device, kinds } = mirrorOf(legs)
    await device.write(0, content())
    legs[0].bad.set(3, "IO")
    legs[0].failsOn = "write"
    expect(isSame(await readAll(device), content())).toBe(true)
    expect(kinds()).toEqual(["corruption", "degraded"])
    legs[0].requests.length = 0
    expect(isSame(await readAll(device), content())).toBe(true)
    expect(legs[0].requests).toEqual([])
    expect(device.layer.status()["leg0"]).toBe("live, weak")
  })

  test("legs that cannot be written are read, not mended", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    for (const leg of legs) inUse(leg).set(content())
    legs[0].bad.set(3, "IO")
    const { read, ...rest } = legs[0].device
    const readOnly = defineDevice({ ...rest, ...{ name: "read-only", read, features: {} } })
    const mirror = mirrorTarget({
      legs: [
        { lower: readOnly, start: START },
        { lower: legs[1].device, start: START },
      ],
      size: SIZE,
    })
    expect(mirror.device.features.write).toBe(false)
    expect(isSame(await readAll(mirror.device), content())).toBe(true)
    expect(legs[0].bad.size).toBe(1)
    await expect(mirror.resync()).rejects.toMatchObject({ code: "READ_ONLY" })
  })
})

describe("a leg that fails a change", () => {
  test("with nobody to record it: the change is rejected, and of what is in doubt only the first leg answers", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const { device } = mirrorOf(legs)
    await device.write(0, content())
    legs[1].failsOn = "write"
    const place = { offset: 4 * BLOCK, length: 2 * BLOCK }
    await expect(device.write(place.offset, content(2 * BLOCK, "new"))).rejects.toMatchObject({ code: "IO", ...place })
    legs[1].failsOn = undefined
    const expected = content()
    expected.set(content(2 * BLOCK, "new"), place.offset)
    expect(isSame(await readAll(device), expected)).toBe(true)
    // The other leg has the old block: it may not answer now.
    legs[0].bad.set(5, "IO").set(9, "IO")
    await expect(readAll(device)).rejects.toMatchObject({ code: "IO", offset: 5 * BLOCK, length: BLOCK })
    expect([...legs[0].bad.keys()]).toEqual([5])
    await device.write(place.offset, content(2 * BLOCK, "newer"))
    legs[0].bad.set(5, "IO")
    expected.set(content(2 * BLOCK, "newer"), place.offset)
    expect(isSame(await readAll(device), expected)).toBe(true)
  })

  test("with somebody to record it: the mirror goes on once that is done, and never reads the leg again", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    let allow: (() => void) | undefined
    const recorded: (readonly number[])[] = []
    const onLegFailure = (stale: readonly number[]) => {
      recorded.push(stale)
      return new Promise<void>((resolve) => {
        allow = resolve
      })
    }
    const { device, kinds } = mirrorOf(legs, { onLegFailure })
    await device.write(0, content())
    legs[0].failsOn = "write"
    const settled: string[] = []
    const writes = [1, 2].map(async (block) => {
      await device.write(block * BLOCK, content(BLOCK, "new"))
      settled.push(`write ${block}`)
    })
    const flush = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      await device.flush()
      settled.push("flush")
    })
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toEqual([])
    allow?.()
    await Promise.allSettled([...writes, flush])
    expect(settled).toHaveLength(3)
    expect(recorded).toEqual([[0]])
    expect(kinds()).toEqual(["degraded"])
    legs[0].requests.length = 0
    const expected = content()
    for (const block of [1, 2]) expected.set(content(BLOCK, "new"), block * BLOCK)
    expect(isSame(await readAll(device), expected)).toBe(true)
    await device.write(0, expected)
    expect(legs[0].requests).toEqual([])
    // The last one cannot be given up.
    legs[1].failsOn = "write"
    await expect(device.write(0, expected.subarray(0, BLOCK))).rejects.toMatchObject({ code: "IO" })
    legs[1].bad.set(30, "INTEGRITY")
    await expect(readAll(device)).rejects.toMatchObject({ code: "INTEGRITY", offset: 30 * BLOCK })
  })

  /** Two legs that differ in a block, as a rejected write may leave them; the first one has the new content. */
  async function inDoubt(block: number) {
    const legs = [wornLeg(), wornLeg()] as const
    const recorded: (readonly number[])[] = []
    const { device } = mirrorOf(legs, { onLegFailure: (stale) => void recorded.push(stale) })
    await device.write(0, content())
    for (const leg of legs) leg.failsOn = "write"
    const data = content(BLOCK, "new")
    await expect(device.write(block * BLOCK, data)).rejects.toMatchObject({ code: "IO" })
    for (const leg of legs) leg.failsOn = undefined
    inUse(legs[0]).set(data, block * BLOCK)
    const expected = content()
    expected.set(data, block * BLOCK)
    expect(isSame(await readAll(device), expected)).toBe(true)
    return { legs, device, recorded, expected }
  }

  test.each(["write", "flush"] as const)(
    "the leg that answered for what is in doubt hands it on before it goes for a failed %s",
    async (failing) => {
      const { legs, device, recorded, expected } = await inDoubt(5)
      legs[0].failsOn = failing
      await device.write(20 * BLOCK, content(BLOCK, "other"))
      expected.set(content(BLOCK, "other"), 20 * BLOCK)
      await device.flush()
      expect(recorded).toEqual([[0]])
      expect(isSame(await readAll(device), expected)).toBe(true)
      expect(isSame(inUse(legs[1]), expected)).toBe(true)
    },
  )

  test("while it cannot hand it on it stays, and what it does not take is rejected; until that is written anew", async () => {
    const { legs, device, recorded, expected } = await inDoubt(5)
    legs[0].failsOn = "write"
    legs[0].bad.set(5, "IO")
    await expect(device.write(20 * BLOCK, content(BLOCK))).rejects.toMatchObject({ code: "IO", offset: 20 * BLOCK })
    legs[0].bad.clear()
    legs[1].failsOn = "write"
    await expect(device.write(30 * BLOCK, content(BLOCK))).rejects.toMatchObject({ code: "IO" })
    expect(recorded).toEqual([])
    expect(isSame(await readAll(device), expected)).toBe(true)
    legs[1].failsOn = undefined
    await device.write(0, content(SIZE, "all anew"))
    expect(recorded).toEqual([[0]])
    expect(isSame(await readAll(device), content(SIZE, "all anew"))).toBe(true)
  })

  test("it is not handed on over a write that is under way there", async () => {
    const { legs, device } = await inDoubt(5)
    let release = () => {}
    legs[1].holdsNextWrite = new Promise((resolve) => {
      release = resolve
    })
    const write = device.write(5 * BLOCK, content(BLOCK, "newest"))
    legs[0].failsOn = "flush"
    const flush = device.flush().catch((error: unknown) => error)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    release()
    await write
    expect(await flush).toMatchObject({ code: "IO", operation: "flush" })
    await device.flush()
    const expected = content()
    expected.set(content(BLOCK, "newest"), 5 * BLOCK)
    expect(isSame(await readAll(device), expected)).toBe(true)
    expect(isSame(inUse(legs[1]), expected)).toBe(true)
  })

  test("nothing is acknowledged while a failure cannot be recorded", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const recorded: (readonly number[])[] = []
    let hasRoom = false
    const onLegFailure = async (stale: readonly number[]) => {
      if (!hasRoom) throw new BlockError("NO_SPACE", "nowhere to write it")
      recorded.push(stale)
    }
    const { device } = mirrorOf(legs, { onLegFailure })
    await device.write(0, content())
    legs[1].failsOn = "flush"
    await expect(device.flush()).rejects.toMatchObject({ code: "NO_SPACE" })
    legs[1].failsOn = undefined
    await expect(device.write(0, content(BLOCK))).rejects.toMatchObject({ code: "NO_SPACE" })
    await expect(device.flush()).rejects.toMatchObject({ code: "NO_SPACE" })
    expect(isSame(await readAll(device), content())).toBe(true)
    hasRoom = true
    await device.flush()
    await device.flush()
    expect(recorded).toEqual([[1]])
  })

  test("a flush that fails below is a flush that fails, or a leg less", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const strict = mirrorOf(legs)
    legs[1].failsOn = "flush"
    await expect(strict.device.flush()).rejects.toMatchObject({ code: "IO", operation: "flush" })
    const recorded: (readonly number[])[] = []
    const { device } = mirrorOf(legs, { onLegFailure: (stale) => void recorded.push(stale) })
    await device.flush()
    expect(recorded).toEqual([[1]])
    legs[0].failsOn = "flush"
    await expect(device.flush()).rejects.toMatchObject({ code: "IO" })
  })

  test("a bug in a leg is thrown, not worked around", async () => {
    const good = memoryDevice({ size: SIZE })
    const wrong = defineDevice({
      ...{ name: "wrong", size: SIZE, blockSize: BLOCK, features: { write: true } },
      read: async () => {
        throw new TypeError("a bug")
      },
      write: async () => {
        throw new TypeError("a bug")
      },
      flush: async () => {},
    })
    const legs = [wrong, good].map((lower) => ({ lower, start: 0 }))
    const { device } = mirrorTarget({ legs, size: SIZE, onLegFailure: () => {} })
    await expect(device.write(0, content(BLOCK))).rejects.toThrow(TypeError)
    await expect(device.read(0, new Uint8Array(BLOCK))).rejects.toThrow(TypeError)
  })
})

test("two writes to one block reach all legs in one order", async () => {
  const legs = [wornLeg(), wornLeg()] as const
  const { device } = mirrorOf(legs)
  let release = () => {}
  legs[1].holdsNextWrite = new Promise((resolve) => {
    release = resolve
  })
  const first = device.write(0, content(2 * BLOCK, "first"))
  const second = device.write(BLOCK, content(BLOCK, "second"))
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  release()
  await Promise.allSettled([first, second])
  expect(isSame(inUse(legs[0]), inUse(legs[1]))).toBe(true)
  expect(isSame(inUse(legs[0]).subarray(BLOCK, 2 * BLOCK), content(BLOCK, "second"))).toBe(true)
})

test("legs that cannot be are refused", () => {
  const leg = (size = SIZE, tagSize = 0) => ({ lower: memoryDevice({ size, tagSize }), start: 0 })
  const refused: MirrorOptions[] = [
    { legs: [leg()], size: SIZE },
    { legs: [leg(), leg(SIZE - BLOCK)], size: SIZE },
    { legs: [leg(), leg(SIZE, 4)], size: SIZE },
    { legs: [leg(), { ...leg(), start: 1 }], size: BLOCK },
    { legs: [leg(), leg()], size: SIZE, staleLegs: [0, 1] },
  ]
  for (const options of refused) expect(() => mirrorTarget(options)).toThrow(RangeError)
})

test("many rejected writes: what is in doubt stays in doubt", async () => {
  const legs = [wornLeg(512 * BLOCK), wornLeg(512 * BLOCK)] as const
  const { device } = mirrorOf(legs)
  legs[1].failsOn = "write"
  for (let block = 0; block < 512; block += 4) await device.write(block * BLOCK, content(BLOCK)).catch(() => {})
  legs[1].failsOn = undefined
  for (let block = 0; block < 512; block += 4) {
    legs[0].bad.set(block, "IO")
    await expect(device.read(block * BLOCK, new Uint8Array(BLOCK))).rejects.toMatchObject({ code: "IO" })
  }
  await device.write(0, content(512 * BLOCK))
  legs[0].bad.set(8, "IO")
  await device.read(8 * BLOCK, new Uint8Array(BLOCK))
})
