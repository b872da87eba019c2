import { binomialInterval, type Interval } from "./binomial-interval.ts"
import { type LabelledFeatures, trainNaiveBayes } from "./naive-bayes.ts"

/**
 * `leaks`: shown, up to the chance of a false alarm. `not shown`: this meter, on these workloads, in so many runs, found
 * nothing. There is no third word: no number of runs shows that nothing leaks.
 */
export type LeakageVerdict = "leaks" | "not shown"

/** How well somebody guesses which workload ran. */
export interface Game {
  readonly rightCount: number
  readonly guessCount: number
  /** The rate of right guesses for who sees nothing: 1 / how many workloads there are. */
  readonly chance: number
  /** Clopper-Pearson's for the rate of right guesses. */
  readonly rate: Interval
  /** 0: as blind; 1: always right. (rate - chance) / (1 - chance), and its interval. */
  readonly advantage: Interval & { readonly value: number }
  readonly verdict: LeakageVerdict
}

export interface GameOptions {
  /** Runs of which the guesser is told what they were. */
  readonly training: readonly LabelledFeatures[]
  /** Runs that are guessed. A coin has to have chosen their labels, else `chance` is not the chance. */
  readonly guessed: readonly LabelledFeatures[]
  readonly labelCount: number
  /** Of the interval: 0.99 ... */
  readonly confidence: number
}

/** Plays "which workload ran?" with naive Bayes for a guesser. A better guesser may do better: the advantage is a lower bound. */
export function playGame({ training, guessed, labelCount, confidence }: GameOptions): Game {
  const guess = trainNaiveBayes(training, labelCount)
  const rightCount = guessed.filter(({ label, features }) => guess(features) === label).length
  const guessCount = guessed.length
  const chance = 1 / labelCount
  const rate = binomialInterval(rightCount, guessCount, confidence)
  const advantageOf = (value: number): number => (value - chance) / (1 - chance)
  return {
    ...{ rightCount, guessCount, chance, rate },
    advantage: {
      value: advantageOf(rightCount / guessCount),
      low: advantageOf(rate.low),
      high: advantageOf(rate.high),
    },
    verdict: rate.low > chance ? "leaks" : "not shown",
  }
}
