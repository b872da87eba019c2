import { expect, test } from "vitest"
import { OURS, recordOf } from "./bench-record.ts"
import { median } from "./median.ts"
import { type Contestant, playRounds } from "./paired-rounds.ts"

const PACE = { isSmall: false, roundCount: 9, sliceCount: 1, sliceMs: 4, warmUpMs: 0 }

/** Contestants on a clock of their own: each turn of theirs takes the seconds that it says. */
function contest(...turns: readonly (Partial<Contestant> & { name: string; seconds: number })[]): {
  contestants: Contestant[]
  clock: () => number
  order: string[]
} {
  let now = 0
  const order: string[] = []
  const contestants = turns.map(({ seconds, ...contestant }) => ({
    ...contestant,
    run(turnCount: number) {
      order.push(contestant.name)
      now += seconds * turnCount
    },
  }))
  return { contestants, clock: () => now, order }
}

test("everybody plays every round, and the order is turned round", async () => {
  const { contestants, clock, order } = contest({ name: OURS, seconds: 1 }, { name: "naive", seconds: 3 })
  const [rounds] = await playRounds(contestants, { pace: { ...PACE, sliceMs: 0 }, clocks: [clock] })
  expect(rounds?.get(OURS)).toEqual(Array.from({ length: 9 }, () => 1))
  expect(order.slice(-6)).toEqual([OURS, "naive", "naive", OURS, OURS, "naive"])
})

test("ratios are above 1 where ours is faster, and to the limit below", async () => {
  const { contestants, clock } = contest(
    { name: OURS, seconds: 2 },
    { name: "limit", seconds: 1 },
    { name: "naive", seconds: 5, roundCountMax: 3 },
  )
  const [rounds = new Map<string, number[]>()] = await playRounds(contestants, {
    pace: { ...PACE, sliceMs: 0 },
    clocks: [clock],
  })
  expect(rounds.get("naive")).toHaveLength(3)
  const record = recordOf({ bench: "b", case: "c", unit: "MiB/s", amount: 8 }, rounds, { rates: { rival: 2 }, rounds })
  expect(record).toEqual({
    bench: "b",
    case: "c",
    value: 4,
    unit: "MiB/s",
    ratios: { limit: 0.5, naive: 2.5, rival: 2 },
  })
})

test("the fastest slice of a round counts", async () => {
  let now = 0
  let turn = 0
  const run = (): void => {
    now += turn++ % 3 === 0 ? 1 : 50
  }
  const pace = { ...PACE, roundCount: 2, sliceCount: 3, sliceMs: 0 }
  const [rounds] = await playRounds([{ name: OURS, run }], { pace, clocks: [() => now] })
  expect(rounds?.get(OURS)).toEqual([1, 1])
})

test("a slice is filled with turns", async () => {
  let turnCountMax = 0
  const run = (turnCount: number): void => {
    turnCountMax = Math.max(turnCountMax, turnCount)
    let sum = 0
    for (let index = 0; index < turnCount * 1000; index++) sum += index
    expect(sum).toBeGreaterThanOrEqual(0)
  }
  await playRounds([{ name: OURS, run }], { pace: PACE })
  expect(turnCountMax).toBeGreaterThan(1)
})

test("the median of nine ignores the one that was disturbed", () => {
  expect(median([1, 1, 1, 1, 1, 1, 1, 1, 900])).toBe(1)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(() => median([])).toThrow(RangeError)
})
