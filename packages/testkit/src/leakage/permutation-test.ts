import type { SeededRandom } from "../seeded-random.ts"

/** What a statistic is, and what it is where labels say nothing. */
export interface Tested {
  readonly value: number
  /** Its mean over shuffled labels: what the same data give by chance alone, which is the bias of the estimate. */
  readonly byChance: number
  /** How often chance alone gives as much, the given labels counted in: never 0. */
  readonly pValue: number
}

/** Values that should be equal differ in their last bits, by the order of their sums. */
const ROUNDING = 1e-9

/** Shuffles that reach the value, after which it is clear that chance gives as much. */
const REACHED_COUNT_MAX = 20

/**
 * Compares a statistic with its values under shuffled labels, `shuffleCount` times or until 20 of them reached it. Exact
 * whatever the distribution: if labels and data are independent, `pValue <= a` happens with a chance of at most a.
 *
 * Source: J. Besag and P. Clifford, "Sequential Monte Carlo p-values", 1991.
 */
export function permutationTest(
  labels: readonly number[],
  statistic: (labels: readonly number[]) => number,
  { shuffleCount, random }: { readonly shuffleCount: number; readonly random: SeededRandom },
): Tested {
  const value = statistic(labels)
  const shuffled = [...labels]
  let [sum, reachedCount, round] = [0, 0, 0]
  while (round < shuffleCount && reachedCount < REACHED_COUNT_MAX) {
    round++
    shuffle(shuffled, random)
    const other = statistic(shuffled)
    sum += other
    if (other >= value - ROUNDING) reachedCount++
  }
  const pValue = reachedCount < REACHED_COUNT_MAX ? (1 + reachedCount) / (1 + round) : reachedCount / round
  return { value, byChance: sum / round, pValue }
}

/** In place: there are thousands of them. */
function shuffle(labels: number[], random: SeededRandom): void {
  for (let last = labels.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const label = labels[other] as number
    labels[other] = labels[last] as number
    labels[last] = label
  }
}
