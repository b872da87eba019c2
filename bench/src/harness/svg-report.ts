import { formatRatio, formatValue } from "./bar-chart.ts"
import type { BenchRecord } from "./bench-record.ts"

const WIDTH = 1100
const ROW_HEIGHT = 22
const BAR_START = 560
const BAR_WIDTH = 240
const TEXT_SHIFT = 15

/** A picture of the records: a bar for each, as long as its fraction of the limit; the line at its end is the limit. */
export function svgReport(records: readonly BenchRecord[], title: string): string {
  const names = [...new Set(records.map(({ bench }) => bench))]
  const rows = [
    heading(title),
    ...names.flatMap((name) => [heading(name), ...records.filter(({ bench }) => bench === name).map(row)]),
  ]
  const height = (rows.length + 1) * ROW_HEIGHT
  const placed = rows.map(
    (content, index) => `<g transform="translate(10 ${(index + 0.5) * ROW_HEIGHT})">${content}</g>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...placed,
    "</svg>",
    "",
  ].join("\n")
}

function heading(text: string): string {
  return `<text y="${TEXT_SHIFT}" font-weight="bold">${escapeText(text)}</text>`
}

function row(record: BenchRecord): string {
  const { limit = 1, ...others } = record.ratios
  const length = Math.min(Math.max(limit, 0), 1) * BAR_WIDTH
  const ratios = [
    `${formatRatio(limit)} of limit`,
    ...Object.entries(others).map(([name, ratio]) => `${formatRatio(ratio)} x ${name}`),
  ]
  return [
    textAt(0, record.case),
    `<text x="${BAR_START - 10}" y="${TEXT_SHIFT}" text-anchor="end">${escapeText(formatValue(record.value, record.unit))}</text>`,
    `<rect x="${BAR_START}" y="4" width="${length.toFixed(1)}" height="14" fill="#4878a8"/>`,
    `<line x1="${BAR_START + BAR_WIDTH}" x2="${BAR_START + BAR_WIDTH}" y1="2" y2="20" stroke="#888"/>`,
    textAt(BAR_START + BAR_WIDTH + 10, ratios.join(", ")),
  ].join("")
}

function textAt(x: number, content: string): string {
  return `<text x="${x}" y="${TEXT_SHIFT}">${escapeText(content)}</text>`
}

function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}
