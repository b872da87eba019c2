import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** One text file of the repository; `path` is relative to its root, with `/`. */
export interface ProjectFile {
  readonly path: string
  readonly text: string
}

/** A rule of the house: what is wrong with this file, one line for each finding; empty if nothing is. */
export type Rule = (path: string, text: string) => string[]

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url))
/** Folders; in a worktree `.git` is a file. */
export const NOT_COMMITTED: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage", ".git", ".cache"])

/** Every text file that is committed, or would be. Walks the folders: git need not be there. */
export function listProjectFiles(): ProjectFile[] {
  return [...walk("")]
    .filter((path) => !/\.(gz|tsbuildinfo)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }))
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = folder + entry.name
    if (NOT_COMMITTED.has(entry.name)) continue
    if (entry.isFile()) yield path
    else if (entry.isDirectory()) yield* walk(`${path}/`)
  }
}

/** Whether this is TypeScript that is published, not a test. */
export function isShipped(path: string): boolean {
  return /^(?:packages\/[^/]+|bench)\/src\/.*\.ts$/.test(path) && !path.endsWith(".test.ts")
}

/** Where Node may be used: the subpaths `node` and `file`, and the programs. */
export function isNodePlace(path: string): boolean {
  return /^(?:packages\/(?:cli|tour|nbd)|bench)\//.test(path) || /^packages\/[^/]+\/src\/(node|file)\//.test(path)
}

/** The text with comments and the contents of plain strings blanked, lines kept: what is left is code. */
export function codeOf(text: string): string {
  return text.replaceAll(/"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.replaceAll(/[^\n"]/g, " "),
  )
}

/** `path:line: message` for every match in the code of a file. */
export function findInCode(path: string, text: string, pattern: RegExp, message: string): string[] {
  const code = codeOf(text)
  return [...code.matchAll(new RegExp(pattern, "g" + pattern.flags.replace("g", "")))].map((match) => {
    const line = code.slice(0, match.index).split("\n").length
    return `${path}:${line}: ${message}`
  })
}
