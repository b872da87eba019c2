import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { memoryDevice } from "@blockstrata/device"
import { readWriteLog, replayWriteLog } from "@blockstrata/targets/faults"
import { expect, test } from "vitest"
import { KEPT_RUN, LOG_SIZE, mediumBefore, runHere } from "./logged-steps.ts"

/** Written by dm-log-writes of Linux 6.1 for the steps of `KEPT_RUN`; zeroes after its end are left out. */
const kept = gunzipSync(readFileSync(new URL("kernel-write-log.gz", import.meta.url)))
const kernelLog = (): Uint8Array => {
  const log = new Uint8Array(LOG_SIZE)
  log.set(kept)
  return log
}

test("the log that Linux wrote is written here for the same requests, byte for byte", async () => {
  expect(Buffer.compare((await runHere(KEPT_RUN)).log, kernelLog())).toBe(0)
})

test("it is read, entry by entry", async () => {
  const kinds = new Map<string, number>()
  for await (const { isFlush, isFua, isDiscard, data, length, mark } of readWriteLog(
    memoryDevice({ bytes: kernelLog() }),
  )) {
    const kind = mark !== undefined ? "mark" : isFlush ? "flush" : isFua ? "fua" : isDiscard ? "discard" : "write"
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    expect(data?.length ?? 0).toBe(isDiscard ? 0 : length)
  }
  const count = (kind: string) => KEPT_RUN.steps.filter((step) => step.kind === kind).length
  const expected = { write: count("write"), fua: count("fua"), discard: count("discard"), mark: count("mark") + 1 }
  // Each FUA step is followed by a flush, and so is the end.
  expect(Object.fromEntries(kinds)).toEqual({ ...expected, flush: count("flush") + count("fua") + 1 })
})

test("replayed, it gives what the kernel's device held", async () => {
  const replayed = mediumBefore()
  await replayWriteLog(memoryDevice({ bytes: kernelLog() }), memoryDevice({ bytes: replayed }))
  expect(Buffer.compare(replayed, (await runHere(KEPT_RUN)).medium)).toBe(0)
})
