import { memoryDevice, share } from "@blockstrata/device"
import { describe, expect, it } from "vitest"
import { type CaseResult, recordingRunner } from "../runner.ts"
import type { ConformanceOptions } from "./conformance-options.ts"
import { testBlockDevice } from "./conformance-suite.ts"

type Options = Omit<ConformanceOptions, "runner" | "name">

async function run(options: Options): Promise<CaseResult[]> {
  const runner = recordingRunner()
  testBlockDevice({ name: "right", runner, ...options })
  return await runner.run()
}

const SIZE = 64 * 1024
const sized = (minimumSizeBytes: number) => Math.max(SIZE, minimumSizeBytes)

describe("a right device has no failure", () => {
  const devices: [name: string, skippedMax: number, options: Options][] = [
    [
      "plain memory, nothing wrapped",
      36,
      { create: ({ minimumSizeBytes }) => memoryDevice({ size: sized(minimumSizeBytes) }) },
    ],
    [
      "wrapped memory",
      24,
      { create: ({ base, minimumSizeBytes }) => share(base(memoryDevice({ size: sized(minimumSizeBytes) }))) },
    ],
    [
      "large blocks",
      24,
      {
        create: ({ base, minimumSizeBytes }) =>
          share(base(memoryDevice({ size: sized(minimumSizeBytes), blockSize: 8192 }))),
      },
    ],
    [
      "tags",
      18,
      {
        create: ({ base, minimumSizeBytes }) =>
          share(base(memoryDevice({ size: sized(minimumSizeBytes), tagSize: 5 }))),
      },
    ],
    [
      "read-only",
      55,
      { readOnly: true, create: ({ base }) => share(base(memoryDevice({ size: SIZE, readOnly: true }))) },
    ],
  ]
  it.each(devices)("%s", async (_name, skippedMax, options) => {
    const results = await run(options)
    expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([])
    // A suite that skips everything has no failure either.
    expect(results.filter(({ outcome }) => outcome === "skipped").length).toBeLessThanOrEqual(skippedMax)
    expect(results.length).toBeGreaterThanOrEqual(100)
  })

  it("with every hook: nothing but the opposite of what it is remains skipped", async () => {
    const media = new WeakMap<object, Uint8Array>()
    const open = (bytes: Uint8Array) => {
      const device = memoryDevice({ bytes })
      media.set(device, bytes)
      return device
    }
    const results = await run({
      create: () => open(new Uint8Array(SIZE)),
      reopen: (closed) => open(media.get(closed) as Uint8Array),
      secrets: [Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1)],
    })
    expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([])
    expect(
      results.filter(({ name, outcome }) => outcome === "skipped" && /secrets|opened again/.test(name)).length,
    ).toBe(1)
  })
})

describe("the suite itself", () => {
  const create = () => memoryDevice({ size: SIZE })
  const runner = recordingRunner()

  it("names the seed, and gives the same run for the same seed", async () => {
    const first = await run({ create, seed: 7 })
    const again = await run({ create, seed: 7 })
    const other = await run({ create, seed: 8 })
    expect(first[0]?.name).toMatch(/^right \(seed 7\) > geometry > /)
    expect(again).toEqual(first)
    expect(other.map(({ outcome }) => outcome)).toEqual(first.map(({ outcome }) => outcome))
  })

  it("gives bodies without a named parameter, which some runners take for a callback style", () => {
    const lengths: number[] = []
    const record = (_name: string, body: (...context: unknown[]) => Promise<void>) => lengths.push(body.length)
    testBlockDevice({ name: "d", runner: { describe: (_name, body) => body(), it: record }, create })
    expect(new Set(lengths)).toEqual(new Set([0]))
  })

  it("passes a case that does not apply where the runner cannot skip", async () => {
    const bodies: (() => Promise<void>)[] = []
    testBlockDevice({
      name: "d",
      runner: { describe: (_name, body) => body(), it: (_name, body) => bodies.push(body) },
      create,
    })
    for (const body of bodies) await body()
  })

  it("tells the runner, whose context may be a function, why a case does not apply", async () => {
    const reasons: string[] = []
    const context = Object.assign(() => {}, { skip: (reason: string) => void reasons.push(reason) })
    const bodies: ((...given: unknown[]) => Promise<void>)[] = []
    testBlockDevice({
      name: "d",
      runner: { describe: (_name, body) => body(), it: (_name, body) => bodies.push(body) },
      create,
    })
    for (const body of bodies) await body(context)
    expect(reasons).toContain("no tags")
  })

  it("refuses options that contradict themselves", () => {
    expect(() => testBlockDevice({ name: "", runner, create })).toThrow(TypeError)
    expect(() => testBlockDevice({ name: "d", runner: {} as never, create })).toThrow(TypeError)
    expect(() => testBlockDevice({ name: "d", runner, create: undefined as never })).toThrow(TypeError)
    expect(() => testBlockDevice({ name: "d", runner, create, content: new Uint8Array(SIZE) })).toThrow(TypeError)
    expect(() => testBlockDevice({ name: "d", runner, create, secrets: [new Uint8Array(32)] })).toThrow(RangeError)
    expect(() => testBlockDevice({ name: "d", runner, create, traceOperationCount: 0 })).toThrow(RangeError)
  })

  it("fails each case when create fails, and when close fails", async () => {
    const failing = recordingRunner()
    testBlockDevice({ name: "d", runner: failing, create: () => Promise.reject(new Error("no device")) })
    expect((await failing.run()).every(({ outcome }) => outcome === "failed")).toBe(true)
    const unclosable = await run({
      create: () => ({ ...create(), close: () => Promise.reject(new Error("no close")) }),
    })
    expect(unclosable.filter(({ outcome }) => outcome === "passed")).toEqual([])
  })
})
