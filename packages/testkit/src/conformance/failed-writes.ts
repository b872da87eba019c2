import { assert, assertBlockError, settle } from "../assertion.ts"
import { failNth } from "../probe.ts"
import type { CaseGroup } from "./conformance-case.ts"
import { assertPlace, NTH_MAX } from "./failures.ts"
import { assertOneOf, assertReads, fill, needKept, needProbe, read, type Subject, tail } from "./subject.ts"

export const failedWrites: CaseGroup = {
  name: "failed writes",
  cases: [{ name: "leave each block old or new", run: failedWrite }],
}

async function failedWrite(subject: Subject): Promise<void> {
  needProbe(subject)
  needKept(subject)
  const { device, probe, random } = subject
  const { offset, length } = tail(device, 32)
  for (let nth = 1; nth <= NTH_MAX; nth++) {
    const old = await fill(subject, offset, length)
    const data = random.bytes(length)
    const failed = failNth(probe, "write", nth)
    const outcome = await settle(() => device.write(offset, data), "write")
    probe.intercept = undefined
    if (outcome.kind === "resolved") {
      await assertReads(device, offset, data, `write ${failed() ? "around a failure" : "without one"}`)
      continue
    }
    assertPlace(subject, outcome.error, "write", offset, length)
    for (let start = 0; start < length; start += device.blockSize) {
      await assertOldOrNew(subject, offset + start, old.subarray(start), data.subarray(start))
    }
  }
}

async function assertOldOrNew({ device }: Subject, offset: number, old: Uint8Array, data: Uint8Array): Promise<void> {
  const { blockSize, features } = device
  let actual: Uint8Array | undefined
  const outcome = await settle(async () => {
    actual = await read(device, offset, blockSize)
  }, "read")
  if (actual !== undefined) {
    assertOneOf(actual, [old, data], blockSize, `block ${offset} after the failed write`)
  } else if (outcome.kind === "rejected") {
    assertBlockError(outcome.error, `block ${offset} after the failed write`)
    assert(
      features.atomicSize < blockSize,
      `block ${offset} is unreadable, though atomicSize is ${features.atomicSize}`,
    )
  }
}
