/** How often each feature occurs in what was seen of one run. */
export type Features = ReadonlyMap<string, number>

export interface LabelledFeatures {
  readonly label: number
  readonly features: Features
}

/** Added to each count, so that what was never seen is unlikely, not impossible. */
const SMOOTHING = 0.5

/**
 * A classifier without secrets of its own: for each label it counts features in the runs given, and then says which label
 * makes the features of a new run likeliest, as if each stood alone. Equally likely: the lowest label.
 *
 * It learns frequencies, not sequences: what is to be noticed about order must be a feature.
 */
export function trainNaiveBayes(runs: readonly LabelledFeatures[], labelCount: number): (features: Features) => number {
  const counts = Array.from({ length: labelCount }, () => new Map<string, number>())
  const known = new Set<string>()
  for (const { label, features } of runs) {
    const own = counts[label] as Map<string, number>
    for (const [feature, count] of features) {
      own.set(feature, (own.get(feature) ?? 0) + count)
      known.add(feature)
    }
  }
  const totals = counts.map((own) => [...own.values()].reduce((sum, count) => sum + count, SMOOTHING * known.size))
  return (features) => {
    const scores = counts.map((own, label) => {
      let score = 0
      for (const [feature, count] of features) {
        if (known.has(feature)) score += count * Math.log(((own.get(feature) ?? 0) + SMOOTHING) / (totals[label] ?? 1))
      }
      return score
    })
    return scores.indexOf(Math.max(...scores))
  }
}
