import { describe, expect, test } from "vitest"
import { builtinRule, dependencyFindings, floorRule } from "./tidy/floors.ts"
import { lockFindings, lockRule, packageFindings } from "./tidy/manifests.ts"
import { listProjectFiles, type Rule } from "./tidy/project-file.ts"
import { isMeasured, manifestRule, sizeFindings } from "./tidy/sizes.ts"
import { indexRule, nameRule, placeRule, wordRule } from "./tidy/words.ts"

const files = listProjectFiles()
const measured = files.filter(({ path }) => isMeasured(path))

/** Each rule with files that it must object to: a rule that cannot fail holds nothing. */
const RULES: Readonly<Record<string, { rule: Rule; canaries: readonly (readonly [string, string])[] }>> = {
  "packages import lower floors only": {
    rule: floorRule,
    canaries: [
      ["packages/crypt/src/a.ts", 'import { integrityTarget } from "@blockstrata/integrity"'],
      ["packages/device/src/a.ts", 'export { nodeEngine } from "@blockstrata/primitives/node"'],
      ["packages/device/src/a.ts", 'import type {\n  Engine,\n} from "@blockstrata/primitives"'],
      ["packages/tour/src/a.ts", 'const mapper = await import("@blockstrata/mapper")'],
      ["bench/src/a.ts", 'import { openTable } from "@blockstrata/mapper"'],
      ["bench/src/harness/a.ts", 'import { share } from "../../../packages/device/src/share.ts"'],
      ["packages/verity/src/a.ts", 'import { openVolume } from "blockstrata"'],
      ["packages/verity/src/a.ts", 'import { share } from "../../device/src/share.ts"'],
      ["packages/verity/src/a.test.ts", 'import { crypt } from "../../crypt/src/crypt-target.ts"'],
    ],
  },
  "Node's built-ins stay in the Node-only places": {
    rule: builtinRule,
    canaries: [
      ["packages/device/src/a.ts", 'import { open } from "node:fs/promises"'],
      ["packages/device/src/a.ts", 'import "fs"'],
    ],
  },
  "no banned word": {
    rule: wordRule,
    canaries: [
      "await Promise.all(reads)",
      "const copy = key.slice()",
      "await Promise.race([read, late])",
      "setTimeout(retry, 10)",
      "setInterval(flush, 10)",
      "const now = Date.now()",
      "const now = new Date()",
      "const now = performance.now()",
      "const seed = Math.random()",
      "crypto.getRandomValues(salt)",
      "const salt = randomBytes(32)",
      "const sector = offset >> 9",
      "const bytes = sectorSize << 3",
      "const sector = (start + request.length) >>> 9",
      "const rounded = dataOffset | 0",
      "const view = Buffer.alloc(1)",
      "return new Proxy(lower, {})",
    ].map((line) => ["packages/verity/src/a.ts", line] as const),
  },
  "files are named by one noun": {
    rule: nameRule,
    canaries: [
      "utils.ts",
      "common.ts",
      "helpers.ts",
      "types.ts",
      "hash-utils.ts",
      "HashTree.ts",
      "hash_tree.ts",
      "hash-tree.js",
    ].map((name) => [`packages/verity/src/${name}`, ""] as const),
  },
  "exports are named": {
    rule: indexRule,
    canaries: [
      ["packages/verity/src/index.ts", 'export * from "./superblock.ts"'],
      ["packages/verity/src/index.ts", "export default openVerity"],
    ],
  },
  "no place on somebody's machine": {
    rule: placeRule,
    canaries: [
      ["docs/a.md", `see ${["", "work", "main"].join("/")}`],
      ["docs/a.md", `see ${["", "home", "me"].join("/")}`],
      ["docs/a.md", `see ${["..", "shared"].join("/")}`],
    ],
  },
  "manifests have at most 25 lines": {
    rule: manifestRule,
    canaries: [["packages/verity/package.json", "\n".repeat(26)]],
  },
  "the lockfile names no registry": {
    rule: lockRule,
    canaries: [["package-lock.json", '{ "resolved": "https://registry.example/a.tgz" }']],
  },
}

describe.each(Object.entries(RULES))("%s", (_, { rule, canaries }) => {
  test("here", () => {
    expect(files.flatMap(({ path, text }) => rule(path, text))).toEqual([])
  })
  test.each(canaries)("not so in %s: %s", (path, text) => {
    expect(rule(path, text)).not.toEqual([])
  })
})

test("half of the files have at most 150 lines, and none more than 400", () => {
  expect(measured.length).toBeGreaterThan(20)
  expect(sizeFindings(measured)).toEqual([])
  const long = { path: "a.ts", text: "\n".repeat(401) }
  const middling = { path: "b.ts", text: "\n".repeat(151) }
  expect(sizeFindings([middling, middling, long])).toEqual(["a.ts: 401 lines", "the median file has 151 lines"])
})

test("packages: one version, a README each, dependencies downwards, declared and used", () => {
  expect(packageFindings(files)).toEqual([])
  const manifest = { name: "@blockstrata/crypt", version: "1.0.0", dependencies: { "@blockstrata/verity": "1.0.1" } }
  expect(packageFindings([{ path: "packages/crypt/package.json", text: JSON.stringify(manifest) }])).toEqual([
    "crypt: no README.md",
    "crypt: @blockstrata/verity is declared and not used",
    "crypt: may not depend on @blockstrata/verity",
    "crypt: @blockstrata/verity 1.0.1, but this is 1.0.0",
  ])
  expect(dependencyFindings("verity", [], ['import { LRUCache } from "lru-cache"'])).toEqual([
    "verity: lru-cache is not declared",
  ])
})

test("the lockfile is as new as the manifests", () => {
  const lock = files.find(({ path }) => path === "package-lock.json")?.text ?? "{}"
  const manifests = files.filter(({ path }) => /^(packages\/[^/]+\/|bench\/)?package\.json$/.test(path))
  expect(lockFindings(lock, manifests)).toEqual([])
  const canary = { path: "packages/verity/package.json", text: '{ "version": "0.0.0" }' }
  expect(lockFindings(lock, [canary])).not.toEqual([])
})

test("comments and strings are not code", () => {
  expect(wordRule("packages/verity/src/a.ts", '// not Promise.all(\nconst text = "Date.now()" // Buffer\n')).toEqual([])
  expect(wordRule("packages/verity/src/a.ts", "const sectors = size >> 9n\nconst a: Map<Size, Set<Length>>\n")).toEqual(
    [],
  )
})
