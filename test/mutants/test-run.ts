import { spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { join, relative } from "node:path"
import type { ScratchCopy } from "./scratch-copy.ts"

/** How the tests of a copy ended. */
export type TestOutcome =
  | { readonly kind: "passed"; readonly testCount: number }
  /** `killer` is the first test that failed: `file > name`. */
  | { readonly kind: "failed"; readonly killer: string }
  | { readonly kind: "hung" }
  /** Something else than a test failed: a file does not load, no test ran, an error that belongs to no test. */
  | { readonly kind: "broken"; readonly output: string }

export interface TestRunOptions {
  readonly tests: readonly string[]
  readonly seed: number
  /** Seconds until the run is killed, with every process that it started. */
  readonly limitSeconds: number
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly success: boolean
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

/** Milliseconds that one test may take: most take less than a hundredth. */
const TEST_TIMEOUT_MS = 20_000
const OUTPUT_LENGTH_MAX = 4000

/** Runs test files of a copy, the fast way, up to the first failure. */
export async function runTests(copy: ScratchCopy, options: TestRunOptions): Promise<TestOutcome> {
  const reportPath = join(copy.folder, "report.json")
  rmSync(reportPath, { force: true })
  const { status, output } = await runVitest(copy, reportPath, options)
  if (status === "hung") return { kind: "hung" }
  const report = readReport(reportPath)
  if (report === undefined) return { kind: "broken", output }
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.find((result) => result.status === "failed")
    if (failed !== undefined) return { kind: "failed", killer: `${relative(copy.folder, name)} > ${failed.fullName}` }
  }
  if (status !== 0 || !report.success || report.numPassedTests === 0) return { kind: "broken", output }
  return { kind: "passed", testCount: report.numPassedTests }
}

/** `node vitest run` in a process group of its own, so that its workers can be killed with it. */
function runVitest(
  copy: ScratchCopy,
  reportPath: string,
  { tests, seed, limitSeconds }: TestRunOptions,
): Promise<{ status: number | null | "hung"; output: string }> {
  const program = join(copy.folder, "node_modules", "vitest", "vitest.mjs")
  const flags = ["--bail=1", `--testTimeout=${TEST_TIMEOUT_MS}`, "--reporter=json", `--outputFile=${reportPath}`]
  // Nothing of this run's environment: neither the slow run's counts nor folders that only some machines have.
  const env = { PATH: process.env["PATH"], SEED: String(seed), TMPDIR: copy.temporary }
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ["--import", "./test/mutants/leash.mjs", program, "run", ...flags, ...tests],
      {
        cwd: copy.folder,
        env,
        detached: true,
        // The first is the leash: it closes with this process.
        stdio: ["pipe", "pipe", "pipe"],
      },
    )
    let output = ""
    let isHung = false
    const note = (text: string) => (output = (output + text).slice(-OUTPUT_LENGTH_MAX))
    child.stdout.setEncoding("utf8").on("data", note)
    child.stderr.setEncoding("utf8").on("data", note)
    const limit = setTimeout(() => {
      isHung = true
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    }, limitSeconds * 1000)
    child.on("error", reject)
    child.on("close", (status) => {
      clearTimeout(limit)
      resolve({ status: isHung ? "hung" : status, output })
    })
  })
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report
  } catch {
    return undefined
  }
}
