import { ATTACKS, type Attack, type AttackRun, attackMatrix } from "@blockstrata/testkit"
import type { TourStack } from "./stack.ts"

/** The rows: those that tell the stacks of the tour apart. */
export const TOUR_ATTACKS: readonly Attack[] = ATTACKS.filter(({ id }) => ["A1", "A3", "A5", "A6", "A9"].includes(id))

/** What the reader gets. */
export type TourOutcome = "caught" | "accepted: old data" | "accepted: noise" | "not expected"

const OUTCOMES: Readonly<Partial<Record<AttackRun["outcome"], TourOutcome>>> = {
  refused: "caught",
  old: "accepted: old data",
  noise: "accepted: noise",
}

/**
 * What must come out, row by row: XTS alone, AEAD over integrity, verity above, verity below. Undetected cells are
 * expectations too: a stack that suddenly detects more than its parts can is a bug in the tour.
 */
export const expectedOutcomes: readonly (readonly TourOutcome[])[] = [
  ["accepted: noise", "caught", "caught", "caught"], // a bit flip garbles 16 bytes of XTS, silently
  ["accepted: noise", "caught", "caught", "caught"], // the sector number is in the tweak, and in the AEAD's AAD
  ["accepted: old data", "accepted: old data", "caught", "caught"], // authentic once is authentic for ever
  ["accepted: old data", "accepted: old data", "caught", "caught"],
  ["accepted: noise", "caught", "caught", "caught"],
]

/** One row per attack, one outcome per stack, in the order of the stacks. */
export interface AttackTable {
  readonly stacks: readonly string[]
  readonly rows: readonly { readonly attack: string; readonly outcomes: readonly TourOutcome[] }[]
}

/** Computes every cell by really doing it, each on media of its own. */
export async function computeAttackTable(
  stacks: readonly TourStack[],
  attacks: readonly Attack[] = TOUR_ATTACKS,
): Promise<AttackTable> {
  const { cells } = await attackMatrix(stacks, { seed: 1, runsPerCell: 1, attacks })
  const rows = attacks.map(({ id, name }) => ({
    attack: name,
    outcomes: cells.filter(({ attack }) => attack === id).map(({ runs: [run] }) => outcomeOf(run)),
  }))
  return { stacks: stacks.map(({ name }) => name), rows }
}

function outcomeOf(run: AttackRun | undefined): TourOutcome {
  return (run && OUTCOMES[run.outcome]) ?? "not expected"
}

/** As a Markdown table, its columns aligned for a terminal. */
export function printAttackTable({ stacks, rows }: AttackTable): string {
  const cells = [["attack", ...stacks], ...rows.map(({ attack, outcomes }) => [attack, ...outcomes])]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`)
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`
  return [lines[0], rule, ...lines.slice(1)].join("\n")
}
