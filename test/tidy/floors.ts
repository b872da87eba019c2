import { isBuiltin } from "node:module"
import { isNodePlace, isShipped } from "./project-file.ts"

/** The floor that a package stands on; it may import lower floors only, so siblings never. */
const FLOORS: Readonly<Record<string, number>> = {
  device: 0,
  primitives: 0,
  crypt: 1,
  integrity: 1,
  verity: 1,
  sealed: 1,
  targets: 1,
  nbd: 1,
  remote: 1,
  luks: 2,
  mapper: 2,
  blockstrata: 3,
}

/** Packages beside and above the floors, and all that they may import. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  testkit: ["device", "primitives", "crypt", "integrity", "verity", "targets"],
  bench: ["blockstrata", "crypt", "device", "primitives"],
  cli: ["blockstrata", "bench"],
  tour: ["blockstrata", "testkit"],
}

/** Whether one package of the house may import another. */
export function mayImport(from: string, to: string): boolean {
  if (from === to) return true
  const allowed = BESIDE[from]
  if (allowed) return allowed.includes(to)
  const fromFloor = FLOORS[from]
  const toFloor = FLOORS[to]
  return fromFloor !== undefined && toFloor !== undefined && toFloor < fromFloor
}

/** `@blockstrata/device/file` is of `device`, `blockstrata` of `blockstrata`; undefined if it is not of the house. */
export function houseName(specifier: string): string | undefined {
  return specifier === "blockstrata" ? specifier : specifier.match(/^@blockstrata\/([^/]+)/)?.[1]
}

const STATEMENT = /^(?:import|export)\s+(?:[\w$*{},\s]+?\s+from\s+)?["']([^"']+)["']/gm
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g

/** The module names in a file's import and export statements and in its dynamic imports. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(STATEMENT), ...text.matchAll(DYNAMIC)].flatMap((match) => match[1] ?? [])
}

/** Rule: a package imports lower floors only; `testkit`, `bench`, `cli` and `tour` what is said for them; tests also `testkit`. */
export function floorRule(path: string, text: string): string[] {
  const [room, from] = path.match(/^(?:packages\/)?([^/]+)\/src\//) ?? []
  if (room === undefined || from === undefined) return []
  const isTest = path.endsWith(".test.ts")
  return importsOf(text).flatMap((specifier) => {
    const to = houseName(specifier)
    if (to !== undefined) {
      const isAllowed = mayImport(from, to) || (isTest && to === "testkit")
      return isAllowed ? [] : [`${path}: ${from} may not import ${specifier}`]
    }
    const depth = path.slice(room.length).split("/").length - 1
    const leaves = specifier.startsWith("../".repeat(depth + 1))
    return leaves && !(isTest && /^(\.\.\/)+test\//.test(specifier)) ? [`${path}: ${specifier} leaves the package`] : []
  })
}

/** Rule: Node's built-ins are imported only in the Node-only places. */
export function builtinRule(path: string, text: string): string[] {
  if (!isShipped(path) || isNodePlace(path)) return []
  return importsOf(text)
    .filter((specifier) => isBuiltin(specifier))
    .map((specifier) => `${path}: ${specifier} outside the Node-only places`)
}

/** Rule: a library is imported only by a package that says so in its manifest, and nothing is declared that is not imported. */
export function dependencyFindings(name: string, declared: readonly string[], sources: readonly string[]): string[] {
  const used = new Set(
    sources
      .flatMap(importsOf)
      .filter((specifier) => !/^[.#]/.test(specifier) && !isBuiltin(specifier))
      .map((specifier) =>
        specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/"),
      ),
  )
  return [
    ...[...used]
      .filter((library) => !declared.includes(library))
      .map((library) => `${name}: ${library} is not declared`),
    ...declared
      .filter((library) => !used.has(library))
      .map((library) => `${name}: ${library} is declared and not used`),
  ]
}
