import { expect, it } from "vitest"
import type { LeakageReport } from "./measure-leakage.ts"
import { measureLeakage } from "./measure-leakage.ts"
import type { ObserveOptions, Workload } from "./observation.ts"
import { printLeakage } from "./print-leakage.ts"

const create: ObserveOptions["create"] = ({ medium }) => medium("disk", { size: 65536 })
const runs = 12

/** Writes 16 blocks, the same for every run, in an order of its own. */
const inOrder = (name: string, orderOf: (random: Parameters<Workload["run"]>[0]["random"]) => number[]): Workload => ({
  name,
  async run({ device, random }) {
    for (const block of orderOf(random)) await device.write(block * 512, random.bytes(512))
  },
})
const blocks = Array.from({ length: 16 }, (_, index) => index)
const ascending = inOrder("ascending", () => blocks)
const shuffled = inOrder("shuffled", (random) => random.shuffle(blocks))

const found = ({ observers }: Pick<LeakageReport, "observers">) =>
  observers.map(({ entropy, overlap, information, game }) =>
    [entropy, overlap, information, game].map(({ verdict }) => (verdict === "leaks" ? 1 : 0)).join(""),
  )

it("finds the order of writes from requests alone, and nothing in snapshots; its controls are as they must be", async () => {
  const report = await measureLeakage({ name: "order", create, workloads: [ascending, shuffled], runs })
  expect(found(report)).toEqual(["0001", "0000", "0000"])
  expect(report).toMatchObject({ verdict: "leaks", workloads: ["ascending", "shuffled"], seed: 1, runs: 12 })
  expect(report.controls.areSound).toBe(true)
  expect(found({ observers: report.controls.positive })).toEqual(["1111", "1111", "1111"])
  expect(found({ observers: report.controls.negative })).toEqual(["0000", "0000", "0000"])
  expect(await measureLeakage({ name: "order", create, workloads: [ascending, shuffled], runs })).toEqual(report)
})

it("finds the whole of a secret address: three bits of three", async () => {
  const workloads = blocks.slice(0, 8).map((block) => inOrder(`block ${block}`, () => [block]))
  const report = await measureLeakage({ name: "one of eight", create, workloads, runs })
  for (const { information, game } of report.observers) {
    expect(information.value).toBeCloseTo(3)
    expect(information.byChance).toBeLessThan(1)
    expect(game).toMatchObject({ rightCount: 96, guessCount: 96, chance: 1 / 8, verdict: "leaks" })
  }
})

it("shows nothing where two workloads do the same, however much runs differ from each other", async () => {
  const large: ObserveOptions["create"] = ({ medium }) => medium("disk", { size: 2 ** 20 })
  // No two runs have much in common: who guessed the runs that it learned from would always be right.
  const scattered = inOrder("scattered", (random) => blocks.map(() => random.below(2048)))
  const workloads = [scattered, { ...scattered, name: "as scattered" }]
  const report = await measureLeakage({ name: "same", create: large, workloads, runs })
  expect(found(report)).toEqual(["0000", "0000", "0000"])
  expect([report.verdict, report.controls.areSound]).toEqual(["not shown", true])
  for (const { game } of report.observers) {
    expect(game.rate.low).toBeLessThan(0.5)
    expect(game.rate.high).toBeGreaterThan(0.5)
  }
})

it("says that it cannot be trusted with a stack that remembers earlier runs", async () => {
  let openingCount = 0
  const report = await measureLeakage({
    name: "remembers",
    create: (wish) => {
      // Each run opens twice, and each round has four: told by their place in a round, equal workloads differ.
      const place = Math.floor(openingCount++ / 2) % 4
      return wish.medium(place === 0 ? "first" : "other", { size: 65536 })
    },
    workloads: [inOrder("a", () => [2, 4]), inOrder("b", () => [2, 4])],
    runs,
  })
  expect(report.controls.areSound).toBe(false)
})

it("refuses what no measurement follows from", async () => {
  const measure = (options: object) =>
    measureLeakage({ name: "x", create, workloads: [ascending, shuffled], ...options })
  await expect(measure({ workloads: [ascending] })).rejects.toThrow(RangeError)
  await expect(measure({ runs: 11 })).rejects.toThrow(RangeError)
})

it("prints a small table", async () => {
  const report = await measureLeakage({ name: "order", create, workloads: [ascending, shuffled], runs })
  const [head, , requests, ...rest] = printLeakage(report).split("\n")
  expect(head).toContain("| guessed right |")
  expect(requests).toContain("| **24 of 24** | 0.46 ... 1.00 | leaks |")
  expect([rest.length, report.controls.areSound]).toEqual([2, true])
  const unsound = { ...report, controls: { ...report.controls, areSound: false } }
  expect(printLeakage(unsound)).toContain("nothing of this counts")
})
