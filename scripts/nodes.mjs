// Runs the test suite on other Node versions and prints a table: npm run test:nodes [-- 22 24]
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { nodeBinary } from "./node-binary.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const given = process.argv.slice(2)
const majors = given.length > 0 ? given : ["22", "24"]

const rows = majors.map(runSuite)
console.table(rows)
process.exit(rows.every((row) => row.failed === 0 && row.passed > 0) ? 0 : 1)

/** One row of the table. */
function runSuite(major) {
  const node = nodeBinary(major)
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim()
  if (!version?.startsWith(`v${major}.`)) throw new Error(`node@${major} was not installed: ${node} says ${version}`)
  console.log(`\n${version}`)
  const report = join(root, ".cache", `node-${major}.json`)
  rmSync(report, { force: true })
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`]
  const started = performance.now()
  // What a test starts as `node` is this one too.
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH }
  const { status } = spawnSync(node, [vitest, "run", ...reporters], { cwd: root, stdio: "inherit", env })
  const seconds = Math.round((performance.now() - started) / 1000)
  if (!existsSync(report)) return { node: version, passed: 0, failed: 1, skipped: 0, seconds }
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"))
  // A file that does not even load has no failed test: the status tells.
  const failed = status === 0 ? numFailedTests : Math.max(1, numFailedTests)
  return { node: version, passed: numPassedTests, failed, skipped: numPendingTests, seconds }
}
