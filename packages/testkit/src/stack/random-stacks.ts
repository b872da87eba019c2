import fc from "fast-check"
import type { Runner } from "../runner.ts"
import { isAuthentic } from "./authentic.ts"
import { operationsArbitrary } from "./operation-arbitrary.ts"
import { buildPlan, type LayerKind, printPlan, type StackPlan, stackPlans } from "./stack-plan.ts"
import { OPERATION_COUNT_MAX, runScript, STACK_CASES } from "./stack-suite.ts"

export interface RandomStackOptions {
  readonly name: string
  readonly runner: Runner
  /** The layers of which stacks are made: `standardLayers`, one's own, or both. */
  readonly kinds: readonly LayerKind[]
  /** Bytes of tag that a medium may carry; none if not given. */
  readonly tagSizes?: readonly number[] | undefined
  /** 1 if not given. */
  readonly seed?: number | undefined
  /** Stacks of each case, each with one list of operations; 50 if not given. */
  readonly runCount?: number | undefined
}

const RUN_COUNT_DEFAULT = 50

/** A random stack that broke its contract: the smallest that was found, and the shortest list of operations for it. */
export class RandomStackFailure extends Error {
  override readonly name = "RandomStackFailure"
  readonly plan: StackPlan

  constructor(kinds: readonly LayerKind[], plan: StackPlan, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${printPlan(kinds, plan)}\n${reason}\nbuildPlan(kinds, ${JSON.stringify(plan)})`, { cause })
    this.plan = plan
  }
}

/**
 * Gives the test runner model tests of random stacks to depth 4: what `testStack` does to one stack, with another stack
 * for each list of operations. Stack and operations shrink together.
 */
export function testStacks({ name, runner, kinds, tagSizes = [], seed = 1, runCount }: RandomStackOptions): void {
  runner.describe(`${name}, random stacks (seed ${seed})`, () => {
    // Great ones would have to be formatted: each kind of layer is tested there by itself.
    for (const { name: caseName, weights } of STACK_CASES.filter((one) => one.minimumSizeBytes === undefined)) {
      runner.it(caseName, async () => {
        const runs = fc.record({
          plan: stackPlans(kinds, tagSizes),
          operations: operationsArbitrary(weights, OPERATION_COUNT_MAX),
          jitter: fc.nat({ max: 1023 }),
        })
        const property = fc.asyncProperty(runs, async ({ plan, ...script }) => {
          const create = buildPlan(kinds, plan)
          try {
            const authentic =
              script.operations.some(({ do: what }) => what === "corrupt") && (await isAuthentic(create))
            await runScript(create, { ...script, minimumSizeBytes: 0 }, authentic)
          } catch (error) {
            throw new RandomStackFailure(kinds, plan, error)
          }
        })
        const outcome = await fc.check(property, { seed: seed % 2 ** 31, numRuns: runCount ?? RUN_COUNT_DEFAULT })
        if (outcome.failed) throw outcome.errorInstance ?? new Error("the property failed without an error")
      })
    }
  })
}
