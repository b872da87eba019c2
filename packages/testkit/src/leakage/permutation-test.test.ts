import { expect, inject, it } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { seededRandom } from "../seeded-random.ts"
import { atLeast } from "./binomial-interval.ts"
import { permutationTest } from "./permutation-test.ts"

const LABELS = [0, 0, 0, 0, 1, 1, 1, 1]

/** How far apart the means of the two labels are. */
const apart = (values: readonly number[]) => (labels: readonly number[]) =>
  Math.abs(values.reduce((sum, value, index) => sum + (labels[index] === 0 ? value : -value), 0) / 4)

it("gives the chance of as much by shuffling: 2 of 70 ways to part 4 and 4", () => {
  const random = seededRandom(1)
  const tested = permutationTest(LABELS, apart([1, 1, 1, 1, 5, 5, 5, 5]), { shuffleCount: 700, random })
  expect(tested.value).toBe(4)
  expect(tested.pValue).toBeGreaterThan(0.012)
  expect(tested.pValue).toBeLessThan(0.055)
  expect(tested.byChance).toBeLessThan(2)
})

it("is never zero, and one where everything is equal", () => {
  const random = seededRandom(2)
  const wide = Array.from({ length: 40 }, (_, index) => index % 2)
  const perfect = permutationTest(wide, (labels) => Number(labels.every((label, index) => label === index % 2)), {
    ...{ shuffleCount: 99, random },
  })
  expect(perfect.pValue).toBe(0.01)
  expect(permutationTest(LABELS, () => 0.1 + 0.2, { shuffleCount: 99, random }).pValue).toBe(1)
})

it("gives no more false alarms than its level", () => {
  const [trials, level] = [runCount(1000), 0.1]
  const random = seededRandom(inject("seed"), "false alarms")
  let alarmCount = 0
  for (let trial = 0; trial < trials; trial++) {
    const values = LABELS.map(() => random.nextUint32())
    if (permutationTest(LABELS, apart(values), { shuffleCount: 99, random }).pValue <= level) alarmCount++
  }
  // As many would come with a chance of less than 1e-9, if the level were not kept; as few, if nothing were ever found.
  expect(atLeast(alarmCount, trials, level)).toBeGreaterThan(1e-9)
  expect(alarmCount).toBeGreaterThan(trials * 0.03)
})
