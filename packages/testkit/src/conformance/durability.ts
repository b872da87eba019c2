import { assert } from "../assertion.ts"
import type { BaseRequest, Probe } from "../probe.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { fill, needKept, needProbe, type Subject, tail } from "./subject.ts"

export const durability: CaseGroup = {
  name: "durability",
  cases: [
    { name: "a flush reaches every base device that was written", run: flushReaches },
    { name: "a write with fua is durable when it settles", run: fuaWrite },
    { name: "writeZeroes with fua is durable when it settles", run: fuaZeroes },
    { name: "a flush after a discard reaches the base devices", run: flushAfterDiscard },
    { name: "close flushes what was written", run: closeFlushes },
    { name: "flush may be repeated, and called with nothing to do", run: repeated },
  ],
}

const CHANGES: readonly BaseRequest["operation"][] = ["write", "writeZeroes", "discard"]

function needAll(subject: Subject): void {
  needProbe(subject)
  needKept(subject)
}

/** Every change that reached a base device went with `fua`, or was followed by a flush of that device. */
function assertDurable({ requests }: Probe, from: number, what: string): void {
  const changes = requests.slice(from).filter(({ operation }) => CHANGES.includes(operation))
  need(changes.length > 0, "changes nothing below")
  for (const change of changes) {
    const { base, operation, offset, fua, settledAt = Number.POSITIVE_INFINITY } = change
    const isFlushed = requests.some(
      (other) =>
        other.base === base &&
        other.operation === "flush" &&
        other.issuedAt > settledAt &&
        other.settledAt !== undefined,
    )
    assert(fua || isFlushed, `${what}: no flush followed the ${operation} at ${offset} below`)
  }
}

async function flushReaches(subject: Subject): Promise<void> {
  needAll(subject)
  const { device, probe } = subject
  const { offset, length } = tail(device, 64)
  const from = probe.requests.length
  await fill(subject, offset, length)
  await fill(subject, 0, device.blockSize)
  await device.writeZeroes(0, device.blockSize)
  await device.flush()
  assertDurable(probe, from, "flush")
}

async function fuaWrite(subject: Subject): Promise<void> {
  needAll(subject)
  const { device, probe, random } = subject
  const { offset, length } = tail(device, 8)
  const from = probe.requests.length
  await device.write(offset, random.bytes(length), { fua: true })
  assertDurable(probe, from, "fua")
}

async function fuaZeroes(subject: Subject): Promise<void> {
  needAll(subject)
  const { device, probe } = subject
  const { offset, length } = tail(device, 8)
  for (const mayDiscard of [false, true]) {
    await fill(subject, offset, length)
    await device.flush()
    const from = probe.requests.length
    await device.writeZeroes(offset, length, { fua: true, mayDiscard })
    assertDurable(probe, from, "fua")
  }
}

async function flushAfterDiscard(subject: Subject): Promise<void> {
  needAll(subject)
  const { device, probe } = subject
  need(device.features.discard, "no discard")
  const { offset, length } = tail(device, 8)
  await fill(subject, offset, length)
  await device.flush()
  const from = probe.requests.length
  await device.discard(offset, length)
  await device.flush()
  assertDurable(probe, from, "flush")
}

async function closeFlushes(subject: Subject): Promise<void> {
  needAll(subject)
  const { device, probe } = subject
  const { offset, length } = tail(device, 8)
  const from = probe.requests.length
  await fill(subject, offset, length)
  await device.close()
  assertDurable(probe, from, "close")
}

async function repeated(subject: Subject): Promise<void> {
  const { device } = subject
  await device.flush()
  await fill(subject, 0, device.blockSize)
  for (let round = 0; round < 3; round++) await device.flush()
  await Promise.allSettled([device.flush(), device.flush()])
  await device.flush()
}
