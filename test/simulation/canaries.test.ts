import { type BlockDevice, defineDevice } from "@blockstrata/device"
import {
  type CreateSeededStack,
  SimulationFailure,
  type SimulationOptions,
  simulate,
  simulateSeeds,
} from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"

const SIZE = 16 * 1024
const firstSeed = inject("seed")
const SEED_COUNT = 40

/** A pass-through, in which one thing is done otherwise. */
function passing(wrong: (lower: BlockDevice) => Partial<Parameters<typeof defineDevice>[0]>): CreateSeededStack {
  return ({ medium }) => {
    const lower = medium("disk", { size: SIZE })
    const { size, blockSize } = lower
    return defineDevice({
      ...{ name: "wrong", size, blockSize, features: { write: true, atomicSize: 512 } },
      lowers: [{ role: "data", device: lower }],
      read: (offset, buffer) => lower.read(offset, buffer),
      write: (offset, data) => lower.write(offset, data),
      flush: () => lower.flush(),
      ...wrong(lower),
    })
  }
}

/**
 * Keeps what was read. A read that was overtaken by a write of the same block keeps what that has replaced; one that
 * takes its time in order with the write cannot.
 */
const staleFill = passing((lower) => {
  const cache = new Map<number, Uint8Array>()
  return {
    async read(offset, buffer) {
      for (let at = 0; at < buffer.length; at += 512) {
        const block = offset + at
        const kept = cache.get(block) ?? new Uint8Array(512)
        if (!cache.has(block)) {
          await lower.read(block, kept)
          cache.set(block, kept)
        }
        buffer.set(kept, at)
      }
    },
    async write(offset, data) {
      await lower.write(offset, data)
      for (let at = 0; at < data.length; at += 512) cache.delete(offset + at)
    },
  }
})

/** A request that fails leaves the lock taken. */
const lostLock = passing((lower) => {
  let last = Promise.resolve()
  return {
    async write(offset, data) {
      const before = last
      let release = (): void => {}
      last = new Promise((resolve) => {
        release = resolve
      })
      await before
      await lower.write(offset, data)
      release()
    },
  }
})

const deafToFlush = passing(() => ({ async flush() {} }))
/** Says that it is done when it is not. */
const hidesFailures = passing((lower) => ({ write: (offset, data) => lower.write(offset, data).catch(() => {}) }))
const failsForNothing = passing((lower) => {
  let count = 0
  return {
    async read(offset, buffer) {
      if (++count % 9 === 0) throw new Error("a bug")
      await lower.read(offset, buffer)
    },
  }
})

async function failureOf(create: CreateSeededStack, more: Partial<SimulationOptions> = {}): Promise<SimulationFailure> {
  const outcome: unknown = await simulateSeeds({ create, firstSeed, seedCount: SEED_COUNT, ...more }).catch(
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(SimulationFailure)
  return outcome as SimulationFailure
}

describe("a race that shows only when requests overtake each other", () => {
  // Each write and each read takes as long as any other: nothing overtakes.
  const inOrder = { latencyMs: [4, 4] as const, faultShareMax: 0, operationCount: 30 }

  it("is not there when none does", async () => {
    const report = await simulateSeeds({ create: staleFill, firstSeed, seedCount: SEED_COUNT, ...inOrder })
    expect(report.operationCount).toBeGreaterThan(1000)
  })

  it("is found when they do, and its seed comes back to it, event for event", async () => {
    const options = { ...inOrder, latencyMs: [0.05, 20] as const }
    const failure = await failureOf(staleFill, options)
    console.log(failure.message)
    expect(failure.message).toContain("holds none of the")
    await expect(simulate({ ...options, create: staleFill, seed: failure.seed })).rejects.toMatchObject({
      eventHash: failure.eventHash,
      message: failure.message,
    })
  })
})

it.each([
  ["a lock that a failure leaves taken", lostLock, /still under way: .*write|nothing is under way, and yet/],
  ["a flush that is not passed down", deafToFlush, /is not what was flushed|is none of the/],
  ["a failure that is hidden", hidesFailures, /holds none of the|is none of the|is not what was flushed/],
  ["a read that fails for nothing", failsForNothing, /failed, though nothing below it did|is unreadable/],
] as const)("%s is found, and its seed comes back to it", async (_name, create, expected) => {
  const failure = await failureOf(create)
  console.log(failure.message)
  expect(failure.message).toMatch(expected)
  expect(failure.message).toContain(`SEED=${failure.seed}`)
  await expect(simulate({ create, seed: failure.seed })).rejects.toMatchObject({ eventHash: failure.eventHash })
})
