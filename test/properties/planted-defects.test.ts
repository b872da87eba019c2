import { defineDevice } from "@blockstrata/device"
import { type CreateStack, type Runner, StackFailure, testBlockDevice, testStack } from "@blockstrata/testkit"
import { describe, expect, inject, test } from "vitest"
import { DEFECTS, type Defect, rawReader } from "./planted/defects.ts"
import { cache, linear, type MakeTarget, tagStore } from "./planted/targets.ts"

const SIZE = 64 * 1024
const OPERATION_COUNT_MAX = 6
const NOTHING: Defect = () => ({})

const targets: readonly (readonly [name: string, make: MakeTarget])[] = [
  ["linear", linear],
  ["tag store", tagStore],
  ["cache", cache],
]

/** A target with a defect. Those that store no tags stand on one that does where the defect is about tags. */
function stackWith(make: MakeTarget, defect: Defect, isAboutTags: boolean): CreateStack {
  return ({ medium, isNew, minimumSizeBytes }) => {
    const bottom = medium("disk", { size: minimumSizeBytes === 0 ? SIZE : minimumSizeBytes + 2 ** 26 })
    if (!isAboutTags || make === tagStore) {
      const right = make(bottom)
      return defineDevice({ ...right, ...defect({ right, raw: rawReader(right, bottom), isNew }) })
    }
    const right = make(defineDevice(tagStore(bottom)))
    return defineDevice({ ...right, ...defect({ right, raw: rawReader(right, bottom), isNew }) })
  }
}

type Suite = (options: { name: string; runner: Runner; create: CreateStack; seed: number }) => void

/** Runs the cases of a suite until one fails with an error that `isEnough`. @returns the errors until then. */
async function errorsOf(suite: Suite, create: CreateStack, isEnough: (error: unknown) => boolean): Promise<unknown[]> {
  const cases: ((...context: unknown[]) => Promise<void>)[] = []
  const runner: Runner = { describe: (_name, body) => body(), it: (_name, body) => cases.push(body) }
  suite({ name: "planted", runner, create, seed: inject("seed") })
  const errors: unknown[] = []
  for (const body of cases) {
    await body().catch((error: unknown) => errors.push(error))
    if (errors.length > 0 && isEnough(errors.at(-1))) break
  }
  return errors
}

const isShort = (error: unknown): boolean =>
  error instanceof StackFailure && error.operationCount <= OPERATION_COUNT_MAX
const never = (): boolean => false
const always = (): boolean => true

describe.each(targets)("in a %s", (_name, make) => {
  test.each(Object.entries(DEFECTS))("%s: found by testStack, in at most 6 operations", async (name, defect) => {
    const create = stackWith(make, defect, name.startsWith("tag "))
    const errors = await errorsOf(testStack, create, isShort)
    expect(errors.filter(isShort), errors.join("\n")).toHaveLength(1)
  })

  test.each(Object.entries(DEFECTS))("%s: found by testBlockDevice", async (name, defect) => {
    const create = stackWith(make, defect, name.startsWith("tag "))
    expect(await errorsOf(testBlockDevice, create, always)).toHaveLength(1)
  })

  test.each([false, true])("without a defect neither finds anything", async (isAboutTags) => {
    const create = stackWith(make, NOTHING, isAboutTags)
    expect(await errorsOf(testStack, create, never)).toEqual([])
    expect(await errorsOf(testBlockDevice, create, never)).toEqual([])
  })
})
