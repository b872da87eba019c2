import type { BlockDevice } from "@blockstrata/device"
import { assert, assertBytes, assertCode } from "../assertion.ts"
import { holdAll, pause } from "../probe.ts"
import type { CaseGroup } from "./conformance-case.ts"
import { allSettled, fill, jitter, needProbe, read, type Subject, tail } from "./subject.ts"

/** Long enough for everything that is ready above a probe to run. */
const TURN_COUNT = 300

export const closing: CaseGroup = {
  name: "closing",
  cases: [
    { name: "every request on a closed device rejects with CLOSED", run: closed },
    { name: "a refused write changes nothing", run: refusedWrite },
    { name: "close may be called again, also at the same time", run: idempotent },
    { name: "close waits for requests in flight, which end as ever", run: drains },
    { name: "close waits for what is under way below", run: waits },
    { name: "close closes the base devices", run: closesBases },
    { name: "await using closes", run: disposes },
  ],
}

async function assertClosed(device: BlockDevice): Promise<void> {
  const { blockSize } = device
  const requests: Readonly<Record<string, () => Promise<unknown>>> = {
    read: () => device.read(0, new Uint8Array(blockSize)),
    write: () => device.write(0, new Uint8Array(blockSize)),
    flush: () => device.flush(),
    discard: () => device.discard(0, blockSize),
    writeZeroes: () => device.writeZeroes(0, blockSize),
    blockStatus: () => device.blockStatus(0, blockSize),
  }
  for (const [name, request] of Object.entries(requests))
    await assertCode(request, "CLOSED", `${name} on a closed device`)
}

/** The same promise, whose failure may be looked at later. */
function watched<Result>(request: Promise<Result>): Promise<Result> {
  request.catch(() => {})
  return request
}

async function closed({ device }: Subject): Promise<void> {
  await device.close()
  await assertClosed(device)
}

async function refusedWrite(subject: Subject): Promise<void> {
  const { device, options, random } = subject
  const { offset, length } = tail(device, 8)
  const expected = await fill(subject, offset, length)
  await device.close()
  await assertCode(() => device.write(offset, random.bytes(length)), "CLOSED", "write")
  await assertCode(() => device.writeZeroes(offset, length), "CLOSED", "writeZeroes")
  if (!options.reopen) return
  const again = await options.reopen(device)
  try {
    assertBytes(await read(again, offset, length), expected, "after opening again")
  } finally {
    await again.close()
  }
}

async function idempotent({ device }: Subject): Promise<void> {
  await allSettled([device.close(), device.close()])
  await device.close()
  await assertClosed(device)
}

async function drains(subject: Subject): Promise<void> {
  const { device } = subject
  const { offset, length } = tail(device, 32)
  const { blockSize } = device
  const expected = await fill(subject, offset, length)
  jitter(subject)
  let settledCount = 0
  const requests: Promise<unknown>[] = []
  const started = (request: Promise<unknown>): void => {
    requests.push(
      watched(
        request.finally(() => {
          settledCount++
        }),
      ),
    )
  }
  for (let start = 0; start < length; start += blockSize) {
    const block = expected.subarray(start, start + blockSize)
    // Each block is read, or written with what it holds: whatever the order, the content is known.
    if (device.features.write && start % (2 * blockSize) === 0) started(device.write(offset + start, block))
    else
      started(
        read(device, offset + start, blockSize).then((actual) => assertBytes(actual, block, `block ${offset + start}`)),
      )
  }
  const close = watched(device.close())
  await assertCode(() => device.read(offset, new Uint8Array(blockSize)), "CLOSED", "read after close was called")
  await close
  await pause(2)
  assert(settledCount === requests.length, `close resolved with ${requests.length - settledCount} requests in flight`)
  await allSettled(requests)
}

async function waits(subject: Subject): Promise<void> {
  needProbe(subject)
  const { device, probe } = subject
  const { offset, length } = tail(device, 8)
  const expected = await fill(subject, offset, length)
  const release = holdAll(probe, ["read"])
  const request = watched(read(device, offset, length))
  await pause(TURN_COUNT)
  let isClosed = false
  const close = watched(
    device.close().then(() => {
      isClosed = true
    }),
  )
  await pause(TURN_COUNT)
  const isEarly = isClosed && probe.inFlightCount() > 0
  release()
  await allSettled([request, close])
  assert(!isEarly, "close resolved while a request was under way below")
  assertBytes(await request, expected, "the read that was in flight")
}

async function closesBases(subject: Subject): Promise<void> {
  needProbe(subject)
  const { device, probe } = subject
  await device.close()
  for (const base of probe.bases) {
    const isClosed = probe.requests.some((request) => request.base === base && request.operation === "close")
    assert(isClosed, `close left the base device "${base.layer.name}" open`)
  }
}

async function disposes({ device }: Subject): Promise<void> {
  await device[Symbol.asyncDispose]()
  await assertClosed(device)
}
