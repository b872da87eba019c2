import { type BlockDevice, BlockError, type ByteRange, type EventListener } from "@blockstrata/device"

/** `live`: holds what the mirror holds. `syncing`: is written, and not read. `stale`: neither. */
export type LegState = "live" | "syncing" | "stale"

/** One leg of a mirror. Its bytes are those of the mirror, from 0. */
export interface Leg {
  readonly index: number
  readonly device: BlockDevice
  state: LegState
  /** A block that it could not give, it could not take back either: it is asked last. */
  isWeak: boolean
}

export interface MirrorLegsOptions {
  readonly devices: readonly BlockDevice[]
  readonly staleLegs: readonly number[]
  readonly onLegFailure: ((staleLegs: readonly number[]) => Promise<void> | void) | undefined
  /**
   * The leg that answers where legs may differ is about to go: calls `go` once those that are kept agree with it everywhere but
   * in `own`, which has just been written to them. Rejects if they cannot be made to, or if `go` throws.
   */
  readonly agreeBefore: (first: Leg, kept: readonly Leg[], own: ByteRange | undefined, go: () => void) => Promise<void>
  readonly onEvent: EventListener | undefined
}

/** What a change is made on, and where. */
export interface LegChange {
  /** Every leg but the stale ones, if not given. */
  readonly legs?: readonly Leg[] | undefined
  /** What is written; undefined for a flush. */
  readonly range?: ByteRange | undefined
}

interface LegFailure {
  readonly leg: Leg
  readonly error: unknown
}

/** Which legs are current, and how they stop being so. */
export class MirrorLegs {
  readonly all: readonly Leg[]
  readonly #options: MirrorLegsOptions
  /** Settles once the owner knows of every leg that is stale: until then nothing that only the others hold is acknowledged. */
  #recorded: Promise<void> = Promise.resolve()
  /** The last attempt failed: the next change makes another one. */
  #isUnrecorded = false

  constructor(options: MirrorLegsOptions) {
    this.#options = options
    this.all = options.devices.map((device, index) => {
      const state = options.staleLegs.includes(index) ? "stale" : "live"
      return { index, device, state, isWeak: false }
    })
  }

  get live(): Leg[] {
    return this.all.filter((leg) => leg.state === "live")
  }

  get syncing(): Leg[] {
    return this.all.filter((leg) => leg.state === "syncing")
  }

  /** In the order in which they are asked: always the same, so that what was read once is read again. */
  get readOrder(): Leg[] {
    return [...this.live.filter((leg) => !leg.isWeak), ...this.live.filter((leg) => leg.isWeak)]
  }

  /**
   * Makes a change and waits for all legs. Resolves once every live one took it, or those that did not are stale and
   * recorded as such.
   *
   * @throws the lowest failure, if nobody records, or no live leg would be left, or those that are left would answer
   * otherwise than the one that goes; and then no leg becomes stale.
   */
  async change(
    request: (device: BlockDevice) => Promise<void>,
    { legs = this.all.filter((leg) => leg.state !== "stale"), range }: LegChange = {},
  ): Promise<void> {
    if (this.#isUnrecorded) this.#record()
    const outcomes = await Promise.allSettled(legs.map(({ device }) => request(device)))
    const failures = legs.flatMap((leg, index): LegFailure[] => {
      const outcome = outcomes[index]
      return outcome?.status === "rejected" ? [{ leg, error: outcome.reason }] : []
    })
    // A leg that is not current yet costs nothing but the copy.
    for (const failure of failures) if (failure.leg.state === "syncing") this.#drop(failure)
    const lost = failures.filter(({ leg }) => leg.state === "live")
    if (lost.length > 0) await this.#goOnWithout(lost, range)
    await this.#recorded
  }

  /** Drops live legs. @throws the lowest failure, if the mirror cannot go on without them. */
  async #goOnWithout(failures: readonly LegFailure[], range: ByteRange | undefined): Promise<void> {
    const { onLegFailure, agreeBefore } = this.#options
    const isWorld = failures.every(({ error }) => error instanceof BlockError)
    const isLost = (leg: Leg) => failures.some((failure) => failure.leg === leg)
    const go = () => {
      // Others may have gone meanwhile, these among them.
      const lost = failures.filter(({ leg }) => leg.state === "live")
      if (this.live.every(isLost)) throw lowest(failures)
      for (const failure of lost) this.#drop(failure)
      if (lost.length > 0) this.#record()
    }
    const [first] = this.live
    const kept = this.live.filter((leg) => !isLost(leg))
    if (!isWorld || onLegFailure === undefined || kept.length === 0) throw lowest(failures)
    if (first === undefined || !isLost(first)) return go()
    await agreeBefore(first, kept, range, go).catch((error: unknown) => {
      throw error instanceof BlockError ? lowest(failures) : error
    })
  }

  /** From now on `leg` is the only one that is current. Resolves once that is recorded. */
  async trustOnly({ index }: Leg): Promise<void> {
    for (const leg of this.all) leg.state = leg.index === index ? "live" : "stale"
    this.#record()
    await this.#recorded
  }

  #drop({ leg, error }: LegFailure): void {
    leg.state = "stale"
    const reason = error instanceof BlockError ? error.code : "an exception"
    const message = `mirror: leg ${leg.index} is no longer current: ${reason}`
    this.#options.onEvent?.({ kind: "degraded", device: "mirror", message })
  }

  #record(): void {
    // One that is being copied is not current either: whoever opens the mirror next must not read it.
    const stale = this.all.filter((leg) => leg.state !== "live").map((leg) => leg.index)
    this.#isUnrecorded = false
    // What an earlier attempt could not record is in this one.
    const earlier = this.#recorded.catch(() => {})
    this.#recorded = earlier.then(() => this.#options.onLegFailure?.(stale))
    // Every change awaits it; until then a rejection must not count as unhandled.
    this.#recorded.catch(() => {
      this.#isUnrecorded = true
    })
  }
}

/** A bug goes before all others, then the lowest place. */
function lowest(failures: readonly LegFailure[]): unknown {
  const rank = ({ error }: LegFailure) => (error instanceof BlockError ? (error.offset ?? 0) : -1)
  return failures.reduce((first, other) => (rank(other) < rank(first) ? other : first)).error
}
