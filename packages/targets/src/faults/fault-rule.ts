import type { ByteRange } from "@blockstrata/device"
import type { FaultRandom } from "./fault-random.ts"

/** The kinds of requests that faults tell apart. Zeroes are written. */
export type FaultOperation = "read" | "write" | "flush" | "discard"

/** Which of the requests that a fault can meet it does meet: those for which everything that is said holds. All, if nothing is. */
export interface FaultSchedule {
  /** The n-th, from 1, and no other. */
  readonly nth?: number | undefined
  /** So many pass ... */
  readonly upCount?: number | undefined
  /** ... then so many do not, and so on. 1 if only `upCount` is given. */
  readonly downCount?: number | undefined
  /** From 0 to 1. */
  readonly probability?: number | undefined
  /** Bytes: only requests that touch them, and of these, only what lies in it fails or rots. Not for flushes. */
  readonly range?: ByteRange | undefined
}

/**
 * What goes wrong:
 *
 * - `error`: requests of these operations fail with `IO`, and nothing is done. All operations if not given.
 * - `no-space`: writes fail with `NO_SPACE`.
 * - `failed-flush`: a flush fails with `IO`, for good: from then on writes, discards, flushes and `close` fail too.
 * - `rot`: of what a read touches, one bit turns over and stays so, until it is written again.
 * - `misdirected-read`: a read succeeds with the bytes of another place.
 * - `misdirected-write`: a write succeeds, at another place.
 * - `lost-write`: a write succeeds, and is not made.
 * - `torn-write`: of a write some sectors land and some do not, at least one each; it succeeds, or fails if `fails`.
 */
export type Fault = FaultSchedule &
  (
    | { readonly kind: "error"; readonly operations?: readonly FaultOperation[] | undefined }
    | { readonly kind: "torn-write"; readonly fails?: boolean | undefined }
    | { readonly kind: Exclude<FaultKind, "error" | "torn-write"> }
  )

export type FaultKind =
  | "error"
  | "no-space"
  | "failed-flush"
  | "rot"
  | "misdirected-read"
  | "misdirected-write"
  | "lost-write"
  | "torn-write"

const OPERATIONS: Readonly<Record<FaultKind, readonly FaultOperation[]>> = {
  error: ["read", "write", "flush", "discard"],
  "no-space": ["write"],
  "failed-flush": ["flush"],
  rot: ["read"],
  "misdirected-read": ["read"],
  "misdirected-write": ["write"],
  "lost-write": ["write"],
  "torn-write": ["write"],
}

export const FAULT_KINDS = Object.keys(OPERATIONS) as readonly FaultKind[]

/** A fault, and how many requests it has met that it could have taken. */
export class FaultRule {
  readonly fault: Fault
  readonly #operations: readonly FaultOperation[]
  #seenCount = 0

  /** @throws RangeError for a schedule that cannot be; TypeError for a kind that is none. */
  constructor(fault: Fault) {
    checkFault(fault)
    this.fault = fault
    this.#operations = ("operations" in fault ? fault.operations : undefined) ?? OPERATIONS[fault.kind]
  }

  /** Whether the fault takes this request; a flush has no place. Counts it. */
  takes(operation: FaultOperation, place: ByteRange | undefined, random: FaultRandom): boolean {
    const { nth, upCount, downCount = upCount === undefined ? 0 : 1, probability, range } = this.fault
    if (!this.#operations.includes(operation)) return false
    if (range !== undefined && (place === undefined || touched(place, range) === undefined)) return false
    this.#seenCount += 1
    if (nth !== undefined && nth !== this.#seenCount) return false
    if (downCount > 0 && (this.#seenCount - 1) % ((upCount ?? 0) + downCount) < (upCount ?? 0)) return false
    return probability === undefined || random.chance(probability)
  }
}

/** What two ranges share; `undefined` if nothing. */
export function touched(place: ByteRange, range: ByteRange): ByteRange | undefined {
  const offset = Math.max(place.offset, range.offset)
  const length = Math.min(place.offset + place.length, range.offset + range.length) - offset
  return length > 0 ? { offset, length } : undefined
}

function checkFault(fault: Fault): void {
  const { kind, nth = 1, upCount = 0, downCount = 1, probability = 0, range = { offset: 0, length: 1 } } = fault
  if (!FAULT_KINDS.includes(kind)) throw new TypeError(`fault: no such kind: ${kind}`)
  if (!isCount(nth, 1)) throw new RangeError(`fault: nth: expected at least 1, got ${nth}`)
  if (!isCount(upCount, 0) || !isCount(downCount, 1)) {
    throw new RangeError(`fault: expected upCount >= 0 and downCount >= 1, got ${upCount} and ${downCount}`)
  }
  if (!(probability >= 0 && probability <= 1)) throw new RangeError(`fault: probability: got ${probability}`)
  if (!isCount(range.offset, 0) || !isCount(range.length, 1)) throw new RangeError("fault: range: expected bytes")
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}
