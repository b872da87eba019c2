import { expect, inject, it } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import { atLeast } from "./binomial-interval.ts"
import { playGame } from "./game.ts"
import { type LabelledFeatures, trainNaiveBayes } from "./naive-bayes.ts"

const CONFIDENCE = 0.99

const run = (label: number, features: Record<string, number>): LabelledFeatures => ({
  label,
  features: new Map(Object.entries(features)),
})

/** A run that touches 10 of 16 places, of which label 1 prefers the first, if it has a preference. */
function seen(random: SeededRandom, label: number, preference: number): LabelledFeatures {
  const features = new Map<string, number>()
  for (let touch = 0; touch < 10; touch++) {
    const isPreferred = label === 1 && random.below(100) < preference
    const place = `place ${isPreferred ? 0 : random.below(16)}`
    features.set(place, (features.get(place) ?? 0) + 1)
  }
  return { label, features }
}

function play(seed: number, preference: number, runs = 16) {
  const random = seededRandom(seed, "game")
  const training = Array.from({ length: 2 * runs }, (_, index) => seen(random, index % 2, preference))
  const guessed = Array.from({ length: 2 * runs }, () => seen(random, random.below(2), preference))
  return playGame({ training, guessed, labelCount: 2, confidence: CONFIDENCE })
}

it("guesses the label under which what was seen is likeliest", () => {
  const guess = trainNaiveBayes([run(0, { a: 3, b: 1 }), run(1, { a: 1, b: 3 }), run(2, { c: 4 })], 3)
  expect(guess(new Map([["a", 2]]))).toBe(0)
  expect(guess(new Map([["b", 2]]))).toBe(1)
  expect(guess(new Map([["c", 1]]))).toBe(2)
  // What nobody ever saw says nothing.
  expect(guess(new Map([["d", 9]]))).toBe(0)
})

it("states rate and advantage with their intervals", () => {
  const training = [run(0, { a: 1 }), run(1, { b: 1 })]
  const guessed = Array.from({ length: 20 }, (_, index) => run(index % 2, index % 2 === 0 ? { a: 1 } : { b: 1 }))
  const game = playGame({ training, guessed, labelCount: 2, confidence: CONFIDENCE })
  expect(game).toMatchObject({ rightCount: 20, guessCount: 20, chance: 0.5, verdict: "leaks" })
  expect(game.rate.low).toBeCloseTo(0.005 ** (1 / 20))
  expect(game.advantage).toMatchObject({ value: 1, low: 2 * game.rate.low - 1, high: 1 })
})

it("finds a strong preference in few runs, and a weak one in many", () => {
  expect(play(1, 60).verdict).toBe("leaks")
  expect(play(1, 6).verdict).toBe("not shown")
  expect(play(1, 6, 400).verdict).toBe("leaks")
})

it("where both workloads are the same, the interval has 1/2 in it, but for the false alarms it admits", () => {
  const trials = runCount(400)
  let missCount = 0
  for (let trial = 0; trial < trials; trial++) {
    const { rate } = play(inject("seed") + trial, 0)
    if (rate.low > 0.5 || rate.high < 0.5) missCount++
  }
  // As many misses have a chance of less than 1e-9.
  expect(atLeast(missCount, trials, 1 - CONFIDENCE)).toBeGreaterThan(1e-9)
})
