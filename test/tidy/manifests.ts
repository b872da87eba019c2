import { isDeepStrictEqual } from "node:util"
import { dependencyFindings, houseName, mayImport } from "./floors.ts"
import { isShipped, type ProjectFile } from "./project-file.ts"

/** What the rules read of a package's manifest. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/**
 * The front installs the command, which imports the front: the one circle. It is in a `bin` file and optional; the front's
 * library never imports it.
 */
const BIN_ONLY = { from: "blockstrata", to: "@blockstrata/cli" }

/** Whether this is the manifest of a package. */
function isManifest(path: string): boolean {
  return /^(?:packages\/[^/]+|bench)\/package\.json$/.test(path)
}

/** Rules over the packages as a whole: one version, dependencies downwards, all used, a README each. */
export function packageFindings(files: readonly ProjectFile[]): string[] {
  const manifests = files.filter(({ path }) => isManifest(path))
  const versions = new Set<string>()
  const findings = manifests.flatMap(({ path, text }) => {
    const place = path.slice(0, path.lastIndexOf("/") + 1)
    const folder = place.split("/").at(-2) ?? ""
    const manifest = JSON.parse(text) as Manifest
    versions.add(manifest.version)
    const sources = files.filter((file) => isShipped(file.path) && file.path.startsWith(place))
    const hasReadme = files.some((file) => file.path === `${place}README.md`)
    return [
      ...(hasReadme ? [] : [`${folder}: no README.md`]),
      ...dependencyFindings(
        folder,
        [...required(manifest)],
        sources.map((file) => file.text),
      ),
      ...houseFindings(folder, manifest),
    ]
  })
  if (versions.size > 1) findings.push(`versions differ: ${[...versions].join(", ")}`)
  return findings
}

function required(manifest: Manifest): string[] {
  const names = Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  })
  return names.filter((name) => manifest.name !== BIN_ONLY.from || name !== BIN_ONLY.to)
}

function houseFindings(folder: string, manifest: Manifest): string[] {
  const all = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  return Object.entries(all).flatMap(([name, range]) => {
    const to = houseName(name)
    if (to === undefined) return []
    const isBin =
      manifest.name === BIN_ONLY.from && name === BIN_ONLY.to && name in (manifest.optionalDependencies ?? {})
    return [
      ...(mayImport(folder, to) || isBin ? [] : [`${folder}: may not depend on ${name}`]),
      ...(range === manifest.version ? [] : [`${folder}: ${name} ${range}, but this is ${manifest.version}`]),
    ]
  })
}

/** Rule: the lockfile says of each package what its manifest says. */
export function lockFindings(lock: string, manifests: readonly ProjectFile[]): string[] {
  const locked = (JSON.parse(lock) as { packages: Record<string, Record<string, unknown>> }).packages
  const fields = ["version", "bin", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]
  return manifests.flatMap(({ path, text }) => {
    const manifest = JSON.parse(text) as Record<string, unknown>
    const entry = locked[path.replace(/\/?package\.json$/, "")] ?? {}
    const stale = fields.filter((field) => !isDeepStrictEqual(entry[field], manifest[field]))
    return stale.length > 0 ? [`${path}: package-lock.json is behind: ${stale.join(", ")}: run npm install`] : []
  })
}

/** Rule: the lockfile names no registry: an install takes the one that the user has set. */
export function lockRule(path: string, text: string): string[] {
  if (path !== "package-lock.json") return []
  return [...text.matchAll(/"resolved": "([a-z+]+:\/\/[^"]*)"/g)].map((match) => `${path}: ${match[1]}`)
}
