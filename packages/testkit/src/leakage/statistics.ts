import { entropyBits, entropyOf } from "./entropy.ts"

/** How much a labelling of runs explains: made once of what was seen in each run, asked for many labellings. */
export type Statistic = (labels: readonly number[]) => number

/** What two sets share of what either has: 1 for equal sets, also for two empty ones. Jaccard's index. */
export function setOverlap(left: ReadonlySet<unknown>, right: ReadonlySet<unknown>): number {
  if (left.size === 0 && right.size === 0) return 1
  let shared = 0
  for (const item of left) if (right.has(item)) shared++
  return shared / (left.size + right.size - shared)
}

/**
 * Mutual information, bits, between the label of a run and one symbol drawn from that run: what a single symbol tells
 * about the label. A plug-in estimate, which is too high: with one symbol a run by about
 * (labels - 1) (distinct symbols - 1) / (2 runs ln 2). A run without symbols counts as one that showed nothing.
 */
export function informationStatistic(runs: readonly (readonly string[])[]): Statistic {
  const profiles = profilesOf(runs)
  const symbolBits = entropyBits(profiles.map(totalOf))
  return (labels) => {
    const joint = new Float64Array(profiles.length)
    let remaining = 0
    for (const label of new Set(labels)) {
      joint.fill(0)
      let runCount = 0
      for (const other of labels) if (other === label) runCount++
      for (const [symbol, { seenIn, weights }] of profiles.entries()) {
        let sum = 0
        for (let index = 0; index < seenIn.length; index++)
          if (labels[seenIn[index] as number] === label) sum += weights[index] as number
        joint[symbol] = sum
      }
      remaining += (runCount / labels.length) * entropyBits(joint)
    }
    return Math.max(0, symbolBits - remaining)
  }
}

/** In which runs a symbol was seen, and which part it was of all that was seen there. */
interface Profile {
  readonly seenIn: readonly number[]
  readonly weights: readonly number[]
}

/** One profile for all symbols that were always seen together: apart they tell nothing more, and cost as much again. */
function profilesOf(runs: readonly (readonly string[])[]): Profile[] {
  const counts = new Map<string, Map<number, number>>()
  for (const [run, symbols] of runs.entries()) {
    for (const symbol of symbols.length === 0 ? [""] : symbols) {
      const own = counts.get(symbol) ?? new Map<number, number>()
      counts.set(symbol, own.set(run, (own.get(run) ?? 0) + 1 / Math.max(1, symbols.length)))
    }
  }
  const profiles = new Map<string, { seenIn: number[]; weights: number[] }>()
  for (const own of counts.values()) {
    const key = [...own].join(" ")
    const known = profiles.get(key)
    const weights = [...own.values()]
    if (known === undefined) profiles.set(key, { seenIn: [...own.keys()], weights })
    else for (const [index, weight] of weights.entries()) known.weights[index] = weight + (known.weights[index] ?? 0)
  }
  return [...profiles.values()]
}

function totalOf({ weights }: Profile): number {
  return weights.reduce((sum, weight) => sum + weight, 0)
}

/** How much more the sets of two runs overlap where the labels are the same than where they differ: means of Jaccard's index. */
export function overlapStatistic(runs: readonly (readonly string[])[]): Statistic {
  const sets = runs.map((symbols) => new Set(symbols))
  const overlaps = sets.map((left, index) => sets.slice(0, index).map((right) => setOverlap(left, right)))
  return (labels) => {
    let [sameSum, sameCount, otherSum, otherCount] = [0, 0, 0, 0]
    for (let left = 0; left < overlaps.length; left++) {
      const row = overlaps[left] as number[]
      for (let right = 0; right < left; right++) {
        const overlap = row[right] as number
        if (labels[left] === labels[right]) {
          sameSum += overlap
          sameCount++
        } else {
          otherSum += overlap
          otherCount++
        }
      }
    }
    return sameSum / Math.max(1, sameCount) - otherSum / Math.max(1, otherCount)
  }
}

/** How far apart the mean entropies (bits, Miller-Madow) of the symbols of one run are: the highest less the lowest label. */
export function entropyStatistic(runs: readonly (readonly string[])[]): Statistic {
  const bits = runs.map((symbols) => entropyOf(symbols).bits)
  return (labels) => {
    let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const label of new Set(labels)) {
      let [sum, count] = [0, 0]
      for (let run = 0; run < bits.length; run++) {
        if (labels[run] !== label) continue
        sum += bits[run] as number
        count++
      }
      lowest = Math.min(lowest, sum / count)
      highest = Math.max(highest, sum / count)
    }
    return highest - lowest
  }
}
