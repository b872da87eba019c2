import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { memoryDevice } from "@blockstrata/device"
import { readWriteLog, type WriteLogEntry } from "@blockstrata/targets/faults"
import {
  type CrashExpectation,
  type CrashInvariant,
  type CrashProgress,
  CrashViolation,
  type CreateSeededStack,
  exploreLog,
  printCrashReport,
} from "@blockstrata/testkit"
import { expect, it } from "vitest"
import { BlockModel } from "../../packages/testkit/src/model/block-model.ts"
import { KEPT_RUN, LOG_SIZE, LOGGED_SIZE, mediumBefore, sourceData } from "../interop/logged-steps.ts"

const { blockSize, steps } = KEPT_RUN
const medium = { name: "logged", size: LOGGED_SIZE, blockSize, content: mediumBefore() }
const create: CreateSeededStack = (wish) => wish.medium("logged", { size: LOGGED_SIZE, blockSize })

/** The entries that dm-log-writes of Linux 6.1 wrote for the steps of `KEPT_RUN`. */
async function kernelEntries(): Promise<WriteLogEntry[]> {
  const log = new Uint8Array(LOG_SIZE)
  log.set(gunzipSync(readFileSync(new URL("../interop/kernel-write-log.gz", import.meta.url))))
  const entries: WriteLogEntry[] = []
  for await (const entry of readWriteLog(memoryDevice({ bytes: log }))) entries.push(entry)
  return entries
}

/** What the steps, not the log, permit after each of them: by how many marks were passed. */
function permitted(): CrashExpectation[][] {
  const [before, source, zeroes] = [mediumBefore(), sourceData(blockSize), new Uint8Array(blockSize)]
  const blockAt = (bytes: Uint8Array, block: number) => bytes.subarray(block * blockSize, (block + 1) * blockSize)
  const shape = { blockCount: LOGGED_SIZE / blockSize, blockSize, atomicSize: 512 }
  const model = new BlockModel(shape, (block) => blockAt(before, block))
  const byMarks: CrashExpectation[][] = [[model.expectation()]]
  for (const step of steps) {
    if (step.kind === "mark") byMarks.push([])
    else if (step.kind === "flush") model.flush().settled()
    else {
      const content = (index: number) => (step.kind === "discard" ? zeroes : blockAt(source, step.source + index))
      const change = model.change(
        step.at,
        Array.from({ length: step.count }, (_, index) => content(index)),
        step.kind === "fua",
      )
      byMarks.at(-1)?.push(model.expectation())
      change.settled()
    }
    byMarks.at(-1)?.push(model.expectation())
  }
  byMarks.push([model.expectation()])
  return byMarks
}

const byMarks = permitted()
/** Each block is what the steps permit at some place between the marks. */
const asTheStepsSay: CrashInvariant<CrashProgress> = async (device, { settled }) => {
  const expectations = byMarks[settled.length] ?? []
  for (const { firstBlock, blockCount } of expectations.flatMap((one) => one.unsettledRuns())) {
    const content = new Uint8Array(blockCount * blockSize)
    await device.read(firstBlock * blockSize, content)
    for (let index = 0; index < blockCount; index++) {
      const actual = content.subarray(index * blockSize, (index + 1) * blockSize)
      if (expectations.every((one) => one.problem(firstBlock + index, actual) !== undefined)) {
        return `block ${firstBlock + index}, after ${settled.length} marks, is none that the steps permit`
      }
    }
  }
  return undefined
}

const options = {
  ...{ medium, create, invariant: asTheStepsSay, atomicSizes: [512] as const, followUp: false },
  ...{ exhaustiveStateCount: 100, randomStateCount: 50 },
}

it("what a kernel logged has, in every crash state, what its steps permit", async () => {
  const report = await exploreLog({ ...options, entries: await kernelEntries() })
  console.log(printCrashReport("a log of Linux 6.1", report))
  expect(report.stateCount).toBeGreaterThan(300)
  expect(report.changeCount).toBe(steps.filter(({ kind }) => !["flush", "mark"].includes(kind)).length)
})

it("without the flushes of the kernel it has not", async () => {
  const entries = (await kernelEntries()).map((entry) => ({ ...entry, isFlush: false, isFua: false }))
  await expect(exploreLog({ ...options, entries })).rejects.toBeInstanceOf(CrashViolation)
})
