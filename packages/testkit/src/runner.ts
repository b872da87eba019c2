/**
 * The two words of a test runner that the suites need: those of vitest, node:test, Bun and Jest fit as they are.
 * A case that does not apply calls `skip(reason)` on what the runner hands to it, where there is such a method.
 */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: (...context: unknown[]) => Promise<void>) => unknown
}

/** How one case ended. `name` is the path through the groups, joined by " > ". */
export type CaseResult =
  | { readonly name: string; readonly outcome: "passed" }
  | { readonly name: string; readonly outcome: "skipped"; readonly reason: string }
  | { readonly name: string; readonly outcome: "failed"; readonly error: unknown }

/** A runner that keeps what it is given, and runs it when asked. */
export interface RecordingRunner extends Runner {
  /** Runs every case, one after the other, in the order in which they were given. */
  run(): Promise<CaseResult[]>
}

interface RecordedCase {
  readonly name: string
  readonly body: (...context: unknown[]) => Promise<void>
}

/** A runner without a process around it: to test a suite, or to run one where there is no test runner. Has no timeout. */
export function recordingRunner(): RecordingRunner {
  const path: string[] = []
  const cases: RecordedCase[] = []
  return {
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it(name, body) {
      cases.push({ name: [...path, name].join(" > "), body })
    },
    async run() {
      const results: CaseResult[] = []
      for (const recorded of cases) results.push(await runCase(recorded))
      return results
    },
  }
}

async function runCase({ name, body }: RecordedCase): Promise<CaseResult> {
  let reason: string | undefined
  const skip = (given: string): void => {
    reason = given
  }
  try {
    await body({ skip })
    return reason === undefined ? { name, outcome: "passed" } : { name, outcome: "skipped", reason }
  } catch (error) {
    return { name, outcome: "failed", error }
  }
}

/** Tells the runner, if it can be told: vitest (whose context is a function) and node:test hand over such a method. */
export function skipCase(context: unknown, reason: string): void {
  if ((typeof context !== "object" && typeof context !== "function") || context === null || !("skip" in context)) return
  if (typeof context.skip === "function") context.skip(reason)
}
