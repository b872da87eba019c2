import { attacks, type Outcome, tryAttack } from "./attack.ts"
import { createVolume, type Stack } from "./stack.ts"

/** One row per attack, one outcome per stack, in the order of the stacks. */
export interface AttackTable {
  readonly stacks: readonly string[]
  readonly rows: readonly { readonly attack: string; readonly outcomes: readonly Outcome[] }[]
}

/** Computes every cell by really doing it, each on media of its own. */
export async function computeAttackTable(stacks: readonly Stack[]): Promise<AttackTable> {
  const rows: { attack: string; outcomes: Outcome[] }[] = []
  for (const attack of attacks) {
    const outcomes: Outcome[] = []
    for (const stack of stacks) outcomes.push(await tryAttack(attack, await createVolume(stack)))
    rows.push({ attack: attack.name, outcomes })
  }
  return { stacks: stacks.map(({ name }) => name), rows }
}

/** As a Markdown table, its columns aligned for a terminal. */
export function printAttackTable({ stacks, rows }: AttackTable): string {
  const cells = [["attack", ...stacks], ...rows.map(({ attack, outcomes }) => [attack, ...outcomes])]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`)
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`
  return [lines[0], rule, ...lines.slice(1)].join("\n")
}
