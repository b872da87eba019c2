import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RangeLock } from "./range-lock.ts"

const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve))

describe("RangeLock", () => {
  it("shares between readers, excludes writers, and serves in the order of arrival", async () => {
    const lock = new RangeLock()
    const order: string[] = []
    const range = [{ offset: 0, length: 10 }]
    const first = await lock.acquire(range, "shared")
    const second = await lock.acquire(range, "shared")
    const writer = lock.acquire(range, "exclusive").then((release) => (order.push("writer"), release))
    const late = lock.acquire(range, "shared").then((release) => (order.push("late reader"), release))
    await turn()
    expect(order).toEqual([])
    first()
    second()
    const releaseWriter = await writer
    expect(order).toEqual(["writer"])
    releaseWriter()
    releaseWriter()
    await late
    expect(order).toEqual(["writer", "late reader"])
  })

  it("never lets two holders of one byte overlap unless both share, and never hangs", async () => {
    const request = fc.record({
      ranges: fc.array(fc.record({ offset: fc.nat(20), length: fc.integer({ min: 1, max: 8 }) }), {
        minLength: 1,
        maxLength: 3,
      }),
      exclusive: fc.boolean(),
      turns: fc.nat(5),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 25 }), async (requests) => {
        const lock = new RangeLock()
        const readers = new Map<number, number>()
        const writers = new Map<number, number>()
        const bump = (map: Map<number, number>, byte: number, by: number) => map.set(byte, (map.get(byte) ?? 0) + by)
        const outcomes = await Promise.allSettled(
          requests.map(({ ranges, exclusive, turns }) =>
            lock.hold(ranges, exclusive ? "exclusive" : "shared", async () => {
              const held = new Set(
                ranges.flatMap((range) => Array.from({ length: range.length }, (_, at) => range.offset + at)),
              )
              for (const byte of held) {
                bump(exclusive ? writers : readers, byte, 1)
                expect(writers.get(byte) ?? 0).toBeLessThanOrEqual(1)
                if ((writers.get(byte) ?? 0) > 0) expect(readers.get(byte) ?? 0).toBe(0)
              }
              for (let count = 0; count < turns; count++) await turn()
              for (const byte of held) bump(exclusive ? writers : readers, byte, -1)
            }),
          ),
        )
        expect(outcomes.filter((outcome) => outcome.status === "rejected")).toEqual([])
      }),
    )
  })
})
