import { hostRuntime } from "@blockstrata/device"
import { type CreateSeededStack, printSimulationReport, simulate, simulateSeeds } from "@blockstrata/testkit"
import { keepReplay } from "@blockstrata/testkit/node"
import { expect, inject, it } from "vitest"
import {
  aead,
  aeadOverIntegrity,
  bitmapped,
  crypt,
  degradedMirror,
  healingMirror,
  integrity,
  journaled,
  journaledDiscards,
  linear,
  mirror,
  mirrorOfJournals,
  striped,
  table,
} from "../crash/crash-stack.ts"
import { journaling } from "../crash/journaling-target.ts"
import { runCount } from "../run-count.ts"

const seed = inject("seed")

const STACKS: [name: string, create: CreateSeededStack, seedCount: number][] = [
  ["linear", linear(32 * 1024), 60],
  ["striped over three media", striped, 40],
  ["a mirror", mirror, 60],
  ["a mirror that goes on without a leg", degradedMirror, 60],
  ["a mirror of three legs that makes stale ones current", healingMirror, 60],
  ["crypt aes-xts-plain64, sectors of 4096", crypt("aes-xts-plain64", 64, { sectorSize: 4096 }), 30],
  ["crypt aes-cbc-essiv:sha256", crypt("aes-cbc-essiv:sha256", 32), 40],
  ["AEAD over tagged blocks", aead, 40],
  ["integrity D", integrity(), 20],
  ["integrity J", journaled, 20],
  ["integrity J with discards", journaledDiscards, 20],
  ["integrity B", bitmapped, 20],
  ["AEAD over integrity D", aeadOverIntegrity, 20],
  ["a mirror of journaled volumes", mirrorOfJournals, 10],
  ["a table of three ranges", table, 40],
  ["a journal", journaling(), 30],
]

it.each(STACKS)("%s keeps its contract under any seed", async (name, create, seedCount) => {
  const options = { create, firstSeed: seed, seedCount: runCount(seedCount) }
  const report = await keepReplay({ name: `simulation ${name}` }, () => simulateSeeds(options))
  console.log(printSimulationReport(name, report))
  expect(report.simulatedMilliseconds).toBeGreaterThan(0)
  expect(report.crashCount).toBeGreaterThan(0)
  expect(report.faultCount).toBeGreaterThan(0)
})

it("is the same, event for event, for the same seed, and another for another", async () => {
  const first = await simulate({ create: aead, seed })
  expect(await simulate({ create: aead, seed })).toEqual(first)
  expect((await simulate({ create: aead, seed: seed + 1 })).eventHash).not.toBe(first.eventHash)
})

it("shows by its hash that a stack takes its randomness from the host", async () => {
  const create: CreateSeededStack = (wish) => aead({ ...wish, runtime: hostRuntime })
  const hashes = [await simulate({ create, seed }), await simulate({ create, seed })].map(({ eventHash }) => eventHash)
  expect(hashes[0]).not.toBe(hashes[1])
})
