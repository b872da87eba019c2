import type { BlockDevice, Extent } from "@blockstrata/device"
import { assert, assertSame } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import { fill, type Run, randomRun, type Subject, tail } from "./subject.ts"

export const layer: CaseGroup = {
  name: "layer",
  cases: [
    { name: "it has a name, and lowers of different roles", run: named },
    { name: "its extents lie inside its lowers", run: extentsInside },
    { name: "extents of neighbours do not share data", run: extentsApart },
    { name: "its status is a flat record of texts and numbers", run: status },
  ],
}

/** The device and everything below it. */
function* stack(device: BlockDevice): Generator<BlockDevice> {
  yield device
  for (const lower of device.layer.lowers) yield* stack(lower.device)
}

async function named({ device }: Subject): Promise<void> {
  for (const { layer: one } of stack(device)) {
    assert(typeof one.name === "string" && one.name !== "", `name of a layer: expected a text, got ${String(one.name)}`)
    const roles = one.lowers.map(({ role }) => role)
    assert(
      roles.every((role) => typeof role === "string" && role !== ""),
      `roles below ${one.name}: expected texts, got ${roles.join(", ")}`,
    )
    assertSame(new Set(roles).size, roles.length, `different roles below ${one.name}, of ${roles.join(", ")}`)
  }
}

function assertInside({ layer: { name, lowers } }: BlockDevice, extents: readonly Extent[]): void {
  for (const { role, offset, length, kind = "data" } of extents) {
    const lower = lowers.find((one) => one.role === role)?.device
    const what = `${name}: extent ${role} ${offset} + ${length}`
    assert(lower !== undefined, `${what}: no lower has this role`)
    assert(Number.isSafeInteger(offset) && Number.isSafeInteger(length), `${what}: expected whole numbers`)
    assert(
      offset >= 0 && length > 0 && length <= lower.size - offset,
      `${what}: expected a range inside ${lower.size} bytes`,
    )
    assert(["data", "tag", "hash"].includes(kind), `${what}: expected data, tag or hash, got ${kind}`)
  }
}

async function extentsInside({ device, random }: Subject): Promise<void> {
  const whole = { offset: 0, length: device.size }
  const runs: Run[] = [{ offset: 0, length: device.blockSize }, tail(device, 1), tail(device, 4096)]
  for (let round = 0; round < 16; round++) runs.push(randomRun(random, whole, device.blockSize, 64))
  for (const { offset, length } of runs) assertInside(device, device.layer.extents(offset, length))
}

/** What holds one block holds no part of the next: all that is neither tag nor hash path belongs to one block. */
async function extentsApart(subject: Subject): Promise<void> {
  const { device } = subject
  const { offset, length } = tail(device, 16)
  const seen: Extent[] = []
  for (let start = offset; start < offset + length; start += device.blockSize) {
    const own = device.layer.extents(start, device.blockSize).filter(({ kind = "data" }) => kind === "data")
    for (const extent of own) {
      const shared = seen.find(
        (other) =>
          other.role === extent.role &&
          other.offset < extent.offset + extent.length &&
          extent.offset < other.offset + other.length,
      )
      assert(
        !shared,
        `block ${start} shares bytes ${extent.offset} + ${extent.length} of ${extent.role} with a block before it`,
      )
    }
    seen.push(...own)
  }
}

async function status(subject: Subject): Promise<void> {
  const { device } = subject
  const { offset, length } = tail(device, 8)
  const assertFlat = (): void => {
    for (const { layer: one } of stack(device)) {
      for (const [key, value] of Object.entries(one.status())) {
        const isFlat = typeof value === "string" || (typeof value === "number" && !Number.isNaN(value))
        assert(isFlat, `status of ${one.name}: ${key}: expected a text or number, got ${String(value)}`)
      }
    }
  }
  assertFlat()
  await device.read(offset, new Uint8Array((await fill(subject, offset, length)).length))
  assertFlat()
}
