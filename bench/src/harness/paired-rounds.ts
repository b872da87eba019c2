import { type Clock, wallClock } from "./clock.ts"
import type { Pace } from "./pace.ts"

/** One way to do a piece of work. */
export interface Contestant {
  readonly name: string
  /** Does the work `turnCount` times; the loop is the contestant's, so that nothing stands between two turns. */
  run(turnCount: number): void | Promise<void>
  /** Takes part in the first rounds only: for a way so slow that all rounds would take minutes. */
  readonly roundCountMax?: number | undefined
}

/** Seconds of one turn, by contestant, round by round. */
export type Rounds = ReadonlyMap<string, readonly number[]>

export interface RoundOptions {
  readonly pace: Pace
  /** What to measure with; the wall's if not given. */
  readonly clocks?: readonly Clock[] | undefined
  /** Called after every slice. */
  readonly onSlice?: (() => void) | undefined
}

/**
 * Lets the contestants take turns: in each round everybody works for a few slices, in an order that is turned round every
 * time, and the fastest slice counts. What else goes on in the machine then meets all of them, and their ratio in a round
 * means something even where the figures themselves do not.
 *
 * @returns the rounds as each clock saw them.
 */
export async function playRounds(
  contestants: readonly Contestant[],
  options: RoundOptions,
): Promise<readonly Rounds[]> {
  const { pace, clocks = [wallClock], onSlice } = options
  const seen = clocks.map(() => new Map(contestants.map(({ name }) => [name, [] as number[]])))
  const turnCounts = new Map<string, number>()
  for (const contestant of contestants) turnCounts.set(contestant.name, await warmUp(contestant, pace))
  for (let round = 0; round < pace.roundCount; round++) {
    for (let slice = 0; slice < pace.sliceCount; slice++) {
      for (const contestant of (round + slice) % 2 === 0 ? contestants : contestants.toReversed()) {
        if (round >= (contestant.roundCountMax ?? pace.roundCount)) continue
        const turnCount = turnCounts.get(contestant.name) ?? 1
        const spent = await timeTurns(contestant, turnCount, clocks)
        for (const [index, seconds] of spent.entries()) {
          const turns = seen[index]?.get(contestant.name) ?? []
          turns[round] = Math.min(turns[round] ?? Number.POSITIVE_INFINITY, seconds / turnCount)
        }
        onSlice?.()
      }
    }
  }
  return seen
}

/** Nothing that is measured takes less, in milliseconds. */
const CLOCK_STEP_MS = 1e-6

/** Runs a contestant until it is warm. @returns how many turns fill a slice. */
async function warmUp(contestant: Contestant, pace: Pace): Promise<number> {
  let warmMs = 0
  for (let turnCount = 1; ; ) {
    const [seconds = 0] = await timeTurns(contestant, turnCount, [wallClock])
    const spentMs = seconds * 1000
    warmMs += spentMs
    if (spentMs < pace.sliceMs) turnCount *= 2
    else if (warmMs >= pace.warmUpMs)
      return Math.max(1, Math.round((turnCount * pace.sliceMs) / Math.max(spentMs, CLOCK_STEP_MS)))
  }
}

async function timeTurns(contestant: Contestant, turnCount: number, clocks: readonly Clock[]): Promise<number[]> {
  const starts = clocks.map((clock) => clock())
  const running = contestant.run(turnCount)
  // Work that is done is not awaited: that would cost a turn of the event loop.
  if (running !== undefined) await running
  return clocks.map((clock, index) => clock() - (starts[index] ?? 0))
}
