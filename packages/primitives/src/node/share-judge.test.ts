import { expect, test } from "vitest"
import { shareJudge } from "./share-judge.ts"

/** How many of twice 1000 requests are shared, where a shared one costs `costs[half]` times one alone. */
function sharedCounts(costs: readonly [number, number]): number[] {
  const judge = shareJudge()
  return costs.map((sharedCost) => {
    let count = 0
    for (let request = 0; request < 1000; request++) {
      const way = judge.next()
      if (way === "shared") count += 1
      judge.note(1, way === "shared" ? sharedCost : 1)
    }
    return count
  })
}

test("a way that costs more is only tried now and then", () => {
  expect(sharedCounts([1.4, 1.4]).every((count) => count <= 40)).toBe(true)
})

test("a way that costs less is taken but for trials of the other", () => {
  expect(sharedCounts([0.7, 0.7]).every((count) => count >= 960)).toBe(true)
})

test("what changes is noticed", () => {
  const [, worse = 0] = sharedCounts([0.7, 1.4])
  const [, better = 0] = sharedCounts([1.4, 0.7])
  expect(worse).toBeLessThanOrEqual(320)
  expect(better).toBeGreaterThanOrEqual(680)
})
