// Adds up the reports of the test runs: node .ci/count.mjs FAILED_STEPS REPORT... Prints what failed and what was skipped, and
// as its last line `N passed, N failed`. A skipped test must say why, in its note or its name. Where it says that it needs
// something, "(needs veritysetup, root)", or names a tool that CI installs, and all of that is there, the skip is a failure.
import { accessSync, constants, existsSync, readFileSync } from "node:fs"
import { delimiter, join } from "node:path"

const [failedSteps, ...reports] = process.argv.slice(2)
const TOOLS = /\b(?:cryptsetup|veritysetup|integritysetup|qemu-img|zstd|BLOCKSTRATA_[A-Z]+)\b/g

let passedCount = 0
let failedCount = Number(failedSteps)
/** Cases that do not apply to a device, by the reason: there are hundreds. */
const reasons = new Map()

for (const path of reports) {
  if (!existsSync(path)) {
    fail(`no report ${path}`)
    continue
  }
  const { tests, errors } = JSON.parse(readFileSync(path, "utf8"))
  for (const error of errors) fail(error)
  for (const test of tests) count(test)
}
for (const [reason, names] of reasons) console.log(`skipped, ${names.length} times: ${reason}: ${names[0]} ...`)
console.log(`${passedCount} passed, ${failedCount} failed`)
process.exit(failedCount === 0 && passedCount > 0 ? 0 : 1)

function count({ name, state, note }) {
  if (state === "passed") {
    passedCount++
    return
  }
  if (state !== "skipped") {
    fail(name)
    return
  }
  const text = `${name} ${note ?? ""}`
  const needs = text.match(/\(needs ([^)]+)\)/)?.[1].split(/, | and /) ?? text.match(TOOLS)
  if (!needs && !note) fail(`skipped without a reason: ${name}`)
  else if (needs && !needs.some(isMissing)) fail(`skipped, though all is there: ${name}`)
  else if (needs) console.log(`skipped: ${name}${note ? `: ${note}` : ""}`)
  else {
    const reason = note.replace(/\d+/g, "N")
    reasons.set(reason, [...(reasons.get(reason) ?? []), name])
  }
}

function fail(text) {
  failedCount++
  console.log(`FAILED: ${text}`)
}

function isMissing(need) {
  if (need.startsWith("BLOCKSTRATA_")) return !process.env[need]
  if (need === "root") return process.getuid?.() !== 0
  if (need === "Debian 12 on amd64") return process.arch !== "x64" || !isBookworm()
  if (need === "registry") return process.env.CI_REGISTRY === "none"
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]
  return !folders.some((folder) => isExecutable(join(folder, need)))
}

function isBookworm() {
  const path = "/etc/os-release"
  return existsSync(path) && /^VERSION_CODENAME=bookworm$/m.test(readFileSync(path, "utf8"))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
