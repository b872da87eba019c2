import { type BlockDevice, BlockError, defineDevice } from "@blockstrata/device"
import { mirrorTarget } from "@blockstrata/targets"
import {
  type CrashInvariant,
  CrashViolation,
  type CreateSeededStack,
  exploreCrashes,
  printCrashReport,
} from "@blockstrata/testkit"
import { expect, inject, it } from "vitest"

const isSlow = process.env["SLOW"] === "1"
const SIZE = 16 * 1024
const limits = {
  seed: inject("seed"),
  operationCount: isSlow ? 30 : 10,
  exhaustiveStateCount: isSlow ? 6 ** 5 : 100,
  randomStateCount: isSlow ? 2000 : 40,
}

/** The mirrors that are open, and how each loses its first leg. */
const losses = new WeakMap<BlockDevice, () => void>()

/** A mirror of two media whose first leg can be taken away. */
const mirror =
  (isResynced: boolean): CreateSeededStack =>
  async ({ medium }) => {
    const [one, two] = ["one", "two"].map((name) => medium(name, { size: SIZE })) as [BlockDevice, BlockDevice]
    let isLost = false
    const pull = defineDevice({
      ...{ name: "pull", size: SIZE, blockSize: one.blockSize, features: one.features },
      lowers: [{ role: "data", device: one }],
      async read(offset, buffer) {
        if (isLost) throw new BlockError("IO", "pull: gone", { offset, length: buffer.length })
        await one.read(offset, buffer)
      },
      write: (offset, data, options) => one.write(offset, data, options),
      writeZeroes: (offset, length, options) => one.writeZeroes(offset, length, options),
      discard: (offset, length) => one.discard(offset, length),
      flush: () => one.flush(),
    })
    const legs = [pull, two].map((lower) => ({ lower, start: 0 }))
    const { device, resync } = mirrorTarget({ legs, size: SIZE })
    if (isResynced) await resync()
    losses.set(device, () => {
      isLost = true
    })
    return device
  }

/** Each block is what the contract allows, and what was read once is read again when the leg that gave it is gone. */
const staysAsRead: CrashInvariant = async (device, { expectation }) => {
  const [before, after] = [new Uint8Array(device.size), new Uint8Array(device.size)]
  await device.read(0, before)
  losses.get(device)?.()
  await device.read(0, after)
  for (let at = 0; at < device.size; at += device.blockSize) {
    const [was, is] = [before, after].map((content) => content.subarray(at, at + device.blockSize))
    const problem = expectation.problem(at / device.blockSize, was)
    if (problem !== undefined) return problem
    if (Buffer.compare(was!, is!) !== 0)
      return `block ${at / device.blockSize} was read, and reads otherwise from the other leg`
  }
  return undefined
}

it("a mirror that was made equal on opening loses a leg and reads as before, in every crash state", async () => {
  const report = await exploreCrashes({ ...limits, create: mirror(true), invariant: staysAsRead })
  console.log(printCrashReport("a mirror that loses a leg", report))
  expect(report.recoveryStateCount).toBeGreaterThan(0)
})

it("one that was not does not: this is what a resync is for", async () => {
  const options = { ...limits, create: mirror(false), invariant: staysAsRead, minimizeStateCount: 0 }
  const found = await exploreCrashes(options).catch((error: unknown) => error)
  expect(found).toBeInstanceOf(CrashViolation)
  expect((found as CrashViolation).problem).toContain("reads otherwise from the other leg")
})
