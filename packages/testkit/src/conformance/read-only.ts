import { assertCode, assertSame } from "../assertion.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { assertReads, fill, needProbe, type Subject, tail } from "./subject.ts"

export const readOnly: CaseGroup = {
  name: "read-only",
  cases: [
    { name: "write, writeZeroes and discard reject with READ_ONLY", run: refuses },
    { name: "flush resolves", run: flushes },
    { name: "nothing is written below, from opening to close", run: writesNothing },
  ],
}

function needReadOnly({ device }: Subject): void {
  need(!device.features.write, "writable")
}

async function refuses(subject: Subject): Promise<void> {
  needReadOnly(subject)
  const { device, random } = subject
  const { offset, length } = tail(device, 8)
  const expected = await fill(subject, offset, length)
  const tags = random.bytes((length / device.blockSize) * device.tagSize)
  await assertCode(() => device.write(offset, random.bytes(length)), "READ_ONLY", "write")
  await assertCode(
    () => device.write(offset, random.bytes(length), { tags, fua: true }),
    "READ_ONLY",
    "write with tags",
  )
  await assertCode(() => device.writeZeroes(offset, length), "READ_ONLY", "writeZeroes")
  await assertCode(
    () => device.writeZeroes(offset, length, { mayDiscard: true }),
    "READ_ONLY",
    "writeZeroes that may discard",
  )
  await assertCode(() => device.discard(offset, length), "READ_ONLY", "discard")
  await assertReads(device, offset, expected, "after the refusals")
}

async function flushes(subject: Subject): Promise<void> {
  needReadOnly(subject)
  await subject.device.flush()
  await subject.device.flush()
}

async function writesNothing(subject: Subject): Promise<void> {
  needReadOnly(subject)
  needProbe(subject)
  const { device, probe } = subject
  const { offset, length } = tail(device, 64)
  await assertReads(device, offset, await fill(subject, offset, length), "read-only")
  await device.flush()
  await device.close()
  const changes = probe.requests.filter(({ operation }) => !["read", "flush", "close"].includes(operation))
  assertSame(changes.map(({ operation, offset: at }) => `${operation} at ${at}`).join(", "), "", "changes below")
}
