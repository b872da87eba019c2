import { assertSame, settle } from "../assertion.ts"
import { failNth } from "../probe.ts"
import { findSecret } from "../secret-search.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { fill, type Subject, tail } from "./subject.ts"

export const secrets: CaseGroup = {
  name: "secrets",
  cases: [
    { name: "none in the device, its layers and their status", run: inDevice },
    { name: "none in its errors", run: inErrors },
    { name: "none after close", run: afterClose },
  ],
}

function secretsOf({ options }: Subject): readonly Uint8Array[] {
  const given = options.secrets ?? []
  need(given.length > 0, "no secrets given")
  return given
}

/** What people print: the object, its JSON, its text, the status of every layer. */
function views({ device }: Subject): unknown {
  const statuses = [device, ...device.layer.lowers.map((lower) => lower.device)].map((one) => one.layer.status())
  return {
    device,
    statuses,
    json: JSON.stringify(device),
    text: String(device),
    methods: Object.values(device).map(String),
  }
}

async function inDevice(subject: Subject): Promise<void> {
  const hidden = secretsOf(subject)
  const { offset, length } = tail(subject.device, 8)
  assertSame(findSecret(views(subject), hidden), undefined, "place of a secret")
  await subject.device.read(offset, new Uint8Array((await fill(subject, offset, length)).length))
  assertSame(findSecret(views(subject), hidden), undefined, "place of a secret after requests")
}

async function inErrors(subject: Subject): Promise<void> {
  const hidden = secretsOf(subject)
  const { device, probe } = subject
  const { blockSize } = device
  await fill(subject, 0, blockSize)
  const requests: (() => Promise<unknown>)[] = [
    () => device.read(1, new Uint8Array(blockSize)),
    () => device.read(0, new Uint8Array(1)),
    () => device.discard(0, blockSize),
    () => device.write(device.size, new Uint8Array(blockSize)),
    () => device.read(0, new Uint8Array(blockSize)),
    () => device.write(0, new Uint8Array(blockSize)),
    () => device.flush(),
  ]
  const errors: unknown[] = []
  const collect = async (): Promise<void> => {
    for (const request of requests) {
      const outcome = await settle(request, "request")
      if (outcome.kind === "rejected") errors.push(outcome.error)
    }
  }
  for (const operation of ["read", "write", "flush"] as const) {
    failNth(probe, operation, 1)
    await collect()
    probe.intercept = undefined
  }
  await device.close().catch((error: unknown) => errors.push(error))
  await collect()
  assertSame(findSecret(errors, hidden), undefined, "place of a secret in errors")
}

async function afterClose(subject: Subject): Promise<void> {
  const hidden = secretsOf(subject)
  await subject.device.close()
  assertSame(findSecret(views(subject), hidden), undefined, "place of a secret after close")
}
