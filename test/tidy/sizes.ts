import type { ProjectFile } from "./project-file.ts"

const MEDIAN_LINES = 150
const LINES_MAX = 400
const MANIFEST_LINES_MAX = 25

/** How many lines a text has; a newline at the end does not open another one. */
export function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0)
}

/** Whether the sizes of this file count. */
export function isMeasured(path: string): boolean {
  return /^(packages|test|scripts|bench)\/.*\.(ts|mjs)$/.test(path)
}

/** Rule: no file is longer than 400 lines, and half of them have at most 150. */
export function sizeFindings(files: readonly ProjectFile[]): string[] {
  const sizes = files.map(({ path, text }) => ({ path, lines: lineCount(text) })).sort((a, b) => a.lines - b.lines)
  const findings = sizes.filter(({ lines }) => lines > LINES_MAX).map(({ path, lines }) => `${path}: ${lines} lines`)
  const median = sizes[Math.floor((sizes.length - 1) / 2)]?.lines ?? 0
  if (median > MEDIAN_LINES) findings.push(`the median file has ${median} lines`)
  return findings
}

/** Rule: a manifest of a package is short. */
export function manifestRule(path: string, text: string): string[] {
  if (!/^(?:packages\/[^/]+|bench)\/package\.json$/.test(path)) return []
  return lineCount(text) > MANIFEST_LINES_MAX ? [`${path}: ${lineCount(text)} lines`] : []
}
