import { type BlockDevice, BlockError, type EventListener } from "@blockstrata/device"

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
  readonly onEvent: EventListener | undefined
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
   * Makes a change on `legs` (every leg but the stale ones) and waits for all of them. Resolves once every live one took
   * it, or those that did not are stale and recorded as such.
   *
   * @throws the lowest failure, if nobody records or no live leg would be left; and then no leg becomes stale.
   */
  async change(
    request: (device: BlockDevice) => Promise<void>,
    legs: readonly Leg[] = this.all.filter((leg) => leg.state !== "stale"),
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
    if (lost.length > 0) {
      const isKept = this.live.some((leg) => !lost.some((failure) => failure.leg === leg))
      const isWorld = lost.every(({ error }) => error instanceof BlockError)
      if (!isKept || !isWorld || this.#options.onLegFailure === undefined) throw lowest(lost)
      for (const failure of lost) this.#drop(failure)
      this.#record()
    }
    await this.#recorded
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
    const stale = this.all.filter((leg) => leg.state === "stale").map((leg) => leg.index)
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
