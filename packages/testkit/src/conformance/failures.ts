import type { BlockError } from "@blockstrata/device"
import { assert, assertBlockError, assertBytes, assertSame, assertZeroes, type Outcome, settle } from "../assertion.ts"
import { type BaseRequest, failNth, holdAll, pause } from "../probe.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { assertReads, fill, needKept, needProbe, POISON, type Subject, tail } from "./subject.ts"

/** Long enough for everything that is ready above a probe to run. */
const TURN_COUNT = 300
/** The request of the case fails below at its first, second ... part. */
export const NTH_MAX = 3

export const failures: CaseGroup = {
  name: "failures below",
  cases: [
    { name: "a failed read rejects with its place and zeroes its buffers", run: failedRead },
    {
      name: "a failed read does not settle while a part of it is under way",
      run: (subject) => lateParts(subject, "read"),
    },
    {
      name: "a failed write does not settle while a part of it is under way",
      run: (subject) => lateParts(subject, "write"),
    },
    { name: "a flush that fails below does not resolve", run: failedFlush },
  ],
}

/** The error is in the coordinates of this device, inside the request. */
export function assertPlace(
  { device }: Subject,
  error: unknown,
  operation: string,
  start: number,
  length: number,
): BlockError {
  const failure = assertBlockError(error, `failed ${operation}`)
  assertSame(failure.device, device.layer.name, "device of the error")
  assertSame(failure.operation, operation, "operation of the error")
  const { offset = Number.NaN, length: failedLength = Number.NaN } = failure
  const isInside = offset >= start && failedLength > 0 && offset + failedLength <= start + length
  assert(isInside, `place of the error: expected within ${start} + ${length}, got ${offset} + ${failedLength}`)
  assertSame(offset % device.blockSize, 0, "offset of the error modulo block size")
  assertSame(failedLength % device.blockSize, 0, "length of the error modulo block size")
  return failure
}

async function failedRead(subject: Subject): Promise<void> {
  needProbe(subject)
  const { device, probe } = subject
  const { offset, length } = tail(device, 32)
  const expected = await fill(subject, offset, length)
  for (let nth = 1; nth <= NTH_MAX; nth++) {
    const buffer = new Uint8Array(length).fill(POISON)
    const tags = new Uint8Array((length / device.blockSize) * device.tagSize).fill(POISON)
    const failed = failNth(probe, "read", nth)
    const outcome = await settle(() => device.read(offset, buffer, tags), "read")
    probe.intercept = undefined
    if (nth === 1) need(failed(), "reads nothing below")
    if (outcome.kind === "resolved")
      assertBytes(buffer, expected, `read ${failed() ? "around a failure" : "without one"}`)
    else assertFailedRead(subject, outcome.error, offset, buffer, tags)
    await assertReads(device, offset, expected, "read again")
  }
}

function assertFailedRead(
  subject: Subject,
  error: unknown,
  offset: number,
  buffer: Uint8Array,
  tags: Uint8Array,
): void {
  const failure = assertPlace(subject, error, "read", offset, buffer.length)
  assert(failure.cause !== undefined, "the error of the layer below is the cause")
  assertZeroes(buffer, "buffer of the failed read")
  assertZeroes(tags, "tags of the failed read")
}

/** The first part fails at once, the others are held: until they are let go, the request may not settle. */
async function lateParts(subject: Subject, operation: "read" | "write"): Promise<void> {
  needProbe(subject)
  if (operation === "write") needKept(subject)
  const { device, probe, random } = subject
  const { offset, length } = tail(device, 256)
  await fill(subject, offset, length)
  const buffer = operation === "read" ? new Uint8Array(length).fill(POISON) : random.bytes(length)
  const release = failFirst(subject, operation)
  let outcome: Outcome | undefined
  const request = settle(
    () => (operation === "read" ? device.read(offset, buffer) : device.write(offset, buffer)),
    operation,
  )
  const settled = request.then((result) => {
    outcome = result
  })
  await pause(TURN_COUNT)
  const isEarly = outcome !== undefined && probe.inFlightCount() > 0
  release()
  await settled
  await pause(TURN_COUNT)
  assert(!isEarly, `the ${operation} settled while a part of it was under way below`)
  if (operation === "read" && outcome?.kind === "rejected") assertZeroes(buffer, "buffer of the failed some time later")
}

function failFirst({ probe }: Subject, operation: BaseRequest["operation"]): () => void {
  const release = holdAll(probe, [operation])
  const hold = probe.intercept
  failNth(probe, operation, 1)
  const fail = probe.intercept
  // `fail` throws for the first, and says nothing of the others.
  probe.intercept = (request) => fail?.(request) ?? hold?.(request)
  return release
}

async function failedFlush(subject: Subject): Promise<void> {
  needProbe(subject)
  needKept(subject)
  const { device, probe } = subject
  await fill(subject, 0, device.blockSize)
  const failed = failNth(probe, "flush", 1)
  const outcome = await settle(() => device.flush(), "flush")
  probe.intercept = undefined
  need(failed(), "flushes nothing below")
  assert(outcome.kind === "rejected", "a flush failed below, and the flush above resolved")
  assertSame(assertBlockError(outcome.error, "failed flush").operation, "flush", "operation of the error")
}
