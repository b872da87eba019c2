import { type BlockDevice, readAround, settleAll } from "@blockstrata/device"
import {
  type CrashInvariant,
  type CrashWorkload,
  type CreateSeededStack,
  exploreCrashes,
  printCrashReport,
  seededRandom,
} from "@blockstrata/testkit"
import { keepReplay } from "@blockstrata/testkit/node"
import { expect, inject, it } from "vitest"
import {
  aead,
  aeadOverIntegrity,
  crypt,
  integrity,
  linear,
  mirror,
  mirrorOfJournals,
  striped,
  table,
} from "./crash-stack.ts"

const isSlow = process.env["SLOW"] === "1"
const limits = {
  seed: inject("seed"),
  operationCount: isSlow ? 40 : 12,
  exhaustiveStateCount: isSlow ? 6 ** 5 : 60,
  randomStateCount: isSlow ? 4096 : 24,
}

/** Every state is read completely. */
const fewer = { seed: limits.seed, exhaustiveStateCount: isSlow ? 2000 : 40, randomStateCount: isSlow ? 500 : 10 }

/** Blocks that share a sector of tags: written, flushed, and written again beside each other and over each other. */
const neighbours: CrashWorkload = async (device, step) => {
  const random = seededRandom(limits.seed, "neighbours")
  const write = (first: number, count: number) => {
    const data = random.bytes(count * device.blockSize)
    return step(`${count} blocks at block ${first}`, () => device.write(first * device.blockSize, data))
  }
  await write(4, 3)
  await step("flush", () => device.flush())
  await settleAll([write(8, 2), write(9, 4)])
  await step("zeroes", () => device.writeZeroes(4 * device.blockSize, device.blockSize))
  await step("flush", () => device.flush())
  await write(20, 9)
}

const STACKS: [name: string, create: CreateSeededStack][] = [
  ["linear", linear(32 * 1024)],
  ["linear over blocks of 4096", linear(64 * 1024, 4096)],
  ["striped over three media", striped],
  ["a mirror", mirror],
  ["crypt aes-xts-plain64", crypt("aes-xts-plain64", 64)],
  ["crypt aes-xts-plain64, sectors of 4096", crypt("aes-xts-plain64", 64, { sectorSize: 4096 })],
  ["crypt aes-cbc-essiv:sha256", crypt("aes-cbc-essiv:sha256", 32)],
  ["crypt aes-cbc-plain64, sectors of 2048", crypt("aes-cbc-plain64", 16, { sectorSize: 2048 })],
  ["AEAD over tagged blocks", aead],
  ["a table of three ranges", table],
]

it.each(STACKS)("%s keeps its promise in every crash state", async (name, create) => {
  const report = await keepReplay({ name: `crash ${name}` }, () => exploreCrashes({ ...limits, create }))
  console.log(printCrashReport(name, report))
  expect(report.stateCount).toBeGreaterThan(20)
})

/** What was flushed or written since, whole, or unreadable: never anything else. Tells which blocks are unreadable. */
const neverWrong =
  (onUnreadable: (isSettled: boolean) => void): CrashInvariant =>
  async (device: BlockDevice, { expectation }) => {
    const { blockSize, size } = device
    const content = new Uint8Array(size)
    const bad = await readAround(device, 0, content)
    const unsettled = expectation.unsettledRuns()
    for (let block = 0; block < size / blockSize; block++) {
      const offset = block * blockSize
      if (bad.some((range) => range.offset <= offset && offset < range.offset + range.length)) {
        onUnreadable(!unsettled.some((run) => run.firstBlock <= block && block < run.firstBlock + run.blockCount))
      } else if (!expectation.isWhole(block, content.subarray(offset, offset + blockSize))) {
        return `block ${block} is readable and wrong`
      }
    }
    return undefined
  }

/** Which blocks some state makes unreadable: those that were being written, and those that nobody has written since. */
const AUTHENTIC: [name: string, create: CreateSeededStack, onSectors: string[], onNothing: string[]][] = [
  // Over media that tear everything, the sector of tags holds those of blocks that were flushed long before.
  ["integrity D, blocks of 512", integrity(512), ["unsettled"], ["settled", "unsettled"]],
  ["integrity D, blocks of 1024", integrity(1024), ["unsettled"], ["settled", "unsettled"]],
  ["AEAD over integrity D", aeadOverIntegrity, ["unsettled"], ["settled", "unsettled"]],
  ["AEAD over tagged blocks", aead, [], ["unsettled"]],
]

it.each(AUTHENTIC)("%s: what is readable is never wrong", async (name, create, onSectors, onNothing) => {
  for (const [atomicSize, expected] of [
    [512, onSectors],
    [0, onNothing],
  ] as const) {
    const counts = { settled: 0, unsettled: 0 }
    const invariant = neverWrong((isSettled) => counts[isSettled ? "settled" : "unsettled"]++)
    const options = { ...fewer, workload: neighbours, invariant, create, atomicSizes: [atomicSize] }
    const report = await keepReplay({ name: `crash ${name}` }, () => exploreCrashes(options))
    console.log(printCrashReport(`${name}, atomic ${atomicSize}`, report), "unreadable blocks:", counts)
    expect(Object.keys(counts).filter((key) => counts[key as keyof typeof counts] > 0)).toEqual(expected)
  }
})

it("integrity D over sectors that no crash tears passes what the contract asks", async () => {
  const report = await exploreCrashes({ ...limits, atomicSizes: [512], create: integrity() })
  console.log(printCrashReport("integrity D, default invariant", report))
  expect(report.unreadableStateCount).toBeGreaterThan(0)
})

it("a mirror of journaled volumes has no block that is unreadable, or older than what was flushed", async () => {
  const options = {
    ...{ seed: limits.seed, create: mirrorOfJournals, atomicSizes: [512] as const },
    operationCount: isSlow ? 24 : 8,
    exhaustiveStateCount: isSlow ? 1000 : 20,
    randomStateCount: isSlow ? 200 : 4,
    // Openings write to both legs: each has thousands of states of its own.
    recoveryShare: 1 / 128,
  }
  const report = await keepReplay({ name: "crash mirror of journals" }, () => exploreCrashes(options))
  console.log(printCrashReport("a mirror of journaled volumes", report))
  expect(report.unreadableStateCount).toBe(0)
  if (isSlow) expect(report.recoveryStateCount).toBeGreaterThan(0)
})
