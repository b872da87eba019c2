import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { runProcess } from "../process.ts"
import { listPublicPackages, type PackedProject, packProject, ROOT } from "./packed-project.ts"

const packages = listPublicPackages()
const entries = packages.flatMap((manifest) => manifest.entries)
const tool = (...path: string[]): string => join(ROOT, "node_modules", ...path)

let project: PackedProject
beforeAll(async () => {
  project = await packProject(packages)
  return () => rmSync(project.folder, { recursive: true, force: true })
})

describe("the packed packages, installed in an empty folder (needs registry)", () => {
  test.beforeEach(({ skip }) => skip(project.unreachable !== undefined, "no registry for the libraries"))

  test.each(entries)("%s: its import gives names", async (entry) => {
    const script = `console.log(Object.keys(await import(${JSON.stringify(entry)})).length)`
    const { stdout, stderr } = await runProcess(process.execPath, ["--input-type=module", "-e", script], project.folder)
    expect(stderr).toBe("")
    expect(Number(stdout)).toBeGreaterThan(0)
  })

  /** What a consumer may have: Node's types, or those of a browser and the newest language. */
  const settings = {
    "node's types": { lib: ["es2023"], types: ["node"], typeRoots: [tool("@types")] },
    "the browser's types": { lib: ["esnext", "dom"], types: [] },
  }
  test.each(Object.entries(settings))("type-check under strict nodenext with %s", async (_, options) => {
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    const checks = { module: "nodenext", target: "es2023", skipLibCheck: false, noEmit: true }
    const names = entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)}`)
    const uses = entries.map((_name, index) => `console.log(entry${index})`)
    writeFileSync(join(project.folder, "consumer.ts"), [...names, ...uses].join("\n"))
    const config = { compilerOptions: { ...strict, ...checks, ...options }, files: ["consumer.ts"] }
    writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify(config))
    const result = await runProcess(process.execPath, [tool("typescript", "bin", "tsc")], project.folder)
    expect(result).toEqual({ status: 0, stdout: "", stderr: "" })
  })

  test.each(["strata", "blockstrata"])("the command %s starts", async (name) => {
    const manifest = JSON.parse(readFileSync(join(project.folder, "node_modules/blockstrata/package.json"), "utf8"))
    const program = join(project.folder, "node_modules/blockstrata", manifest.bin[name])
    const { status, stdout } = await runProcess(process.execPath, [program, "--help"], project.folder)
    expect(stdout).toContain("strata")
    expect(status).toBe(0)
  })
})

describe("each tarball", () => {
  test.each(packages.map((manifest) => manifest.name))("%s passes publint", async (name) => {
    const program = [tool("publint", "src", "cli.js"), "run", tarballOf(name), "--strict"]
    const { status, stdout } = await runProcess(process.execPath, program, ROOT)
    expect(stdout).toContain("All good!")
    expect(status).toBe(0)
  })

  test.each(packages.map((manifest) => manifest.name))("%s passes attw", async (name) => {
    const program = [tool("@arethetypeswrong", "cli", "dist", "index.js"), tarballOf(name), "--profile", "esm-only"]
    const { status, stdout } = await runProcess(process.execPath, program, ROOT)
    expect(stdout).toContain("node16 (from ESM)")
    expect(status, stdout).toBe(0)
  })
})

function tarballOf(name: string): string {
  const prefix = `${name.replace("@", "").replace("/", "-")}-`
  const path = project.tarballs.find((tarball) => new RegExp(`[/\\\\]${prefix}\\d[^/\\\\]*$`).test(tarball))
  if (!path) throw new Error(`${name} was not packed`)
  return path
}
