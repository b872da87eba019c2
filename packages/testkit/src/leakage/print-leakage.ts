import type { LeakageMeasure, LeakageReport, ObserverReport } from "./measure-leakage.ts"

const HEAD = [
  "observer",
  "entropy apart",
  "overlap more",
  "bits an address",
  "guessed right",
  "advantage, 99.9 %",
  "verdict",
] as const

/** The report as a small Markdown table. A number in bold leaks; in brackets stands what chance alone gives. */
export function printLeakage({ observers, controls }: LeakageReport): string {
  const lines = [row(HEAD), row(HEAD.map(() => "---")), ...observers.map((report) => row(cells(report)))]
  if (!controls.areSound) lines.push("", "The controls failed: nothing of this counts.")
  return lines.join("\n")
}

function cells({ observer, entropy, overlap, information, game, verdict }: ObserverReport): string[] {
  const { rightCount, guessCount, advantage } = game
  const guesses = `${rightCount} of ${guessCount}`
  return [
    observer,
    measured(entropy),
    measured(overlap),
    measured(information),
    game.verdict === "leaks" ? `**${guesses}**` : guesses,
    `${advantage.low.toFixed(2)} ... ${advantage.high.toFixed(2)}`,
    verdict,
  ]
}

function measured({ value, byChance, verdict }: LeakageMeasure): string {
  const text = value.toFixed(2)
  return `${verdict === "leaks" ? `**${text}**` : text} (${byChance.toFixed(2)})`
}

function row(columns: readonly string[]): string {
  return `| ${columns.join(" | ")} |`
}
