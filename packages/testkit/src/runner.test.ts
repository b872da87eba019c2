import { expect, it } from "vitest"
import { recordingRunner } from "./runner.ts"

it("runs what it recorded, in order, and says how each case ended", async () => {
  const runner = recordingRunner()
  const calls: string[] = []
  runner.describe("outer", () => {
    runner.it("first", async () => void calls.push("first"))
    runner.describe("inner", () => runner.it("second", () => Promise.reject(new Error("bad"))))
    runner.it("third", async (...context) => (context[0] as { skip(reason: string): void }).skip("no tags"))
  })
  expect(calls).toEqual([])
  expect(await runner.run()).toEqual([
    { name: "outer > first", outcome: "passed" },
    { name: "outer > inner > second", outcome: "failed", error: new Error("bad") },
    { name: "outer > third", outcome: "skipped", reason: "no tags" },
  ])
  expect(calls).toEqual(["first"])
})
