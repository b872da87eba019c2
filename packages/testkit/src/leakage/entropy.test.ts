import { expect, it } from "vitest"
import { seededRandom } from "../seeded-random.ts"
import { entropyBits, entropyOf } from "./entropy.ts"

it("knows the entropy of small samples, and what Miller and Madow add", () => {
  expect(entropyOf([])).toMatchObject({ bits: 0, sampleCount: 0 })
  expect(entropyOf(["a", "a", "a"])).toMatchObject({ bits: 0, pluginBits: 0, correctionBits: 0, distinctCount: 1 })
  const eight = entropyOf([..."abcdefgh"])
  expect(eight.pluginBits).toBeCloseTo(3)
  expect(eight.correctionBits).toBeCloseTo(7 / (16 * Math.log(2)))
  expect(eight.bits).toBe(eight.pluginBits + eight.correctionBits)
  expect(entropyBits([2, 1, 1, 0])).toBeCloseTo(1.5)
})

it("is too low without the correction, and less so with it", () => {
  const random = seededRandom(1)
  const samples = Array.from({ length: 300 }, () =>
    entropyOf(Array.from({ length: 64 }, () => String(random.below(16)))),
  )
  const mean = (pick: (sample: (typeof samples)[number]) => number) =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length
  expect(mean(({ pluginBits }) => pluginBits)).toBeLessThan(3.87)
  expect(Math.abs(mean(({ bits }) => bits) - 4)).toBeLessThan(0.02)
})
