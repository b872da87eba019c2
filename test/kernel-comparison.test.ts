import { beforeAll, expect, inject, test } from "vitest"
import type { Case, Outcome } from "./kernel/differential/case.ts"
import { differenceOf } from "./kernel/differential/comparison.ts"
import { FAMILIES } from "./kernel/differential/families/all.ts"
import { runHere } from "./kernel/differential/here.ts"
import { drawLines, type TriedCase } from "./kernel/differential/lines.ts"

const LINE_COUNT = 60

/** Lines that this library tries twice, the second time in Linux's place. */
let tried: readonly TriedCase[] = []
let twins: readonly Outcome[] = []

beforeAll(async () => {
  const { lines, pool } = await drawLines(FAMILIES, LINE_COUNT, 0, inject("seed"))
  // What only Linux writes, nothing here can stand in for.
  tried = lines.filter(({ each }) => !each.isReadOnlyHere)
  const outcomes: Outcome[] = []
  for (const { each } of tried) outcomes.push(await runHere(each, pool))
  twins = outcomes
})

/** Wrong outcomes, each of which has to be seen wherever it is one: what was made wrong, or undefined. */
const WRONG: Readonly<Record<string, (right: Outcome, each: Case) => Outcome | undefined>> = {
  verdict: (right) => ({ ...right, verdict: right.verdict === "taken" ? "refused" : "taken" }),
  line: (right) => (right.printed === undefined ? undefined : { ...right, printed: `${right.printed} ` }),
  "block size": (right) => (right.geometry === undefined ? undefined : { ...right, geometry: `${right.geometry}0` }),
  "a byte that is read": (right) => changeRead(right, changed),
  "a place that cannot be read": (right) => changeRead(right, undefined),
  "a step that fails": (right) => {
    const at = right.steps.findIndex(({ kind }) => kind === "done")
    return at < 0 ? undefined : { ...right, steps: right.steps.with(at, { kind: "other" }) }
  },
  "a step that is left out": (right) =>
    right.steps.length === 0 ? undefined : { ...right, steps: right.steps.slice(0, -1) },
  "the last byte of a medium": (right, each) =>
    right.verdict !== "taken" || each.isRandomized || right.media.length === 0
      ? undefined
      : { ...right, media: right.media.with(-1, changed(right.media.at(-1)!)) },
}

/** Other content, or, without a change of it, another answer to whether the first block can be read. */
function changeRead(right: Outcome, change: ((content: Uint8Array) => Uint8Array) | undefined): Outcome | undefined {
  const at = right.steps.findLastIndex(({ kind }) => kind === "read")
  const step = right.steps[at]
  if (step?.kind !== "read") return undefined
  const badOffsets = step.badOffsets.includes(0)
    ? step.badOffsets.filter((offset) => offset > 0)
    : [0, ...step.badOffsets]
  const wrong = change === undefined ? { ...step, badOffsets } : { ...step, content: change(step.content) }
  return { ...right, steps: right.steps.with(at, wrong) }
}

function changed(bytes: Uint8Array): Uint8Array {
  return bytes.with(-1, bytes.at(-1)! ^ 1)
}

test("the same outcome has no difference", async () => {
  for (const [index, { each, here }] of tried.entries())
    expect(await differenceOf(each, twins[index]!, here), each.line).toBeUndefined()
})

test.each(Object.keys(WRONG))("it is seen if this is wrong: %s", async (name) => {
  let seenCount = 0
  for (const [index, { each, here }] of tried.entries()) {
    const wrong = WRONG[name]!(twins[index]!, each)
    if (wrong === undefined) continue
    expect(await differenceOf(each, wrong, here), each.line).toBeDefined()
    seenCount += 1
  }
  expect(seenCount).toBeGreaterThan(0)
})

test("a seed draws the same lines again", async () => {
  const { lines } = await drawLines(FAMILIES, LINE_COUNT, 0, inject("seed"))
  const texts = lines.filter(({ each }) => !each.isReadOnlyHere).map(({ each }) => each.line)
  expect(texts).toEqual(tried.map(({ each }) => each.line))
})
