import type { SeededRandom } from "../seeded-random.ts"
import type { Choice } from "./epoch.ts"

/** How much of an epoch is visited. */
export interface StateLimits {
  /** An epoch of at most so many states is visited completely. */
  readonly exhaustiveStateCount: number
  /** Of a larger one: so many random states beside all singletons, pairs, prefixes and suffixes. */
  readonly randomStateCount: number
}

/** Pairs of more changes than this are too many: their number grows with the square. */
const PAIRED_COUNT_MAX = 48

/** The number of states of changes with these numbers of images. */
export function stateCount(imageCounts: readonly number[]): number {
  return imageCounts.reduce((product, count) => product * count, 1)
}

/** Every state, the first with nothing left. The array that is given is changed for the next one. */
export function* allStates(imageCounts: readonly number[]): Generator<Choice> {
  const choice = new Uint8Array(imageCounts.length)
  for (;;) {
    yield choice
    let place = 0
    while (place < choice.length && (choice[place] as number) === (imageCounts[place] as number) - 1)
      choice[place++] = 0
    if (place === choice.length) return
    choice[place] = (choice[place] as number) + 1
  }
}

const ABSENT = 0
const WHOLE = 1

/**
 * The states that find most, each once: one change alone with each of its images, or alone missing or torn; two alone,
 * or two missing; the first n, or all but the first n; and seeded random ones.
 */
export function* sampledStates(
  imageCounts: readonly number[],
  randomStateCount: number,
  random: SeededRandom,
): Generator<Choice> {
  const seen = new Set<string>()
  const isFresh = (choice: Choice): boolean => {
    const key = String.fromCharCode(...choice)
    return !seen.has(key) && seen.add(key).size > 0
  }
  for (const choice of chosenStates(imageCounts)) if (isFresh(choice)) yield choice
  for (let index = 0; index < randomStateCount; index++) {
    const choice = randomState(imageCounts, random)
    if (isFresh(choice)) yield choice
  }
}

function* chosenStates(imageCounts: readonly number[]): Generator<Choice> {
  const { length } = imageCounts
  const filled = (value: number): Choice => new Uint8Array(length).fill(value)
  for (let first = 0; first <= length; first++) {
    yield filled(ABSENT).fill(WHOLE, 0, first)
    yield filled(WHOLE).fill(ABSENT, 0, first)
  }
  for (let place = 0; place < length; place++) {
    for (let image = 0; image < (imageCounts[place] as number); image++) {
      for (const rest of [ABSENT, WHOLE]) {
        const choice = filled(rest)
        choice[place] = image
        yield choice
      }
      // A change that tears while those before it are there and those after it are not.
      const choice = filled(ABSENT).fill(WHOLE, 0, place)
      choice[place] = image
      yield choice
    }
  }
  if (length > PAIRED_COUNT_MAX) return
  for (let one = 0; one < length; one++) {
    for (let other = one + 1; other < length; other++) {
      for (const rest of [ABSENT, WHOLE]) {
        const choice = filled(rest)
        choice[one] = 1 - rest
        choice[other] = 1 - rest
        yield choice
      }
    }
  }
}

/** Few or many changes are left, and of those that are, one in three is torn. */
function randomState(imageCounts: readonly number[], random: SeededRandom): Choice {
  const share = random.below(9) + 1
  return Uint8Array.from(imageCounts, (count) => {
    if (random.below(10) >= share) return ABSENT
    return random.below(3) === 0 && count > 2 ? 1 + random.below(count - 1) : WHOLE
  })
}
