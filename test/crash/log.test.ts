import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  type CrashInvariant,
  type CrashProgress,
  CrashViolation,
  type CreateSeededStack,
  exploreLog,
  type LogEntry,
  printCrashReport,
  replayLog,
} from "@blockstrata/testkit"
import { keepReplay } from "@blockstrata/testkit/node"
import { expect, it } from "vitest"

const SIZE = 64 * 1024
const medium = { name: "logged", size: SIZE }
const create: CreateSeededStack = ({ medium: open }) => open(medium.name, { size: SIZE })

const entry = (more: Partial<LogEntry>): LogEntry => ({
  ...{ offset: 0, length: 0, isFlush: false, isFua: false, isDiscard: false },
  ...more,
})
const write = (offset: number, value: number, more: Partial<LogEntry> = {}): LogEntry =>
  entry({ offset, length: 1024, data: new Uint8Array(1024).fill(value), ...more })

/** A pointer at 0 says which of two places is the newest: it must never point at what is not there. */
const pointsAtWhole: CrashInvariant<CrashProgress> = async (device, { settled }) => {
  const pointer = new Uint8Array(512)
  await device.read(0, pointer)
  const version = pointer[0] as number
  const content = new Uint8Array(1024)
  if (version === 0) return settled.length > 0 ? `nothing, after ${settled.join()}` : undefined
  await device.read(version * 4096, content)
  if (settled.includes(`version ${version + 1}`)) return `version ${version}, after ${settled.join()}`
  return content.every((byte) => byte === version) ? undefined : `version ${version} is not whole`
}

const pointer = (version: number, more: Partial<LogEntry> = {}): LogEntry =>
  entry({ offset: 0, length: 512, data: new Uint8Array(512).fill(version), ...more })

const right: LogEntry[] = [
  write(4096, 1),
  entry({ isFlush: true }),
  pointer(1),
  entry({ isFlush: true }),
  entry({ mark: "version 1" }),
  write(8192, 2),
  pointer(2, { isFlush: true, isFua: true }),
  entry({ mark: "version 2" }),
  entry({ isDiscard: true, offset: 4096, length: 1024 }),
]
/** The same without the flush before the first pointer. */
const wrong = right.filter((_, index) => index !== 1)
const options = { medium, create, invariant: pointsAtWhole, followUp: false }

it("opens every state that a crash may have left of what somebody else wrote", async () => {
  const report = await exploreLog({ ...options, entries: right, atomicSizes: [512] })
  console.log(printCrashReport("a log", report))
  // Of each write of 1024 bytes 4, the first of them what stood there before; the pointers are old or new.
  expect(report.stateCount).toBe(4 + 1 + 4 + 1 + 4)
  expect(report.sampledEpochCount).toBe(0)
  // One pointer that is overwritten in place needs sectors that a crash leaves old or new.
  await expect(exploreLog({ ...options, entries: right, atomicSizes: [0] })).rejects.toMatchObject({
    problem: "nothing, after version 1",
  })
})

it("finds the missing flush, writes the replay to a file, and comes back to it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "replays-"))
  try {
    const run = keepReplay({ name: "log: a test", folder }, () => exploreLog({ ...options, entries: wrong }))
    await expect(run).rejects.toBeInstanceOf(CrashViolation)
    await expect(run).rejects.toThrow(`replay: ${join(folder, "log-a-test-")}`)
    const [file] = readdirSync(folder)
    const replay = readFileSync(join(folder, file as string), "utf8")
    await expect(replayLog({ ...options, entries: wrong, replay })).rejects.toMatchObject({
      problem: "version 1 is not whole",
    })
    // The log that is right has no such state.
    await expect(replayLog({ ...options, entries: right, replay })).rejects.toBeInstanceOf(RangeError)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it("asks for what a mark says, at once", async () => {
  const early = [entry({ mark: "version 1" }), ...right]
  await expect(exploreLog({ ...options, entries: early })).rejects.toMatchObject({
    problem: "nothing, after version 1",
  })
})

it("refuses entries that are none of the medium", async () => {
  for (const bad of [write(SIZE, 1), entry({ length: 512 }), entry({ length: 512, data: new Uint8Array(5) })]) {
    await expect(exploreLog({ ...options, entries: [bad] })).rejects.toBeInstanceOf(RangeError)
  }
})
