/** What the rate of something may be, after it was seen so often. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Halvings: more than a number has bits. */
const STEP_COUNT = 60

/**
 * Clopper and Pearson's interval: covers the true rate with a chance of at least `confidence`, whatever it is and however
 * few the trials. On the wide side for it.
 */
export function binomialInterval(successCount: number, trialCount: number, confidence: number): Interval {
  const tail = (1 - confidence) / 2
  // The rate at which as many successes, or as few, are just not too unlikely.
  const low = solve((rate) => atLeast(successCount, trialCount, rate) < tail)
  const high = solve((rate) => 1 - atLeast(successCount + 1, trialCount, rate) > tail)
  return { low: successCount === 0 ? 0 : low, high: successCount === trialCount ? 1 : high }
}

/** The rate below which `isBelow` holds. */
function solve(isBelow: (rate: number) => boolean): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < STEP_COUNT; step++) {
    const middle = (low + high) / 2
    if (isBelow(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The chance of `count` successes or more. */
export function atLeast(count: number, trialCount: number, rate: number): number {
  let logChoices = 0
  let sum = 0
  for (let successes = 0; successes <= trialCount; successes++) {
    if (successes >= count)
      sum += Math.exp(logChoices + successes * Math.log(rate) + (trialCount - successes) * Math.log1p(-rate))
    logChoices += Math.log(trialCount - successes) - Math.log(successes + 1)
  }
  return Math.min(1, sum)
}
