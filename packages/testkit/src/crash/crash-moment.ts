import type { BlockDevice, Runtime } from "@blockstrata/device"
import type { DeviceWish } from "../conformance/conformance-options.ts"
import type { CrashExpectation } from "../model/block-model.ts"

/** What is asked of a stack that one seed drives: that of any suite, and where its randomness and time come from. */
export interface SeededWish extends DeviceWish {
  /** Seeded anew for each opening, so that a run can be repeated exactly. */
  readonly runtime: Runtime
}

/** How far a workload was when the power failed. */
export interface CrashProgress {
  /** The names of the steps that had begun, in their order. */
  readonly begun: readonly string[]
  /** Of those, the ones that had settled: what they promise is owed. */
  readonly settled: readonly string[]
}

/** What is owed after a crash. */
export interface CrashMoment extends CrashProgress {
  /** What each block may hold, by the requests that the workload had made of the device, and by what the device states. */
  readonly expectation: CrashExpectation
}

/**
 * What has to hold of a stack that was opened after a crash. Resolves with what is wrong, or with undefined. What it
 * throws is wrong too. `isThorough`: everything is to be looked at, because this is one state of few, or one that the
 * opening altered; in the others, what no change since the last flush can reach may be sampled, by `number`.
 */
export type CrashInvariant<Moment = CrashMoment> = (
  device: BlockDevice,
  moment: Moment,
  state: { readonly number: number; readonly isThorough: boolean },
) => Promise<string | undefined>

/** Runs one named step of a workload, unless the search for the shortest trace leaves it out. */
export type CrashStep = (name: string, action: () => Promise<void>) => Promise<void>

/**
 * What is done to the device before the power fails. Any step may be left out, and has then no effect; the same calls
 * must follow each other in the same way in every run.
 */
export type CrashWorkload = (device: BlockDevice, step: CrashStep) => Promise<void>
