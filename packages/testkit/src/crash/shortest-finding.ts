import { type CrashSearch, choiceAt, type Finding, placeOf, type StatePlace } from "./crash-search.ts"
import { type Choice, type Epoch, epochsOf } from "./epoch.ts"
import { visitState } from "./state-visit.ts"
import type { Timeline } from "./timeline.ts"

/**
 * Leaves out the longest runs of steps, then shorter ones, then single ones, as long as `findWithout` still finds
 * something; gives what was found last and the steps that it does without. `isSpent` ends it early.
 */
export async function fewestSteps<Found extends { readonly stepCount: number }>(
  first: Found,
  findWithout: (skipped: ReadonlySet<number>) => Promise<Found | undefined>,
  isSpent: () => boolean,
): Promise<{ found: Found; skipped: ReadonlySet<number> }> {
  let found = first
  let skipped: ReadonlySet<number> = new Set()
  let hasChanged = true
  while (hasChanged && !isSpent()) {
    hasChanged = false
    const kept = Array.from({ length: first.stepCount }, (_, index) => index).filter((index) => !skipped.has(index))
    for (let length = Math.ceil(kept.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
      for (let from = 0; from < kept.length && !isSpent(); from += length) {
        const without = new Set([...skipped, ...kept.slice(from, from + length)])
        if (without.size === skipped.size) continue
        const again = await findWithout(without)
        if (again === undefined) continue
        found = again
        skipped = without
        hasChanged = true
      }
    }
  }
  return { found, skipped }
}

/** Visits one state of a timeline again, and the crash during its recovery, if two places are given. */
export async function visitPlaces<Moment>(
  search: CrashSearch<Moment>,
  timeline: Timeline<Moment>,
  places: readonly StatePlace[],
): Promise<Finding<Moment> | undefined> {
  const [place, ...rest] = places
  const epoch = place && epochAt(search, timeline, place)
  if (place === undefined || epoch === undefined) {
    throw new RangeError("crash: the stack makes other requests than when this state was found")
  }
  const choice = choiceAt(epoch, place)
  if (rest.length === 0) return await visitState({ ...search, depth: 1 }, epoch, choice, 1)
  return await visitState({ ...search, nested: (nested) => visitPlaces(search, nested, rest) }, epoch, choice, 1)
}

function epochAt<Moment>(
  search: CrashSearch<Moment>,
  timeline: Timeline<Moment>,
  place: StatePlace,
): Epoch<Moment> | undefined {
  for (const epoch of epochsOf(timeline, search.atomicSize === 0)) if (epoch.index === place.epoch) return epoch
  return undefined
}

/** The same problem, or another one, with fewer changes left, and with whole ones instead of torn ones. */
export async function simplestState<Moment>(
  search: CrashSearch<Moment>,
  timeline: Timeline<Moment>,
  finding: Finding<Moment>,
): Promise<Finding<Moment>> {
  let simplest = finding
  for (let level = 0; level < simplest.places.length; level++) {
    for (let hasChanged = true; hasChanged; ) {
      hasChanged = false
      for (const simpler of simplerChoices(simplest.choices[level] as Choice)) {
        const epoch = simplest.epochs[level] as Epoch<Moment>
        const places = simplest.places.slice(0, level)
        const again = await tryState(search, timeline, [...places, placeOf(epoch, simpler)], simplest.places.length)
        if (again === undefined) continue
        simplest = again
        hasChanged = true
        break
      }
    }
  }
  return simplest
}

/** Everything that is one step simpler: a change absent, or a torn one whole. */
function* simplerChoices(choice: Choice): Generator<Choice> {
  for (const [image, isSimpler] of [
    [0, (now: number) => now > 0],
    [1, (now: number) => now > 1],
  ] as const) {
    for (let index = 0; index < choice.length; index++) {
      if (!isSimpler(choice[index] ?? 0)) continue
      yield choice.with(index, image)
    }
  }
}

/** `places` may end one level before the finding: then any crash of that recovery will do. */
async function tryState<Moment>(
  search: CrashSearch<Moment>,
  timeline: Timeline<Moment>,
  places: readonly StatePlace[],
  depth: number,
): Promise<Finding<Moment> | undefined> {
  const isPartial = places.length < depth
  try {
    if (!isPartial) return await visitPlaces(search, timeline, places)
    const epoch = epochAt(search, timeline, places[0] as StatePlace)
    if (epoch === undefined) return undefined
    return await visitState(search, epoch, choiceAt(epoch, places[0] as StatePlace), 1)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
