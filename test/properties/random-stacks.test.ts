import { defineDevice } from "@blockstrata/device"
import { type LayerKind, RandomStackFailure, type Runner, testStacks } from "@blockstrata/testkit"
import { standardLayers, standardTagSizes } from "@blockstrata/testkit/layers"
import fc from "fast-check"
import { describe, expect, inject, it } from "vitest"
import { runCount } from "../run-count.ts"

testStacks({
  name: "every target",
  runner: { describe, it },
  kinds: standardLayers,
  tagSizes: standardTagSizes,
  seed: inject("seed"),
  runCount: runCount(25),
})

/** Right but for the last block, which it does not write. */
const forgetful: LayerKind<null> = {
  name: "forgetful",
  options: fc.constant(null),
  shape: (_options, below) => ({ ...below, tagSize: 0 }),
  lowerSize: (_options, size) => size,
  open: (_options, lower, size) =>
    defineDevice({
      name: "forgetful",
      size,
      blockSize: lower.blockSize,
      features: { write: lower.features.write },
      lowers: [{ role: "data", device: lower }],
      extents: (offset, length) => [{ role: "data", offset, length }],
      read: (offset, buffer) => lower.read(offset, buffer),
      async write(offset, data) {
        const end = Math.min(offset + data.length, size - lower.blockSize)
        if (end > offset) await lower.write(offset, data.subarray(0, end - offset))
      },
      flush: () => lower.flush(),
    }),
}

it("a wrong layer among them is found, and at most one other is left of the stack", async () => {
  const bodies: (() => Promise<void>)[] = []
  const runner: Runner = { describe: (_name, body) => body(), it: (_name, body) => bodies.push(body) }
  const kinds = [...standardLayers, forgetful as LayerKind]
  testStacks({ name: "one is wrong", runner, kinds, seed: inject("seed"), runCount: 200 })
  const failure = await bodies[0]?.().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(RandomStackFailure)
  if (!(failure instanceof RandomStackFailure)) return
  const [medium, ...layers] = (failure.message.split("\n", 1)[0] ?? "").split(" < ")
  expect(medium).toMatch(/^medium of \d+/)
  expect(layers).toContain("forgetful null")
  // A cipher may stay: zeroes that are lost show only where they are not zeroes below.
  expect(layers.length).toBeLessThanOrEqual(2)
})
