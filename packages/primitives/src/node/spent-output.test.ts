import { expect, test } from "vitest"
import { giveBack } from "./spent-output.ts"

test("the memory of large outputs is given back, of any 32 KiB at the latest", () => {
  const outputs = Array.from({ length: 8 }, () => new Uint8Array(4096).fill(7))
  for (const output of outputs) giveBack(output)
  // One call may have been due to outputs of before.
  const held = outputs.filter((output) => output.length > 0)
  expect(held.length).toBeLessThan(outputs.length)
  const large = new Uint8Array(64 * 1024)
  giveBack(large)
  expect([large, ...held].every((output) => output.length === 0)).toBe(true)
})

test("small ones are left to the collector", () => {
  const output = new Uint8Array(512).fill(7)
  for (let count = 0; count < 1000; count++) giveBack(output)
  expect(output[0]).toBe(7)
})
