import type { Runtime } from "@blockstrata/device"
import { seededRandom } from "./seeded-random.ts"

/** A runtime whose clock stands still until it is told to move. */
export interface SeededRuntime extends Runtime {
  /** Moves the clock and calls the timers that fall due, each at its own time, earliest first. */
  advance(milliseconds: number): void
}

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/**
 * A runtime of which one seed decides everything: the same seed gives the same salts, keys, IVs and times.
 *
 * For tests only. Its randomness is NOT cryptographic: whoever knows the seed knows every key made with it.
 * @throws RangeError if `seed` is not a safe integer.
 */
export function seededRuntime(seed: number): SeededRuntime {
  const random = seededRandom(seed, "runtime")
  const timers = new Set<Timer>()
  let clock = 0

  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined
    for (const timer of timers) if (timer.due <= until && (!next || timer.due < next.due)) next = timer
    return next
  }
  const advance = (milliseconds: number): void => {
    const until = clock + milliseconds
    for (let timer = nextDue(until); timer; timer = nextDue(until)) {
      timers.delete(timer)
      clock = timer.due
      timer.callback()
    }
    clock = until
  }
  return {
    fillRandom: (bytes) => random.fill(bytes),
    now: () => clock,
    setTimer(milliseconds, callback) {
      const timer = { due: clock + Math.max(0, milliseconds), callback }
      timers.add(timer)
      return () => {
        timers.delete(timer)
      }
    },
    advance,
  }
}
