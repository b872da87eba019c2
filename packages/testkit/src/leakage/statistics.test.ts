import { expect, it } from "vitest"
import { seededRandom } from "../seeded-random.ts"
import { permutationTest } from "./permutation-test.ts"
import { entropyStatistic, informationStatistic, overlapStatistic, setOverlap } from "./statistics.ts"

it("knows the overlap of sets", () => {
  const overlap = (left: string, right: string) => setOverlap(new Set(left), new Set(right))
  expect([overlap("ab", "ab"), overlap("", ""), overlap("a", ""), overlap("ab", "c")]).toEqual([1, 1, 0, 0])
  expect(overlap("abc", "bcd")).toBe(0.5)
})

it("knows the information of small tables", () => {
  const labels = [0, 1, 2, 3]
  expect(informationStatistic([["a"], ["b"], ["c"], ["d"]])(labels)).toBeCloseTo(2)
  expect(informationStatistic([["a"], ["a"], ["b"], ["b"]])(labels)).toBeCloseTo(1)
  expect(informationStatistic([["a"], ["a"], ["a"], ["a"]])(labels)).toBeCloseTo(0)
  // A symbol shared by both labels half of the time: I = H(X) - H(X|S) = 1.5 - 1.
  expect(
    informationStatistic([
      ["a", "c"],
      ["b", "c"],
    ])([0, 1]),
  ).toBeCloseTo(0.5)
  // Nothing seen is something, and what is always seen together counts once.
  expect(informationStatistic([[], ["a"]])([0, 1])).toBeCloseTo(1)
  expect(
    informationStatistic([
      ["a", "b", "c"],
      ["a", "b", "c"],
      ["d", "e", "f"],
    ])([0, 0, 1]),
  ).toBeCloseTo(0.9183)
})

it("measures the bias of information: what chance gives is what theory says", () => {
  const random = seededRandom(2)
  const [runCount, symbolCount, labelCount] = [400, 8, 4]
  const runs = Array.from({ length: runCount }, () => [String(random.below(symbolCount))])
  const labels = runs.map((_, index) => index % labelCount)
  const tested = permutationTest(labels, informationStatistic(runs), { shuffleCount: 500, random })
  const expected = ((labelCount - 1) * (symbolCount - 1)) / (2 * runCount * Math.LN2)
  expect(Math.abs(tested.byChance / expected - 1)).toBeLessThan(0.15)
})

it("tells how much more runs of one label overlap, and how far apart entropies are", () => {
  const runs = [["a", "b"], ["a", "b"], ["c"], ["c"]]
  expect(overlapStatistic(runs)([0, 0, 1, 1])).toBe(1)
  expect(overlapStatistic(runs)([0, 1, 0, 1])).toBe(-0.5)
  const plugin = 1 + 1 / (4 * Math.LN2)
  expect(entropyStatistic(runs)([0, 0, 1, 1])).toBeCloseTo(plugin)
  expect(entropyStatistic(runs)([0, 1, 0, 1])).toBeCloseTo(0)
})
