import { type CrashWorkload, type CreateSeededStack, exploreCrashes, printCrashReport } from "@blockstrata/testkit"
import { expect, it } from "vitest"
import { crypt, integrity, linear } from "./crash-stack.ts"

/** Changes of one epoch, `blockCount` blocks each. */
const dirty =
  (changeCount: number, blockCount: number): CrashWorkload =>
  async (device, step) => {
    const length = blockCount * device.blockSize
    for (let index = 0; index < changeCount; index++) {
      await step(`change ${index}`, () => device.write(index * length, new Uint8Array(length).fill(index + 1)))
    }
  }

/** The kind of media is one that gives each change all of its images; the tags of mode D do not survive it. */
const STACKS: [
  name: string,
  create: CreateSeededStack,
  atomicSize: 0 | 512,
  changeCount: number,
  blockCount: number,
][] = [
  ["linear, eight blocks of 512", linear(), 0, 8, 1],
  ["linear, six changes of 2 KiB: 6^6 states", linear(), 0, 6, 4],
  ["aes-xts-plain64, eight blocks of 512", crypt("aes-xts-plain64", 64), 0, 8, 1],
  // Their tags go down with a flush only: each block is there or is not.
  ["integrity D, eleven blocks of 512", integrity(), 512, 11, 1],
]

it.each(STACKS)("%s: states a second, printed", async (name, create, atomicSize, changeCount, blockCount) => {
  const workload = dirty(changeCount, blockCount)
  const options = { create, workload, atomicSizes: [atomicSize] }
  await exploreCrashes({ ...options, exhaustiveStateCount: 1, randomStateCount: 3000 })
  const before = process.cpuUsage()
  const start = performance.now()
  const report = await exploreCrashes(options)
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(before)
  const rates = [seconds, (cpu.user + cpu.system) / 1e6].map((time) => Math.round(report.stateCount / time))
  console.log(`${printCrashReport(name, report)}: ${rates[0]} a second, ${rates[1]} a second of processor time`)
  expect(report.sampledEpochCount).toBe(0)
  expect(report.stateCount).toBeGreaterThan(1000)
})
