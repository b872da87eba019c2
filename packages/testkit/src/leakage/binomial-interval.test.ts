import { expect, it } from "vitest"
import { atLeast, binomialInterval } from "./binomial-interval.ts"

it.each([
  [5, 10, 0.95, 0.1871, 0.8129],
  [0, 10, 0.95, 0, 0.3085],
  [10, 10, 0.95, 0.6915, 1],
  [8, 20, 0.95, 0.1912, 0.6395],
  [1, 1, 0.9, 0.05, 1],
])("is Clopper and Pearson's for %i of %i", (successes, trials, confidence, low, high) => {
  const interval = binomialInterval(successes, trials, confidence)
  expect(interval.low).toBeCloseTo(low, 4)
  expect(interval.high).toBeCloseTo(high, 4)
})

it("covers the true rate at least as often as it says, exactly reckoned, also for many trials", () => {
  for (const [trials, confidence] of [
    [20, 0.95],
    [32, 0.999],
    [300, 0.99],
  ] as const) {
    const intervals = Array.from({ length: trials + 1 }, (_, count) => binomialInterval(count, trials, confidence))
    for (const rate of [0.02, 0.13, 0.5, 0.77, 0.995]) {
      const exactly = (count: number) => atLeast(count, trials, rate) - atLeast(count + 1, trials, rate)
      const covered = intervals.reduce(
        (sum, { low, high }, count) => sum + (low <= rate && rate <= high ? exactly(count) : 0),
        0,
      )
      expect(covered).toBeGreaterThanOrEqual(confidence)
    }
  }
})
