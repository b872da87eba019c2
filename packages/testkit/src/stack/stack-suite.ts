import fc from "fast-check"
import { NotApplicable, need } from "../conformance/conformance-case.ts"
import { type Runner, skipCase } from "../runner.ts"
import { isAuthentic } from "./authentic.ts"
import { type OperationWeights, operationsArbitrary } from "./operation-arbitrary.ts"
import { StackFailure, type StackScript } from "./stack-failure.ts"
import { type CreateStack, StackSession } from "./stack-session.ts"

export interface StackOptions {
  /** Names the group of cases; the seed is added to it. */
  readonly name: string
  /** The words of the test runner: `{ describe, it }`. */
  readonly runner: Runner
  /**
   * A stack on the media that it asks for: called with fresh media, and with the same ones to open it again. The same
   * function as for `testBlockDevice`. 8 to 256 blocks are looked at as a whole, of more the ends and what overflows.
   */
  readonly create: CreateStack
  /** Bits that change below must be reported. If not given, it is found out: who reports one must report all. */
  readonly authentic?: boolean | undefined
  /** Decides all lists of operations; 1 if not given. */
  readonly seed?: number | undefined
  /** Lists of operations of each case; 100 if not given. */
  readonly runCount?: number | undefined
}

const RUN_COUNT_DEFAULT = 100
export const OPERATION_COUNT_MAX = 24
/** Bytes: beyond what 32 bits can count. */
const FAR_SIZE = 2 ** 32 + 2 ** 20

export interface StackCase {
  readonly name: string
  readonly weights: OperationWeights
  readonly minimumSizeBytes?: number
  /** Runs for one of the others: those that take longer get fewer. */
  readonly share?: number
  readonly needs?: "media" | "authentic"
}

export const STACK_CASES: readonly StackCase[] = [
  { name: "one request after the other", weights: {} },
  { name: "requests in flight together", weights: { together: 6 } },
  { name: "failures below", weights: { failing: 5 }, needs: "media" },
  { name: "closed, opened, crashed", weights: { crash: 4, reopen: 2, together: 1 }, needs: "media" },
  { name: "bits that change below", weights: { corrupt: 5, reopen: 1 }, needs: "authentic" },
  { name: "beyond 2^32 bytes", weights: { reopen: 1 }, minimumSizeBytes: FAR_SIZE, share: 0.5 },
  { name: "everything at once", weights: { together: 2, failing: 1, crash: 1, reopen: 1, corrupt: 1 } },
]

/**
 * Gives the test runner model tests of a stack: random lists of operations, each on fresh media, compared with what the
 * contract permits: `BlockModel`. A failure comes with the shortest list that was found, as text and as data for
 * `replayStack`.
 *
 * Sees what reads return, buffers, closing, failures and crashes below, and bits that change there; not speed, and not
 * pieces larger than a block that a device states as atomic.
 * @throws TypeError for options that contradict themselves.
 */
export function testStack(options: StackOptions): void {
  const { name, runner, create, seed = 1, runCount = RUN_COUNT_DEFAULT } = options
  if (typeof create !== "function") throw new TypeError(`testStack: ${name}: create: expected a function`)
  let authentic: Promise<boolean> | undefined
  const isStackAuthentic = () => (authentic ??= Promise.resolve(options.authentic ?? isAuthentic(create)))
  runner.describe(`${name}, as a stack (seed ${seed})`, () => {
    for (const one of STACK_CASES) {
      runner.it(one.name, async (...context) => {
        try {
          await runCase(create, one, seed, runCount, await isStackAuthentic())
        } catch (error) {
          if (!(error instanceof NotApplicable)) throw error
          skipCase(context[0], error.message)
        }
      })
    }
  })
}

/** Runs one list of operations again, as a failure printed it. @throws StackFailure as it was */
export async function replayStack(
  options: Pick<StackOptions, "create" | "authentic">,
  script: StackScript,
): Promise<void> {
  await runScript(options.create, script, options.authentic ?? (await isAuthentic(options.create)))
}

async function runCase(
  create: CreateStack,
  one: StackCase,
  seed: number,
  runCount: number,
  authentic: boolean,
): Promise<void> {
  const { weights, minimumSizeBytes = 0, share = 1, needs } = one
  await checkNeeds(create, minimumSizeBytes, needs, authentic)
  const scripts = fc.record({
    operations: operationsArbitrary(weights, OPERATION_COUNT_MAX),
    jitter: fc.nat({ max: 1023 }),
    minimumSizeBytes: fc.constant(minimumSizeBytes),
  })
  const property = fc.asyncProperty(scripts, (script) => runScript(create, script, authentic))
  const outcome = await fc.check(property, { seed: seed % 2 ** 31, numRuns: Math.ceil(runCount * share) })
  if (outcome.failed) throw outcome.errorInstance ?? new Error("the property failed without an error")
}

async function checkNeeds(
  create: CreateStack,
  minimumSizeBytes: number,
  needs: StackCase["needs"],
  authentic: boolean,
): Promise<void> {
  need(needs !== "authentic" || authentic, "does not report bits that change below")
  const session = await StackSession.start({ create, minimumSizeBytes, jitter: 0, isAuthentic: authentic })
  const { size } = session.device
  const { hasMedia } = session
  await session.abandon()
  need(needs === undefined || hasMedia, "create asks for no medium")
  need(size >= minimumSizeBytes, `create gives no device of ${minimumSizeBytes} bytes`)
}

export async function runScript(create: CreateStack, script: StackScript, authentic: boolean): Promise<void> {
  let session: StackSession | undefined
  try {
    session = await StackSession.start({ create, ...script, isAuthentic: authentic })
    for (const operation of script.operations) await session.run(operation)
    await session.finish()
  } catch (error) {
    await session?.abandon()
    throw new StackFailure(script, error)
  }
}
