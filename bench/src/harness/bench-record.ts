import { median } from "./median.ts"
import type { Rounds } from "./paired-rounds.ts"

export const OURS = "blockstrata"

/** One figure. `--json` prints an array of them. */
export interface BenchRecord {
  readonly bench: string
  readonly case: string
  /** Bigger is better. */
  readonly value: number
  readonly unit: Unit
  /**
   * This case by another way of the same work: above 1, this case is faster. `limit` is what the host's own code reaches
   * with nothing around it, `naive` what the obvious code does, the rest are rivals that were found on this machine.
   */
  readonly ratios: Readonly<Record<string, number>>
}

export type Unit = "MiB/s" | "MiB/CPU-s" | "reads/s" | "joints/s"

export interface CaseName {
  readonly bench: string
  readonly case: string
  readonly unit: Unit
  /** How much of the unit one turn does. */
  readonly amount: number
}

/**
 * The record of one case: the median rate of `blockstrata`, and to every other contestant the median of the ratios in the
 * rounds that both played.
 *
 * @param elsewhere rivals that were measured elsewhere, as rates in the unit of the case, and the rounds of `blockstrata` on
 * the clock of those.
 */
export function recordOf(
  name: CaseName,
  rounds: Rounds,
  elsewhere?: { readonly rates: Readonly<Record<string, number>>; readonly rounds: Rounds },
): BenchRecord {
  const ours = rounds.get(OURS) ?? []
  const value = name.amount / median(ours)
  const ratios: Record<string, number> = {}
  for (const [rival, seconds] of rounds) {
    if (rival !== OURS) ratios[rival] = rounded(median(seconds.map((theirs, index) => theirs / (ours[index] ?? 0))))
  }
  for (const [rival, rate] of Object.entries(elsewhere?.rates ?? {})) {
    ratios[rival] = rounded(name.amount / median(elsewhere?.rounds.get(OURS) ?? []) / rate)
  }
  return { bench: name.bench, case: name.case, value: rounded(value), unit: name.unit, ratios }
}

/** Four digits: there are no more in a measurement. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
