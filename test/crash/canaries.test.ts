import { defineDevice } from "@blockstrata/device"
import {
  type CrashOptions,
  CrashViolation,
  type CreateSeededStack,
  exploreCrashes,
  printCrashReport,
  replayCrash,
} from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { journaling, type Mutant } from "./journaling-target.ts"

const seed = inject("seed")
const isSlow = process.env["SLOW"] === "1"
const limits = { seed, operationCount: 10, exhaustiveStateCount: 200, randomStateCount: 60 }

/** Says that everything is durable, and asks nobody. */
const deafToFlush: CreateSeededStack = ({ medium }) => {
  const lower = medium("disk", { size: 32 * 1024 })
  const { size, blockSize } = lower
  return defineDevice({
    ...{ name: "deaf", size, blockSize, features: { write: true, atomicSize: 512 } },
    read: (offset, buffer) => lower.read(offset, buffer),
    write: (offset, data) => lower.write(offset, data),
    async flush() {},
  })
}

async function violationOf(options: CrashOptions): Promise<CrashViolation> {
  const outcome: unknown = await exploreCrashes(options).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(CrashViolation)
  return outcome as CrashViolation
}

/** The lines of a trace before the power fails: the steps that it takes. */
const stepsOf = ({ message }: CrashViolation) =>
  (message.split("the power fails")[0] as string).trim().split("\n").slice(1)
/** What the crash left. */
const keptOf = ({ message }: CrashViolation) =>
  message.match(/: (whole|zeroed|first unit|all but the first unit|every other unit)$/gm) ?? []

describe("a target with a journal", () => {
  it("passes in every state, at depth 2 too", async () => {
    const share = isSlow
      ? { operationCount: 40, exhaustiveStateCount: 6 ** 5, recoveryShare: 1 / 4 }
      : { operationCount: 20, recoveryShare: 1 / 8 }
    const report = await exploreCrashes({ ...limits, ...share, create: journaling() })
    console.log(printCrashReport("journaling", report))
    expect(report.stateCount).toBeGreaterThan(100)
    expect(report.recoveryStateCount).toBeGreaterThan(10)
    expect(report.unreadableStateCount).toBe(0)
  })

  // The record place may hold, from before, just the blocks that are written: then it takes a torn record to see it.
  const mutants: [mutant: Mutant, keptCountMax: number][] = [
    ["no barrier between record and commit", 2],
    ["commit without checksum", 1],
    ["stale cache", 1],
  ]
  it.each(mutants)("%s: is found, by one step", async (mutant, keptCountMax) => {
    const options = { ...limits, create: journaling(mutant) }
    const violation = await violationOf({ ...options, depth: 1 })
    console.log(`${mutant}: ${violation.message}`)
    expect(stepsOf(violation)).toHaveLength(1)
    expect(keptOf(violation).length).toBeLessThanOrEqual(keptCountMax)
    await expect(replayCrash({ ...options, replay: violation.replay })).rejects.toMatchObject({
      problem: violation.problem,
    })
  })

  it("a recovery that forgets too early is found at depth 2 only", async () => {
    const options = { ...limits, create: journaling("recovery forgets too early"), recoveryShare: 1 }
    await exploreCrashes({ ...options, depth: 1 })
    const violation = await violationOf({ ...options, depth: 2 })
    console.log(violation.message)
    expect(stepsOf(violation)).toHaveLength(1)
    expect(violation.message).toContain("the power fails again")
    await expect(replayCrash({ ...options, replay: violation.replay })).rejects.toMatchObject({
      problem: violation.problem,
    })
    // The same state is none of the right target's: it holds what it should.
    await replayCrash({ ...options, create: journaling(), replay: violation.replay }).catch((error: unknown) => {
      expect(error).toBeInstanceOf(RangeError)
    })
  })
})

it("a flush that is not passed down is found, by a few steps", async () => {
  const violation = await violationOf({ ...limits, create: deafToFlush })
  console.log(violation.message)
  expect(stepsOf(violation).length).toBeLessThanOrEqual(3)
  expect(keptOf(violation).length).toBeLessThanOrEqual(2)
  // That of the workload, or the one after the crash.
  expect(violation.message).toMatch(/flush|fua/)
})
