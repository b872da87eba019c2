// Measures on several Node versions and rewrites the tables of docs/performance.md: npm run bench:docs [-- NAME...]
// What was measured is kept in .cache/bench-*.json; with --tables only, the tables are made of that.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { formatRatio, formatValue } from "@blockstrata/bench"
import { nodeBinary } from "./node-binary.mjs"

const MAJORS = ["20", "22", "24"]
const root = fileURLToPath(new URL("..", import.meta.url))
const page = join(root, "docs", "performance.md")
const strata = join(root, "packages", "cli", "bin", "strata.js")
const [ownMajor] = process.versions.node.split(".")

const args = process.argv.slice(2)
const onlyTables = args.includes("--tables")
const names = args.filter((name) => name !== "--tables")
const runs = MAJORS.map((major) => (onlyTables ? recall(major) : measure(major))).filter(Boolean)

let pageText = readFileSync(page, "utf8")
if (!onlyTables) pageText = between(pageText, "machine", describeMachine())
const benches = new Set(runs.flatMap(({ records }) => records.map(({ bench }) => bench)))
for (const bench of benches) pageText = between(pageText, bench, drawTables(bench))
writeFileSync(page, pageText)

/** One Node version: what it measured now, and of benches that were not named, what it measured before. */
function measure(major) {
  const node = major === ownMajor ? process.execPath : nodeBinary(major)
  const { status, stdout } = spawnSync(node, [strata, "bench", "--json", ...names], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "inherit"],
  })
  if (status !== 0) throw new Error(`strata bench on Node ${major} ended with ${status}`)
  const { versions } = JSON.parse(
    spawnSync(node, ["-p", "JSON.stringify({ versions: process.versions })"], { encoding: "utf8" }).stdout,
  )
  const records = JSON.parse(stdout)
  const measured = new Set(records.map(({ bench }) => bench))
  const older = recall(major)?.records.filter(({ bench }) => !measured.has(bench)) ?? []
  const run = { node: versions.node, openssl: versions.openssl, records: [...older, ...records] }
  writeFileSync(cacheOf(major), JSON.stringify(run))
  return run
}

function recall(major) {
  return existsSync(cacheOf(major)) ? JSON.parse(readFileSync(cacheOf(major), "utf8")) : undefined
}

function cacheOf(major) {
  return join(root, ".cache", `bench-${major}.json`)
}

/** The cases of the portable engine have a table of their own. */
function drawTables(bench) {
  const records = runs.flatMap((run) => run.records.filter((record) => record.bench === bench))
  const cases = [...new Set(records.map((record) => record.case))]
  const isPortable = (name) => name.startsWith("portable: ")
  const own = cases.filter((name) => !isPortable(name))
  const portable = cases.filter(isPortable)
  const tables = [drawTable(bench, own)]
  if (portable.length > 0) tables.push("The portable engine:", drawTable(bench, portable))
  return tables.join("\n\n")
}

/** A row for each case; for each Node version the rate, and its ratios to the limit, the naive way and the rivals. */
function drawTable(bench, cases) {
  const find = (run, name) => run.records.find((record) => record.bench === bench && record.case === name)
  const heads = runs.flatMap(({ node }) => [
    `Node ${node.split(".").slice(0, 2).join(".")}`,
    "limit",
    "naive",
    "rivals",
  ])
  const rows = cases.map((name) => [
    name.replace(/^(?:node|portable): /, ""),
    ...runs.flatMap((run) => {
      const record = find(run, name)
      if (record === undefined) return ["", "", "", ""]
      const { limit, naive, ...rivals } = record.ratios
      const beside = Object.entries(rivals).map(([rival, ratio]) => `${rival} ${formatRatio(ratio)}`)
      return [
        formatValue(record.value, record.unit),
        formatRatio(limit),
        naive === undefined ? "" : formatRatio(naive),
        beside.join(", "),
      ]
    }),
  ])
  return [["case", ...heads], ["---", ...heads.map(() => "---:")], ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n")
}

function describeMachine() {
  const processors = cpus()
  const extensions = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : ""
  const known = { "AES-NI": /\baes\b/, VAES: /\bvaes\b/, "SHA-NI": /\bsha_ni\b/, "AVX-512": /\bavx512f\b/ }
  const found = Object.entries(known)
    .filter(([, pattern]) => pattern.test(extensions))
    .map(([name]) => name)
  const openssl = spawnSync("openssl", ["version"], { encoding: "utf8" }).stdout?.split(" ").slice(0, 2).join(" ")
  const nodes = runs.map(({ node, openssl: built }) => `Node ${node} with OpenSSL ${built}`)
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${processors.length} cores of an ${processors[0]?.model.trim()}`,
    `(${found.join(", ")}), a virtual machine; ${nodes.join(", ")}. \`openssl speed\`:`,
    `${openssl ?? "not installed"}.`,
  ].join("\n")
}

/** Puts `content` between the markers of this name. */
function between(document, name, content) {
  const pattern = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`)
  if (!pattern.test(document)) throw new Error(`docs/performance.md has no place for ${name}`)
  return document.replace(pattern, (_, before, after) => `${before}${content}\n${after}`)
}
