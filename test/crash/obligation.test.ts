import { BlockError, memoryDevice } from "@blockstrata/device"
import {
  type CrashInvariant,
  CrashViolation,
  type CrashWorkload,
  type CreateSeededStack,
  exploreCrashes,
  replayCrash,
} from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { linear } from "./crash-stack.ts"

const seed = inject("seed")

describe("a workload and an invariant of one's own", () => {
  const RECORD_SIZE = 2048
  /** Appends records; one that was appended is there. */
  const append =
    (flushes: (index: number) => boolean): CrashWorkload =>
    async (device, step) => {
      for (let index = 0; index < 4; index++) {
        await step(`record ${index}`, async () => {
          await device.write(index * RECORD_SIZE, new Uint8Array(RECORD_SIZE).fill(index + 1))
          if (flushes(index)) await device.flush()
        })
      }
    }
  const isThere: CrashInvariant = async (device, { settled, begun }) => {
    for (const name of settled) {
      const index = Number(name.split(" ")[1])
      const record = new Uint8Array(RECORD_SIZE)
      await device.read(index * RECORD_SIZE, record)
      if (!record.every((byte) => byte === index + 1)) return `${name} is not there`
    }
    return begun.length >= settled.length ? undefined : "more has settled than had begun"
  }
  const create = linear(16 * 1024)

  it("hold in every state, at every moment", async () => {
    const report = await exploreCrashes({ create, seed, workload: append(() => true), invariant: isThere })
    // Twice (for both kinds of media) four records of 2 KiB, each in all its images, and after each flush what is owed.
    expect(report.stateCount).toBeGreaterThanOrEqual(2 * 4 * 5)
    expect(report.sampledEpochCount).toBe(0)
    expect(report.stepCount).toBe(8)
  })

  it("fail by the one step that does not do what it promises", async () => {
    const options = { create, seed, workload: append((index) => index !== 2), invariant: isThere }
    const violation = (await exploreCrashes(options).catch((error: unknown) => error)) as CrashViolation
    expect(violation).toBeInstanceOf(CrashViolation)
    expect(violation.problem).toBe("record 2 is not there")
    expect(violation.message.split("\n").slice(1, 3)).toEqual([
      "  record 2",
      "  the power fails; of what was not durable there is left:",
    ])
    const { replay } = violation
    await expect(replayCrash({ ...options, replay })).rejects.toMatchObject({ message: violation.message, replay })
    // Mended, the stack is right in a state of the same name, or has none.
    const mended = replayCrash({ ...options, workload: append(() => true), replay })
    await expect(
      mended.catch((error: unknown) => (error instanceof RangeError ? undefined : error)),
    ).resolves.toBeUndefined()
    for (const text of ["{}", '{"kind":"simulation"}']) {
      await expect(replayCrash({ ...options, replay: text })).rejects.toBeInstanceOf(RangeError)
    }
  })
})

describe("a stack that does not open after a crash", () => {
  /** Refuses what a crash tore: the two halves of the first KiB. */
  const wary: CreateSeededStack = async (wish) => {
    const device = await linear(16 * 1024)(wish)
    const halves = new Uint8Array(1024)
    await device.read(0, halves)
    if (!wish.isNew && halves[0] !== halves[512]) throw new BlockError("CORRUPT", "wary: two halves")
    return device
  }
  const workload: CrashWorkload = async (device, step) => {
    await step("fill", () => device.write(0, new Uint8Array(1024).fill(1)))
    await step("flush", () => device.flush())
    await step("again", () => device.write(0, new Uint8Array(1024).fill(2)))
  }
  const options = { create: wary, seed, workload, followUp: false }

  it("breaks its promise", async () => {
    await expect(exploreCrashes(options)).rejects.toMatchObject({ problem: expect.stringContaining("does not open") })
  })

  it("unless it may refuse, which is counted", async () => {
    const report = await exploreCrashes({ ...options, mayRefuse: ({ code }) => code === "CORRUPT" })
    expect(report.refusedStateCount).toBeGreaterThan(0)
    await expect(exploreCrashes({ ...options, mayRefuse: ({ code }) => code === "BUSY" })).rejects.toBeInstanceOf(
      CrashViolation,
    )
  })
})

it("says what cannot be crashed", async () => {
  await expect(exploreCrashes({ create: () => memoryDevice({ size: 4096 }) })).rejects.toThrow("no medium")
  const readOnly: CreateSeededStack = ({ medium }) => {
    medium("disk", { size: 4096 })
    return memoryDevice({ size: 4096, readOnly: true })
  }
  await expect(exploreCrashes({ create: readOnly })).rejects.toThrow("cannot be written")
  for (const limits of [{ recoveryShare: 2 }, { exhaustiveStateCount: 0 }, { randomStateCount: 0.5 }, { seed: 0.5 }]) {
    await expect(exploreCrashes({ create: linear(), ...limits })).rejects.toBeInstanceOf(RangeError)
  }
})
