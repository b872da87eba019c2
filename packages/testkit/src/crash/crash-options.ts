import type { BlockError } from "@blockstrata/device"
import type { CrashInvariant, CrashWorkload } from "./crash-moment.ts"
import type { CrashCounts, CreateSeededStack } from "./crash-search.ts"

/** How many states, and what is asked of them. */
export interface CrashLimits {
  /** 2, if not given: the opening of a state is crashed too, where it writes. */
  readonly depth?: 1 | 2 | undefined
  /** The share of the states whose opening is crashed, 0 ... 1; 1/16 if not given. */
  readonly recoveryShare?: number | undefined
  /** An epoch of at most so many states is visited completely; 6^6 = 46,656 if not given. */
  readonly exhaustiveStateCount?: number | undefined
  /** Random states of a larger epoch, beside all singletons, pairs, prefixes and suffixes; 4,096 if not given. */
  readonly randomStateCount?: number | undefined
  /** After the invariant: a few more writes, a flush and another opening must work. True if not given. */
  readonly followUp?: boolean | undefined
  /** Errors with which `create` may answer a crash; none, if not given. */
  readonly mayRefuse?: ((error: BlockError) => boolean) | undefined
  readonly seed?: number | undefined
}

export interface CrashOptions extends CrashLimits {
  /** Opens the stack on `wish.medium`: formatted where `wish.isNew`, else as the crash left it. */
  readonly create: CreateSeededStack
  /** Operations of the seeded workload, if none is given; 24 if not given. */
  readonly operationCount?: number | undefined
  /** Instead of the seeded workload. It is given the first `blockCountMax` blocks of the device. */
  readonly workload?: CrashWorkload | undefined
  /** Instead of what the contract asks; what it asks, `moment.expectation` says. */
  readonly invariant?: CrashInvariant | undefined
  /** 256 if not given. */
  readonly blockCountMax?: number | undefined
  /**
   * The kinds of media: 512, a crash tears between sectors; 0, it may tear and zero anything. Both, if not given.
   */
  readonly atomicSizes?: readonly (0 | 512)[] | undefined
  /** States that the search for the shortest trace may cost; 20,000 if not given, 0 for none. */
  readonly minimizeStateCount?: number | undefined
}

/** @throws RangeError for limits that make no sense. */
export function checkCrashLimits(limits: CrashLimits & { readonly operationCount?: number | undefined }): void {
  const { recoveryShare = 0, exhaustiveStateCount = 1, randomStateCount = 0, operationCount = 1 } = limits
  if (!(recoveryShare >= 0 && recoveryShare <= 1)) {
    throw new RangeError(`crash: recoveryShare: expected 0 ... 1, got ${recoveryShare}`)
  }
  const counts = { exhaustiveStateCount, randomStateCount, operationCount }
  for (const [name, count] of Object.entries(counts)) {
    const least = name === "randomStateCount" ? 0 : 1
    if (Number.isSafeInteger(count) && count >= least) continue
    throw new RangeError(`crash: ${name}: expected a whole number >= ${least}, got ${count}`)
  }
}

export interface CrashReport extends Readonly<CrashCounts> {
  readonly seed: number
  /** Steps of the workload, and changes that reached the media, over all kinds of media. */
  readonly stepCount: number
  readonly changeCount: number
}

/** The report in a line or two, for people. */
export function printCrashReport(name: string, report: CrashReport): string {
  const count = (value: number) => value.toLocaleString("en")
  const parts = [
    `${count(report.stateCount)} crash states (${count(report.recoveryStateCount)} of crashes during recovery)`,
    `${report.stepCount} steps, ${report.changeCount} changes`,
    `${report.epochCount} epochs: ${report.exhaustiveEpochCount} complete, ${report.sampledEpochCount} sampled`,
    ...(report.unreadableStateCount > 0 ? [`${count(report.unreadableStateCount)} with unreadable blocks`] : []),
    ...(report.refusedStateCount > 0 ? [`${count(report.refusedStateCount)} refused`] : []),
  ]
  return `${name}: ${parts.join("; ")} (seed ${report.seed})`
}

export function freshCounts(): CrashCounts {
  return {
    stateCount: 0,
    recoveryStateCount: 0,
    epochCount: 0,
    exhaustiveEpochCount: 0,
    sampledEpochCount: 0,
    unreadableStateCount: 0,
    refusedStateCount: 0,
  }
}
