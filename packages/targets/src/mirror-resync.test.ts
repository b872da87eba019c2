import { seededRandom } from "@blockstrata/testkit"
import { describe, expect, test } from "vitest"
import { BLOCK, content, inUse, isSame, mirrorOf, readAll, SIZE, wornLeg } from "../../../test/worn-leg.ts"

describe("resync", () => {
  test("after a crash all legs get what the first one has, and only what differs is written", async () => {
    const legs = [wornLeg(4 * 2 ** 20), wornLeg(4 * 2 ** 20), wornLeg(4 * 2 ** 20)] as const
    const { device, resync, kinds } = mirrorOf(legs)
    const expected = content(4 * 2 ** 20)
    await device.write(0, expected)
    inUse(legs[1]).fill(1, 5 * BLOCK, 6 * BLOCK)
    legs[2].bad.set(7000, "INTEGRITY")
    legs[0].bad.set(2, "INTEGRITY")
    for (const leg of legs) leg.requests.length = 0
    const progress: number[] = []
    await resync({ onProgress: (done) => void progress.push(done) })
    for (const leg of legs) expect(isSame(inUse(leg), expected) && leg.bad.size === 0).toBe(true)
    const written = legs.map((leg) => leg.requests.filter((request) => request.startsWith("write")))
    expect(written).toEqual([["write 2+1"], ["write 0+2048"], ["write 6144+2048"]])
    expect(legs.map((leg) => leg.requests.at(-1))).toEqual(["flush 0+0", "flush 0+0", "flush 0+0"])
    expect(progress).toEqual([1, 2, 3, 4].map((piece) => piece * 2 ** 20))
    expect(kinds().at(-1)).toBe("recovered")
  })

  test("a stale leg is not read, however much it could help, until it was made current", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    inUse(legs[0]).set(content())
    const { device, resync } = mirrorOf(legs, { staleLegs: [1] })
    legs[0].bad.set(3, "IO")
    await expect(readAll(device)).rejects.toMatchObject({ code: "IO", offset: 3 * BLOCK })
    await expect(resync()).rejects.toMatchObject({ code: "IO", offset: 3 * BLOCK })
    await expect(readAll(device)).rejects.toMatchObject({ code: "IO", offset: 3 * BLOCK })
    await device.write(3 * BLOCK, content().subarray(3 * BLOCK, 4 * BLOCK))
    expect(legs[1].requests).not.toContain("write 3+1")
    await resync()
    expect(isSame(inUse(legs[1]), content())).toBe(true)
    legs[0].bad.set(3, "IO")
    expect(isSame(await readAll(device), content())).toBe(true)
  })

  test("from a leg: it alone is believed, which is recorded before anything is written", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    inUse(legs[0]).set(content(SIZE, "wrong"))
    inUse(legs[1]).set(content())
    const recorded: [stale: readonly number[], requestCount: number][] = []
    const { device, resync } = mirrorOf(legs, {
      onLegFailure: (stale) => void recorded.push([stale, legs[0].requests.length]),
    })
    await expect(resync({ from: 2 })).rejects.toThrow(RangeError)
    await resync({ from: 1 })
    expect(recorded).toEqual([[[0], 0]])
    expect(isSame(inUse(legs[0]), content())).toBe(true)
    expect(legs[1].requests.filter((request) => request.startsWith("write"))).toEqual([])
    expect(isSame(await readAll(device), content())).toBe(true)
  })

  test("beside requests: writes reach the leg that is being copied, whatever was copied before", async () => {
    const size = 8 * 2 ** 20
    const legs = [wornLeg(size), wornLeg(size)] as const
    const { device, resync } = mirrorOf(legs, { staleLegs: [1] })
    const random = seededRandom(3, "writes")
    const expected = new Uint8Array(size)
    let isDone = false
    const copy = resync().then(() => {
      isDone = true
    })
    await expect(resync()).rejects.toMatchObject({ code: "BUSY" })
    let writeCount = 0
    for (; !isDone; writeCount++) {
      const offset = random.below(size / BLOCK - 8) * BLOCK
      const data = random.bytes(8 * BLOCK)
      expected.set(data, offset)
      await device.write(offset, data)
    }
    await copy
    expect(writeCount).toBeGreaterThan(4)
    for (const leg of legs) expect(isSame(inUse(leg), expected)).toBe(true)
  })

  test("a write that comes while its piece is copied is not copied over", async () => {
    const legs = [wornLeg(), wornLeg()] as const
    const { device, resync } = mirrorOf(legs, { staleLegs: [1] })
    let release = () => {}
    legs[1].holdsNextWrite = new Promise((resolve) => {
      release = resolve
    })
    const copy = resync()
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    const write = device.write(0, content())
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    release()
    await Promise.allSettled([copy, write])
    for (const leg of legs) expect(isSame(inUse(leg), content())).toBe(true)
  })

  test("a leg that becomes current has what the others answered where a write was rejected meanwhile", async () => {
    const size = 4 * 2 ** 20
    const legs = [wornLeg(size), wornLeg(size)] as const
    const { device, resync } = mirrorOf(legs, { staleLegs: [0] })
    await device.write(0, content(size))
    let rejected: Promise<unknown> | undefined
    await resync({
      onProgress() {
        if (rejected !== undefined) return
        legs[1].failsOn = "write"
        const failed = device.write(0, content(BLOCK, "new")).catch((error: unknown) => error)
        rejected = failed.finally(() => {
          legs[1].failsOn = undefined
        })
      },
    })
    expect(await rejected).toMatchObject({ code: "IO" })
    expect(legs[0].requests).toContain("write 0+1")
    expect(device.layer.status()).toMatchObject({ leg0: "live", leg1: "live" })
    expect(isSame(await readAll(device), content(size))).toBe(true)
    for (const leg of legs) expect(isSame(inUse(leg), content(size))).toBe(true)
  })

  test("a leg that is being copied is recorded as stale when another one goes", async () => {
    const legs = [wornLeg(4 * 2 ** 20), wornLeg(4 * 2 ** 20), wornLeg(4 * 2 ** 20)] as const
    const recorded: (readonly number[])[] = []
    const options = { staleLegs: [1], onLegFailure: (stale: readonly number[]) => void recorded.push(stale) }
    const { device, resync } = mirrorOf(legs, options)
    let write: Promise<void> | undefined
    const copy = resync({
      onProgress() {
        legs[0].failsOn = "write"
        write ??= device.write(0, content(BLOCK))
      },
    })
    await expect(copy).rejects.toMatchObject({ code: "IO" })
    await write
    expect(recorded).toEqual([[0, 1]])
  })

  test("a leg that fails the copy, a signal or close: the leg stays stale", async () => {
    const legs = [wornLeg(4 * 2 ** 20), wornLeg(4 * 2 ** 20)] as const
    const { device, resync, kinds } = mirrorOf(legs, { staleLegs: [1] })
    legs[1].failsOn = "write"
    await expect(resync()).rejects.toMatchObject({ code: "IO" })
    expect(kinds()).toContain("degraded")
    legs[1].failsOn = undefined
    const reason = new Error("enough")
    await expect(resync({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(device.layer.status()).toMatchObject({ leg0: "live", leg1: "stale" })
    const copy = resync()
    const closed = device.close()
    await expect(copy).rejects.toMatchObject({ code: "CLOSED" })
    await closed
    expect(device.layer.status()).toMatchObject({ leg1: "stale" })
  })
})
