import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runProcess } from "../process.ts"

/** What the tests read of a published manifest. */
export interface PublicPackage {
  readonly name: string
  readonly version: string
  /** Import names: `@blockstrata/device`, `@blockstrata/device/file`; not those that are programs. */
  readonly entries: readonly string[]
}

/** An empty project somewhere else, into which every public package was installed from its tarball. */
export interface PackedProject {
  readonly folder: string
  readonly tarballs: readonly string[]
  /** What npm said, if no registry could be reached for the libraries that the packages need. */
  readonly unreachable?: string
}

export const ROOT = fileURLToPath(new URL("../../", import.meta.url))
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|ENOTCACHED/

/** The packages that are published, by their manifests. */
export function listPublicPackages(): PublicPackage[] {
  const folders = [...readdirSync(join(ROOT, "packages")).map((name) => join("packages", name)), "bench"]
  return folders
    .map((folder) => JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")))
    .filter((manifest) => manifest.private !== true)
    .map(({ name, version, exports }) => {
      // "./main" runs a program when it is imported.
      const keys = Object.keys(exports as object).filter((key) => key !== "./main")
      return { name, version, entries: keys.map((key) => name + key.slice(1)) }
    })
}

/** Builds, packs every public package and installs the tarballs in a fresh folder. */
export async function packProject(packages: readonly PublicPackage[]): Promise<PackedProject> {
  await mustRun(process.execPath, [join(ROOT, "scripts", "build.mjs")], ROOT)
  const folder = mkdtempSync(join(tmpdir(), "blockstrata-pack-"))
  const packs = join(folder, "packs")
  mkdirSync(packs)
  const workspaces = packages.flatMap(({ name }) => ["--workspace", name])
  await mustRun(...npm("pack", "--pack-destination", packs, ...workspaces), ROOT)
  const tarballs = readdirSync(packs).map((name) => join(packs, name))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const { status, stderr } = await runProcess(...npm("install", "--prefer-offline", ...tarballs), folder)
  if (status !== 0 && NO_REGISTRY.test(stderr)) return { folder, tarballs, unreachable: stderr }
  if (status !== 0) throw new Error(`npm install: ${stderr}`)
  return { folder, tarballs }
}

async function mustRun(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { status, stdout, stderr } = await runProcess(program, args, cwd)
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${status}\n${stdout}${stderr}`)
}

function npm(...args: string[]): [string, string[]] {
  const script = process.env["npm_execpath"]
  return script ? [process.execPath, [script, ...args]] : ["npm", args]
}
