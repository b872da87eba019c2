import type { CrashInvariant, CrashMoment } from "./crash-moment.ts"
import {
  type CrashLimits,
  type CrashOptions,
  type CrashReport,
  checkCrashLimits,
  freshCounts,
} from "./crash-options.ts"
import { decodeReplay, encodeReplay } from "./crash-replay.ts"
import { type CrashCounts, type CrashSearch, type Finding, searchTimeline } from "./crash-search.ts"
import { CrashViolation, traceOf } from "./crash-violation.ts"
import { modelInvariant } from "./model-invariant.ts"
import { type CrashRecording, recordWorkload } from "./recording.ts"
import { seededWorkload } from "./seeded-workload.ts"
import { fewestSteps, simplestState, visitPlaces } from "./shortest-finding.ts"
import { visitState } from "./state-visit.ts"

const OPERATION_COUNT = 24
const BLOCK_COUNT_MAX = 256
const EXHAUSTIVE_STATE_COUNT = 6 ** 6
const RANDOM_STATE_COUNT = 4096
const RECOVERY_SHARE = 1 / 16
const MINIMIZE_STATE_COUNT = 20_000
/** States of one try while the trace is made shorter. */
const TRY_STATE_COUNT = 1500
const TRY_LIMITS = { exhaustiveStateCount: 200, randomStateCount: 100 }

/** The limits of a search, complete. */
export function searchLimits<Moment>(
  limits: CrashLimits,
): Omit<CrashSearch<Moment>, "create" | "invariant" | "atomicSize" | "counts"> {
  return {
    mayRefuse: (error) => limits.mayRefuse?.(error) ?? false,
    seed: limits.seed ?? 1,
    depth: limits.depth ?? 2,
    recoveryShare: limits.recoveryShare ?? RECOVERY_SHARE,
    exhaustiveStateCount: limits.exhaustiveStateCount ?? EXHAUSTIVE_STATE_COUNT,
    randomStateCount: limits.randomStateCount ?? RANDOM_STATE_COUNT,
    followUp: limits.followUp ?? true,
    isThorough: false,
    stateCountMax: Number.POSITIVE_INFINITY,
  }
}

/** One run of the workload, and what was found in it. */
interface Explored {
  readonly recording: CrashRecording
  readonly finding: Finding<CrashMoment>
  readonly stepCount: number
}

type Run = CrashOptions & { readonly atomicSize: 0 | 512; readonly seed: number }

/**
 * Runs a workload once on media that record, then opens every state that a crash may leave at any moment of it:
 * everything that was durable, and of each other change any permitted piece, in any combination. In each state the
 * stack must open, hold what the contract asks (or the caller's invariant), and go on working.
 *
 * Deterministic as far as the stack is: it has to take its randomness from `wish.runtime`.
 * @throws CrashViolation for the first state that breaks a promise, with the shortest trace and its replay.
 * @throws RangeError if the stack cannot be crashed: no medium of the wish below it, or nothing that can be written; for
 * limits that make no sense.
 */
export async function exploreCrashes(options: CrashOptions): Promise<CrashReport> {
  checkCrashLimits(options)
  const { atomicSizes = [512, 0], seed = 1 } = options
  const counts = freshCounts()
  let stepCount = 0
  let changeCount = 0
  for (const atomicSize of atomicSizes) {
    const run: Run = { ...options, atomicSize, seed }
    const recording = await record(run, new Set())
    stepCount += recording.stepCount
    changeCount += recording.changeCount
    const search = searchOf(run, recording, counts)
    const finding = await searchTimeline(search, recording.timeline, 1, visitState)
    if (finding !== undefined) throw await violation(run, { recording, finding, stepCount: recording.stepCount })
  }
  return { ...counts, seed, stepCount, changeCount }
}

/**
 * Goes to the one state that a replay names, and looks at all of it. Options as for the exploration that found it.
 * Resolves if all is well there now.
 * @throws CrashViolation if the promise is still broken.
 * @throws RangeError if `replay` is no replay, or the stack makes other requests than it did.
 */
export async function replayCrash({ replay, ...options }: CrashOptions & { readonly replay: string }): Promise<void> {
  const { seed, atomicSize, operationCount, skippedSteps, places } = decodeReplay(replay)
  const run: Run = { ...options, seed, atomicSize, operationCount }
  const recording = await record(run, new Set(skippedSteps))
  const search = { ...searchOf(run, recording, freshCounts()), isThorough: true }
  const finding = await visitPlaces(search, recording.timeline, places)
  if (finding !== undefined) throw new CrashViolation(finding.problem, traceOf(finding), replay)
}

function record({ workload, operationCount = OPERATION_COUNT, ...run }: Run, skipped: ReadonlySet<number>) {
  const { create, seed, atomicSize, blockCountMax = BLOCK_COUNT_MAX } = run
  return recordWorkload({
    ...{ create, seed, atomicSize, blockCountMax, skipped },
    workload: workload ?? seededWorkload(seed, operationCount),
    owesSteps: run.invariant !== undefined,
  })
}

function searchOf(run: Run, { blockCount }: CrashRecording, counts: CrashCounts): CrashSearch<CrashMoment> {
  const invariant: CrashInvariant =
    run.invariant ??
    modelInvariant(blockCount, () => {
      counts.unreadableStateCount++
    })
  return { ...searchLimits(run), create: run.create, atomicSize: run.atomicSize, invariant, counts }
}

/** Makes the trace as short as the budget allows. What was wrong at once is not traded for what goes wrong later. */
async function violation(given: Run, first: Explored): Promise<CrashViolation> {
  const run = { ...given, followUp: first.finding.isLater }
  const { minimizeStateCount = MINIMIZE_STATE_COUNT, operationCount = OPERATION_COUNT } = run
  let spent = 0
  const findWithout = async (skipped: ReadonlySet<number>): Promise<Explored | undefined> => {
    const counts = freshCounts()
    try {
      const recording = await record(run, skipped)
      const small = { ...TRY_LIMITS, stateCountMax: TRY_STATE_COUNT, recoveryShare: 1 }
      const search = { ...searchOf(run, recording, counts), ...small, isThorough: true }
      const finding = await searchTimeline(search, recording.timeline, 1, visitState)
      return finding && { recording, finding, stepCount: recording.stepCount }
    } finally {
      spent += counts.stateCount + 1
    }
  }
  const { found, skipped } = await fewestSteps(first, findWithout, () => spent >= minimizeStateCount)
  const search = { ...searchOf(run, found.recording, freshCounts()), ...TRY_LIMITS, isThorough: true }
  const finding = await simplestState(search, found.recording.timeline, found.finding)
  const { seed, atomicSize } = run
  const replay = encodeReplay({
    ...{ kind: "crash", version: 1, seed, atomicSize, operationCount },
    skippedSteps: [...skipped].sort((a, b) => a - b),
    places: finding.places,
  })
  return new CrashViolation(finding.problem, traceOf(finding), replay)
}
