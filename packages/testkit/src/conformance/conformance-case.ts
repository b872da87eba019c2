import type { Subject } from "./subject.ts"

/** One property of the contract, tried on a device of its own. */
export interface ConformanceCase {
  readonly name: string
  /** Asks for a device of at least this size; the case says itself what it needs. */
  readonly minimumSizeBytes?: number
  readonly run: (subject: Subject) => Promise<void>
}

/** The cases about one side of the contract. */
export interface CaseGroup {
  readonly name: string
  readonly cases: readonly ConformanceCase[]
}

/** Thrown by a case that says nothing about this device. Not a failure. */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable"
}

/** Ends the case, as skipped, unless `condition` holds. */
export function need(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new NotApplicable(reason)
}
