import type { BenchRecord, Unit } from "./bench-record.ts"

const BAR_WIDTH = 24

/**
 * One line for a terminal: the bar is the fraction of the limit, full where it is reached.
 *
 * `████████████░░░░░░░░░░░░  2.41 k MiB/s  0.50 of limit  2.9 x naive  case`
 */
export function drawRecord(record: BenchRecord): string {
  const { limit = 1, naive, ...rivals } = record.ratios
  const filled = Math.round(Math.min(Math.max(limit, 0), 1) * BAR_WIDTH)
  const bar = "█".repeat(filled).padEnd(BAR_WIDTH, "░")
  const ratios = [
    `${formatRatio(limit)} of limit`,
    ...(naive === undefined ? [] : [`${formatRatio(naive)} x naive`]),
    ...Object.entries(rivals).map(([rival, ratio]) => `${formatRatio(ratio)} x ${rival}`),
  ]
  return `${bar}  ${formatValue(record.value, record.unit).padStart(16)}  ${record.case}\n${" ".repeat(BAR_WIDTH)}  ${" ".repeat(16)}  ${ratios.join(", ")}`
}

/** Three digits, with `k` and `M` for thousands and millions; a joint in nanoseconds too, for that is how it is spoken of. */
export function formatValue(value: number, unit: Unit): string {
  const [scaled, prefix] = value >= 1e7 ? [value / 1e6, " M"] : value >= 1e4 ? [value / 1e3, " k"] : [value, ""]
  const duration = unit === "joints/s" ? ` (${(1e9 / value).toFixed(0)} ns)` : ""
  return `${formatRatio(scaled)}${prefix} ${unit}${duration}`
}

/** Three digits. */
export function formatRatio(value: number): string {
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}
