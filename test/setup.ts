import fc from "fast-check"
import { inject } from "vitest"
import { runCount } from "./run-count.ts"

// Every property of the run starts from the one printed seed; `numRuns` is for those that do not say their own.
fc.configureGlobal({ seed: inject("seed"), numRuns: runCount(100) })
