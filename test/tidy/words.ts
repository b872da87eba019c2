import { findInCode, isNodePlace, isShipped } from "./project-file.ts"

const RUNTIME = "packages/device/src/runtime.ts"

/** What only the runtime may use: one seed drives a whole stack. */
const OUTSIDE_RUNTIME: readonly RegExp[] = [
  /\bset(?:Timeout|Interval|Immediate)\b/,
  /\bDate\.|\bnew Date\b|\bperformance\./,
  /\bMath\.random\b/,
  /\bgetRandomValues\b/,
  /\brandom(?:Bytes|Int|UUID|Fill|FillSync)\b/,
]

/** An extent or a place in front of a shift or `| 0`: JavaScript does these in 32 bits. A bigint on the right is fine. */
const SHIFTED_OFFSET =
  /(?:\b[\w.]*(?:offset|length|size|start)[\w.]*|\([^()\n]*(?:offset|length|size|start)[^()\n]*\))\s+(?:(?:>>>?|<<)=?(?!\s*(?:\w+n\b|BigInt))|\|\s*0\b)/i

/** Rule: words that stand for a fault that this library must not have. */
export function wordRule(path: string, text: string): string[] {
  if (!/^(packages|test|bench)\/.*\.ts$/.test(path)) return []
  const find = (pattern: RegExp, message: string): string[] => findInCode(path, text, pattern, message)
  const findings = [
    ...find(SHIFTED_OFFSET, "32-bit arithmetic on an extent"),
    ...find(/\bnew Proxy\b|\bProxy\(/, "Proxy lets tomorrow's operation through untranslated"),
    ...find(/\bMath\.random\b/, "unseeded randomness"),
  ]
  if (!isShipped(path)) return findings
  findings.push(...find(/\bPromise\.(?:all|race|any)\(/, "a part of a request may outlive it: use settleAll"))
  if (path !== RUNTIME) {
    for (const pattern of OUTSIDE_RUNTIME) findings.push(...find(pattern, `${pattern.source} outside the runtime`))
  }
  // A copy for arrays of bytes, but a Buffer's `slice` is a view: wiping the "copy" would wipe the caller's key.
  findings.push(...find(/\.slice\(\)/, "copy bytes by new Uint8Array(...)"))
  if (!isNodePlace(path)) findings.push(...find(/\bBuffer\b/, "Buffer outside the Node-only places"))
  return findings
}

/** Rule: files are kebab-case by one noun; `utils`, `common`, `helpers`, `types` say nothing. */
export function nameRule(path: string): string[] {
  if (!/^(packages|test|scripts|bench)\/.*\.(ts|mjs|js)$/.test(path)) return []
  if (/^(packages\/[^/]+\/src|bench\/src|test)\/.*\.js$/.test(path)) return [`${path}: compiled outside dist`]
  const stem = path.slice(path.lastIndexOf("/") + 1).split(".")[0] ?? ""
  if (/^(?:.*-)?(?:utils?|common|helpers?|types|misc)$/.test(stem)) return [`${path}: name the noun`]
  return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem) ? [] : [`${path}: not kebab-case`]
}

/** Rule: what a file makes public stands in it by name; an `index.ts` has no default. */
export function indexRule(path: string, text: string): string[] {
  if (!isShipped(path)) return []
  const findings = findInCode(path, text, /^\s*export\s+\*/m, "export * hides what is public")
  if (path.endsWith("/index.ts"))
    findings.push(...findInCode(path, text, /^export\s+default\b/m, "a default has no name"))
  return findings
}

/** Rule: no text names a place on somebody's machine. */
export function placeRule(path: string, text: string): string[] {
  const folders = ["work", "farm", "root", "home"].map((name) => `/${name}/`)
  const findings = folders
    .filter((folder) => new RegExp(`(^|[^.\\w-])${folder}`, "m").test(text))
    .map((folder) => `${path}: names ${folder}`)
  const beside = ["..", "shared"].join("/")
  if (path !== ".ci/run" && text.includes(beside)) findings.push(`${path}: names ${beside}`)
  return findings
}
