import {
  type BlockDevice,
  BlockError,
  type ByteRange,
  defineDevice,
  hostRuntime,
  type Runtime,
  readAround,
} from "@blockstrata/device"
import { type LowerPart, type LowerPartOptions, lowerPart } from "../lower-part.ts"
import { SECTOR_SIZE } from "../table-number.ts"
import { FaultRandom } from "./fault-random.ts"
import { FAULT_KINDS, type Fault, type FaultKind, type FaultOperation, FaultRule, touched } from "./fault-rule.ts"
import { RottenBits } from "./rotten-bits.ts"
import { landingRuns, landingSectors, mixSectors } from "./torn-write.ts"

export interface FaultOptions extends LowerPartOptions {
  /** What goes wrong from the start; nothing if not given. */
  readonly faults?: readonly Fault[] | undefined
  /** All choices come from it: a seeded one makes the same again. The host's if not given. */
  readonly runtime?: Runtime | undefined
}

/** The faults of a device that is in use. */
export interface FaultControl {
  /** These faults and no others from now on, their counts from 0. Rot and a failed flush stay. */
  set(faults: readonly Fault[]): void
  /** Nothing goes wrong any more: no fault, no rot, no failed flush. What faults did to the lower device stays done. */
  lift(): void
  /** How many requests each kind has taken. */
  readonly takenCounts: Readonly<Record<FaultKind, number>>
}

type Tags = Uint8Array | undefined
type WriteHow = { tags: Tags; fua: boolean }

/**
 * A range of the lower device that goes wrong in the ways, and at the times, that it is told.
 *
 * Promises: a request that no fault takes is one of a linear target; one that a fault takes ends as that kind of fault says,
 * and the first fault in the list that can take it decides. The same requests with the same seed meet the same faults.
 * Does not promise: to undo, when lifted, what lost, torn and misdirected writes did to the medium. Tags do not rot.
 * Attacks that remain: all that the lower device leaves.
 *
 * @throws RangeError or TypeError if the range or a fault cannot be.
 */
export function faultTarget(options: FaultOptions): { readonly device: BlockDevice; readonly faults: FaultControl } {
  const { lower, start = 0, faults = [], runtime = hostRuntime } = options
  const part = lowerPart("fault", options)
  const state = new FaultState(faults, runtime, part)
  const medium = faultyMedium(part, state, (offset, buffer) => readAround(lower, start + offset, buffer))

  const device = defineDevice({
    ...part,
    // What a torn write reads and writes again must not come between other requests.
    ordered: true,
    status: () => ({ faultCount: state.rules.length, ...state.takenCounts }),
    async read(offset, buffer, tags) {
      const place = { offset, length: buffer.length }
      const fault = state.take("read", place)
      if (fault?.kind === "rot") state.rotIn(touched(place, fault.range ?? place) ?? place)
      const from = fault?.kind === "misdirected-read" ? state.otherPlace(place) : offset
      await medium.read(from, buffer, tags)
    },
    async write(offset, data, how) {
      const place = { offset, length: data.length }
      state.checkFlush("write", place)
      const fault = state.take("write", place)
      if (fault?.kind === "lost-write") return
      if (fault?.kind === "torn-write") return await medium.tear(offset, data, how, fault.fails === true)
      await medium.write(fault?.kind === "misdirected-write" ? state.otherPlace(place) : offset, data, how)
    },
    async discard(offset, length) {
      state.checkFlush("discard", { offset, length })
      state.take("discard", { offset, length })
      state.rotten.mend({ offset, length })
      await part.discard(offset, length)
    },
    async flush() {
      state.checkFlush("flush", undefined)
      state.take("flush", undefined)
      await part.flush()
    },
  })
  const control: FaultControl = {
    set: (next) => state.set(next),
    lift: () => state.lift(),
    get takenCounts() {
      return { ...state.takenCounts }
    },
  }
  return { device, faults: control }
}

/** What is wrong, and what became of it so far. */
class FaultState {
  rules: readonly FaultRule[]
  readonly rotten = new RottenBits()
  readonly random: FaultRandom
  readonly takenCounts = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  readonly #part: LowerPart
  #hasFlushFailed = false

  constructor(faults: readonly Fault[], runtime: Runtime, part: LowerPart) {
    this.#part = part
    this.rules = faults.map((fault) => new FaultRule(fault))
    this.random = new FaultRandom(runtime)
  }

  set(faults: readonly Fault[]): void {
    this.rules = faults.map((fault) => new FaultRule(fault))
  }

  lift(): void {
    this.rules = []
    this.rotten.clear()
    this.#hasFlushFailed = false
  }

  /** The fault that takes a request, if any does. @throws BlockError if that fault is a failure. */
  take(operation: FaultOperation, place: ByteRange | undefined): Fault | undefined {
    // Each counts, whichever of them takes it.
    const taking = this.rules.filter((rule) => rule.takes(operation, place, this.random))
    const fault = taking.find((rule) => this.#isPossible(rule.fault, place?.length ?? 0))?.fault
    if (fault === undefined) return undefined
    this.takenCounts[fault.kind] += 1
    if (fault.kind === "failed-flush") this.#hasFlushFailed = true
    if (fault.kind === "error" || fault.kind === "failed-flush") throw this.#failure("IO", operation, place, fault)
    if (fault.kind === "no-space") throw this.#failure("NO_SPACE", operation, place, fault)
    return fault
  }

  /** @throws BlockError `IO` after a flush has failed for good. */
  checkFlush(operation: FaultOperation, place: ByteRange | undefined): void {
    if (this.#hasFlushFailed) throw new BlockError("IO", `fault: ${operation} after a failed flush`, place)
  }

  rotIn({ offset, length }: ByteRange): void {
    this.rotten.rot(offset + this.random.below(length), this.random.below(8))
  }

  /** A write of one sector lands or does not; what fills the whole device can go nowhere else. */
  #isPossible({ kind }: Fault, length: number): boolean {
    if (kind === "torn-write") return length > SECTOR_SIZE
    return !kind.startsWith("misdirected") || length < this.#part.size
  }

  /** The blocks that the fault is about. */
  #failure(
    code: "IO" | "NO_SPACE",
    operation: FaultOperation,
    place: ByteRange | undefined,
    { range }: Fault,
  ): BlockError {
    const at = place && (touched(place, range ?? place) ?? place)
    const size = this.#part.blockSize
    const offset = at && Math.floor(at.offset / size) * size
    const length = at && Math.ceil((at.offset + at.length) / size) * size - (offset ?? 0)
    return new BlockError(code, `fault: ${operation} fails, as asked for`, { offset, length })
  }

  /** Bytes: a place of the same length elsewhere. */
  otherPlace({ offset, length }: ByteRange): number {
    const { size, blockSize } = this.#part
    const otherCount = (size - length) / blockSize
    const other = this.random.below(otherCount) * blockSize
    return other < offset ? other : other + blockSize
  }
}

/** The part with what rots, and how a write is torn. */
function faultyMedium(
  part: LowerPart,
  state: FaultState,
  readOld: (offset: number, buffer: Uint8Array) => Promise<unknown>,
): {
  read(offset: number, buffer: Uint8Array, tags: Tags): Promise<void>
  write(offset: number, data: Uint8Array, how: WriteHow): Promise<void>
  tear(offset: number, data: Uint8Array, how: WriteHow, fails: boolean): Promise<void>
} {
  return {
    async read(offset, buffer, tags) {
      await part.read(offset, buffer, tags)
      state.rotten.apply(offset, buffer)
    },
    async write(offset, data, how) {
      await part.write(offset, data, how)
      state.rotten.mend({ offset, length: data.length })
    },
    async tear(offset, data, { tags, fua }, fails) {
      const { blockSize, tagSize = 0 } = part
      const lands = landingSectors(data.length / SECTOR_SIZE, state.random)
      const old = new Uint8Array(data.length)
      await readOld(offset, old)
      const mixed = mixSectors(old, data, lands)
      for (const run of landingRuns(lands, blockSize)) {
        const [first, count] = [run.offset / blockSize, run.length / blockSize]
        const runTags = tags?.subarray(first * tagSize, (first + count) * tagSize)
        await part.write(offset + run.offset, mixed.subarray(run.offset, run.offset + run.length), {
          tags: runTags,
          fua,
        })
      }
      for (const [sector, landed] of lands.entries()) {
        if (landed) state.rotten.mend({ offset: offset + sector * SECTOR_SIZE, length: SECTOR_SIZE })
      }
      if (fails) throw new BlockError("IO", "fault: a torn write", { offset, length: data.length })
    },
  }
}
