/** How evenly symbols are spread, in bits, as far as a sample tells. */
export interface Entropy {
  /** The estimate: plug-in plus correction. */
  readonly bits: number
  /** The entropy of the sample itself: on average too low for what the sample was drawn from. */
  readonly pluginBits: number
  /** Miller and Madow's correction, (distinct - 1) / (2 count ln 2): takes the bias away to first order, not all of it. */
  readonly correctionBits: number
  readonly sampleCount: number
  readonly distinctCount: number
}

/**
 * The entropy of the distribution that `symbols` were drawn from.
 *
 * Far fewer samples than possible symbols still give too little: the estimate never exceeds what the sample can show.
 * Source: G. A. Miller, "Note on the bias of information estimates", 1955.
 */
export function entropyOf(symbols: readonly string[]): Entropy {
  const counts = new Map<string, number>()
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
  const pluginBits = entropyBits(counts.values())
  const correctionBits = symbols.length === 0 ? 0 : (counts.size - 1) / (2 * symbols.length * Math.LN2)
  return {
    bits: pluginBits + correctionBits,
    pluginBits,
    correctionBits,
    sampleCount: symbols.length,
    distinctCount: counts.size,
  }
}

/** The entropy of a distribution, in bits; the weights need not add up to 1. */
export function entropyBits(weights: Iterable<number>): number {
  let [total, sum] = [0, 0]
  for (const weight of weights) {
    if (weight <= 0) continue
    total += weight
    sum += weight * Math.log2(weight)
  }
  return total === 0 ? 0 : Math.log2(total) - sum / total
}
