import { describe, expect, it } from "vitest"
import { atLeast } from "../packages/testkit/src/leakage/binomial-interval.ts"
import { EXPECTED_OBSERVERS } from "./leakage-expectation.ts"
import { leakageReport, observersOf } from "./leakage-report.ts"
import { casesOf, leakageStacks } from "./leakage-stack.ts"

const SEED_COUNT = 4
/** Twelve meters look at a stack and twelve at its negative control, each with a level of 0.0005. */
const ALARM_CHANCE = 24 * 0.0005

const stacks = leakageStacks()

describe("many seeds", () => {
  let [reportCount, alarmCount] = [0, 0]

  // No seed twice: with the same one, all stacks have the same workloads and coins.
  it.each(stacks.map((stack, index) => ({ ...stack, index })))("$name: what leaks is found", async (stack) => {
    for (const [caseIndex, leakageCase] of casesOf(stack).entries()) {
      for (let round = 0; round < SEED_COUNT; round++) {
        const seed = 1000 + (stack.index * 100 + caseIndex) * SEED_COUNT + round
        const report = await leakageReport(stack, leakageCase, { seed, runs: 24 })
        const expected = EXPECTED_OBSERVERS[leakageCase.secret]?.[stack.name] ?? ""
        const found = observersOf(report)
        for (const observer of expected.split(", ")) expect(found, `${report.name}, seed ${seed}`).toContain(observer)
        const isQuiet = report.controls.negative.every(({ verdict }) => verdict === "not shown")
        for (const { entropy, overlap, information, game } of report.controls.positive)
          for (const meter of [entropy, overlap, information, game]) expect(meter.verdict).toBe("leaks")
        reportCount++
        if (found !== expected || !isQuiet) alarmCount++
      }
    }
  })

  it("what does not leak is found no more often than chance does", () => {
    expect(reportCount).toBeGreaterThan(0)
    console.log(`${alarmCount} false alarms in ${reportCount} reports`)
    // As many have a chance of less than 1e-6.
    expect(atLeast(alarmCount, reportCount, ALARM_CHANCE)).toBeGreaterThan(1e-6)
  })
})
