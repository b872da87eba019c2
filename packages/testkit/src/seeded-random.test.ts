import { expect, it } from "vitest"
import { seededRandom } from "./seeded-random.ts"
import { seededRuntime } from "./seeded-runtime.ts"

it("gives the same stream for the same seed and name, and another for every other", () => {
  const bytes = (seed: number, stream?: string) => seededRandom(seed, stream).bytes(64).join()
  expect(bytes(1)).toBe(bytes(1))
  const others = [bytes(1), bytes(2), bytes(-1), bytes(2 ** 32 + 1), bytes(1, "a"), bytes(1, "b")]
  expect(new Set(others).size).toBe(others.length)
  expect(() => seededRandom(0.5)).toThrow(RangeError)
})

it("gives numbers below a bound, on both sides of 2^32, and all of them", () => {
  const random = seededRandom(3)
  const seen = new Set(Array.from({ length: 500 }, () => random.below(7)))
  expect(seen).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]))
  const far = Array.from({ length: 100 }, () => random.below(2 ** 50))
  expect(far.every((value) => Number.isSafeInteger(value) && value < 2 ** 50)).toBe(true)
  expect(far.some((value) => value > 2 ** 49)).toBe(true)
})

it("fills any length, and every value of a byte occurs", () => {
  const random = seededRandom(4)
  for (const length of [0, 1, 3, 4, 5]) expect(random.bytes(length).length).toBe(length)
  const counts = new Uint32Array(256)
  for (const byte of random.bytes(256 * 200)) counts[byte] = (counts[byte] ?? 0) + 1
  expect(Math.min(...counts)).toBeGreaterThan(120)
  expect(Math.max(...counts)).toBeLessThan(290)
})

it("picks and shuffles", () => {
  const random = seededRandom(5)
  const items = [1, 2, 3, 4, 5, 6, 7, 8]
  const shuffled = random.shuffle(items)
  expect(shuffled).not.toEqual(items)
  expect(new Set(shuffled)).toEqual(new Set(items))
  expect(shuffled.length).toBe(items.length)
  expect(items).toContain(random.pick(items))
  expect(() => random.pick([])).toThrow(RangeError)
})

it("is a runtime whose clock moves only when told, and whose timers come in their order", () => {
  const runtime = seededRuntime(6)
  const bytes = new Uint8Array(100_000)
  runtime.fillRandom(bytes)
  const again = new Uint8Array(100_000)
  seededRuntime(6).fillRandom(again)
  expect(again).toEqual(bytes)

  const calls: string[] = []
  const note = (name: string) => () => void calls.push(`${name} at ${runtime.now()}`)
  runtime.setTimer(30, note("late"))
  const cancel = runtime.setTimer(20, note("cancelled"))
  runtime.setTimer(10, () => {
    note("first")()
    runtime.setTimer(5, note("second"))
  })
  cancel()
  expect(runtime.now()).toBe(0)
  runtime.advance(25)
  expect(calls).toEqual(["first at 10", "second at 15"])
  expect(runtime.now()).toBe(25)
  runtime.advance(5)
  expect(calls.at(-1)).toBe("late at 30")
})
