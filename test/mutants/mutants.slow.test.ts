import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { type Mutant, placeOf } from "./mutant.ts"
import { canaries, mutants } from "./mutant-list.ts"
import { type ScratchCopy, scratchCopy } from "./scratch-copy.ts"
import { runTests, type TestOutcome } from "./test-run.ts"

/** Seconds that the tests of one mutant may take, and those of one that never ends. */
const LIMIT_SECONDS = 240
const HANG_SECONDS = 20
const seed = inject("seed")

interface Row {
  readonly mutant: Mutant
  readonly killer: string
  readonly seconds: number
}

const named = (list: readonly Mutant[]) => list.map((mutant) => [placeOf(mutant), mutant] as const)

/** Runs the tests of a mutant, file by file, up to the one that notices. */
async function judge(copy: ScratchCopy, { tests, hangs }: Mutant): Promise<TestOutcome> {
  let outcome: TestOutcome = { kind: "broken", output: "no tests" }
  for (const test of tests) {
    outcome = await runTests(copy, { tests: [test], seed, limitSeconds: hangs ? HANG_SECONDS : LIMIT_SECONDS })
    if (outcome.kind !== "passed") break
  }
  return outcome
}

function printTable(rows: readonly Row[], total: number): void {
  const lines = rows.map(({ mutant, killer, seconds }) => `| ${placeOf(mutant)} | ${killer} | ${seconds.toFixed(1)} |`)
  console.log(
    [`${rows.length} mutants of ${total}, SEED=${seed}`, "| mutant | killed by | s |", "|---|---|---|", ...lines].join(
      "\n",
    ),
  )
}

describe("mutants", () => {
  let copy: ScratchCopy
  const rows: Row[] = []
  beforeAll(() => {
    copy = scratchCopy()
  })
  afterAll(() => {
    copy.remove()
    printTable(rows, mutants.length)
  })

  it("control: the tests pass on the copy as it is", async () => {
    const tests = [...new Set([...mutants, ...canaries].flatMap((mutant) => mutant.tests))]
    const outcome = await runTests(copy, { tests, seed, limitSeconds: LIMIT_SECONDS })
    expect(outcome).toMatchObject({ kind: "passed" })
  })

  it.each(named(canaries))("survives: %s", async (_place, canary) => {
    expect(await copy.withMutant(canary, () => judge(copy, canary))).toMatchObject({ kind: "passed" })
  })

  it("a file that does not load is no kill", async () => {
    const unparsed: Mutant = {
      bug: "none: a line that does not parse",
      file: "packages/device/src/sparse-bytes.ts",
      find: "const CHUNK_SIZE = 64 * 1024",
      replace: "const CHUNK_SIZE = 64 *",
      tests: ["packages/device/src/memory-device.test.ts"],
    }
    expect(await copy.withMutant(unparsed, () => judge(copy, unparsed))).toMatchObject({ kind: "broken" })
  })

  it.each(named(mutants))("dies: %s", async (_place, mutant) => {
    const start = performance.now()
    const outcome = await copy.withMutant(mutant, () => judge(copy, mutant))
    expect(outcome.kind, JSON.stringify(outcome)).toBe(mutant.hangs ? "hung" : "failed")
    const killer = outcome.kind === "failed" ? outcome.killer : `${mutant.tests[0]}, killed after ${HANG_SECONDS} s`
    rows.push({ mutant, killer, seconds: (performance.now() - start) / 1000 })
  })
})
