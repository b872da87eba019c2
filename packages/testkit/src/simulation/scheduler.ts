import { pause } from "../probe.ts"
import type { SeededRuntime } from "../seeded-runtime.ts"

interface Sleeper {
  readonly due: number
  readonly order: number
  readonly wake: () => void
}

/** Turns of the microtask queue after which a stack that did nothing counts as waiting. */
const QUIET_TURNS = 12
/** The same where nothing sleeps, and only something slow inside can be under way. */
const IDLE_TURNS = 4000
/** Milliseconds, and how often: timers of the stack that are all that can go on. */
const TIMER_STEP = 1000
const TIMER_STEP_COUNT = 3600

/** Something should have settled, and nothing is left that could make it. */
export class Hang extends Error {}

/**
 * One order of all that happens, on the clock of a runtime. Whoever sleeps is woken one at a time, when nothing else goes
 * on; it is always right to wake the next one, since a request may take any time.
 */
export class Scheduler {
  readonly #runtime: SeededRuntime
  #sleepers: Sleeper[] = []
  #activity = 0
  #order = 0

  constructor(runtime: SeededRuntime) {
    this.#runtime = runtime
  }

  /** Something happened: the stack is not waiting. */
  note(): void {
    this.#activity++
  }

  sleep(milliseconds: number): Promise<void> {
    this.note()
    return new Promise((resolve) => {
      this.#sleepers.push({ due: this.#runtime.now() + milliseconds, order: this.#order++, wake: resolve })
    })
  }

  /** The power fails: nobody sleeps on. */
  wakeAll(): void {
    const all = this.#sleepers
    this.#sleepers = []
    for (const { wake } of all) wake()
  }

  /**
   * Goes on until `work` has settled, and before each step asks `onStep`, which says whether to stop.
   * @throws Hang if it cannot settle any more.
   */
  async drive(work: Promise<unknown>, onStep: () => boolean = () => false): Promise<void> {
    let isSettled = false
    const end = () => {
      isSettled = true
      this.note()
    }
    work.then(end, end)
    for (;;) {
      await this.#quiet(QUIET_TURNS)
      if (isSettled || onStep()) return
      if (!this.#wakeNext()) await this.#idle(() => isSettled)
    }
  }

  #wakeNext(): boolean {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (next === undefined || sleeper.due < next.due || (sleeper.due === next.due && sleeper.order < next.order)) {
        next = sleeper
      }
    }
    if (next === undefined) return false
    this.#sleepers.splice(this.#sleepers.indexOf(next), 1)
    this.#runtime.advance(Math.max(0, next.due - this.#runtime.now()))
    next.wake()
    return true
  }

  async #quiet(turnCount: number): Promise<void> {
    let before: number
    do {
      before = this.#activity
      await pause(turnCount)
    } while (this.#activity !== before)
  }

  /** Nobody sleeps: either much goes on between two requests, or a timer has to fire, or it hangs. */
  async #idle(isSettled: () => boolean): Promise<void> {
    const before = this.#activity
    const hasMoved = () => isSettled() || this.#activity !== before
    await pause(IDLE_TURNS)
    for (let step = 0; step < TIMER_STEP_COUNT && !hasMoved(); step++) {
      this.#runtime.advance(TIMER_STEP)
      await pause(QUIET_TURNS)
    }
    if (!hasMoved()) throw new Hang("nothing is under way, and yet not everything has settled")
  }
}
