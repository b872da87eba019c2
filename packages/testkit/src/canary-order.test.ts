import { type BlockDevice, type DeviceImplementation, defineDevice, memoryDevice, settleAll } from "@blockstrata/device"
import { expect, it } from "vitest"
import { testBlockDevice } from "./conformance/conformance-suite.ts"
import { pause } from "./probe.ts"
import { recordingRunner } from "./runner.ts"

const BLOCK = 512

/** A right device over `lower`, but for what `wrong` says. */
function passThrough(lower: BlockDevice, wrong: Partial<DeviceImplementation>): BlockDevice {
  const { size, blockSize, tagSize, features, read, write, flush, discard, writeZeroes, blockStatus } = lower
  return defineDevice({
    ...{ name: "wrong", size, blockSize, tagSize, features, read, write, flush, discard, writeZeroes, blockStatus },
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    ...wrong,
  })
}

/** The two halves of a request, of which neither is empty unless it is one block. */
function halves(offset: number, bytes: Uint8Array): { offset: number; bytes: Uint8Array }[] {
  const middle = Math.ceil(bytes.length / BLOCK / 2) * BLOCK
  return [
    { offset, bytes: bytes.subarray(0, middle) },
    { offset: offset + middle, bytes: bytes.subarray(middle) },
  ]
}

/** Both halves at once, and no longer patience for the second than until the first fails. */
async function impatient(
  offset: number,
  bytes: Uint8Array,
  transfer: (offset: number, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const parts = halves(offset, bytes).map((half) => transfer(half.offset, half.bytes))
  for (const part of parts) part.catch(() => {})
  for (const part of parts) await part
}

/** Writes by reading, changing and writing back four blocks, without a lock. */
async function readModifyWrite(lower: BlockDevice, offset: number, data: Uint8Array): Promise<void> {
  const unit = 4 * BLOCK
  for (let at = offset - (offset % unit); at < offset + data.length; at += unit) {
    const block = new Uint8Array(unit)
    await lower.read(at, block)
    const from = Math.max(at, offset)
    block.set(data.subarray(from - offset, at + unit - offset), from - at)
    await pause(1)
    await lower.write(at, block)
  }
}

/** Half a block is written, then the other half. */
async function torn(lower: BlockDevice, offset: number, data: Uint8Array): Promise<void> {
  const old = new Uint8Array(data.length)
  await lower.read(offset, old)
  for (let start = 0; start < data.length; start += BLOCK) old.set(data.subarray(start, start + BLOCK / 2), start)
  await lower.write(offset, old)
  await pause(3)
  await lower.read(offset, old)
  for (let start = 0; start < data.length; start += BLOCK)
    old.set(data.subarray(start + BLOCK / 2, start + BLOCK), start + BLOCK / 2)
  await lower.write(offset, old)
}

const features = { write: true, writeZeroes: true, discard: true, atomicSize: BLOCK }

/** Data below, tags beside it, one after the other; right only if ordered. */
function dataThenTags(lower: BlockDevice, ordered: boolean): BlockDevice {
  const own = new Map<number, Uint8Array>()
  return passThrough(lower, {
    ordered,
    tagSize: 4,
    features: { write: true },
    async read(offset, buffer, wanted) {
      await lower.read(offset, buffer)
      await pause(2)
      for (let index = 0; wanted && index < buffer.length / BLOCK; index++)
        wanted.set(own.get(offset + index * BLOCK) ?? new Uint8Array(4), index * 4)
    },
    async write(offset, data, { tags: given }) {
      await lower.write(offset, data)
      await pause(data.length / BLOCK)
      for (let index = 0; given && index < data.length / BLOCK; index++)
        own.set(offset + index * BLOCK, given.slice(index * 4, index * 4 + 4))
    },
  })
}

function writeBehind(lower: BlockDevice): BlockDevice {
  return passThrough(lower, {
    async write(offset, data) {
      const copy = data.slice()
      void pause(20)
        .then(() => lower.write(offset, copy))
        .catch(() => {})
    },
  })
}

const defects: [defect: string, group: string, make: (lower: BlockDevice) => BlockDevice][] = [
  [
    "a torn read-modify-write",
    "concurrency",
    (lower) => passThrough(lower, { write: (offset, data) => torn(lower, offset, data) }),
  ],
  [
    "a lost update of a neighbour",
    "many requests in flight",
    (lower) => passThrough(lower, { write: (offset, data) => readModifyWrite(lower, offset, data) }),
  ],
  ["data and tag of different writes", "concurrency of tags", (lower) => dataThenTags(lower, false)],
  ["a write that lands after it settled", "transfer", writeBehind],
  [
    "a read during a write fails",
    "concurrency",
    (lower) => {
      let isWriting = false
      return passThrough(lower, {
        read: async (offset, buffer) => (isWriting ? Promise.reject(new Error("busy")) : lower.read(offset, buffer)),
        async write(offset, data) {
          isWriting = true
          await lower.write(offset, data).finally(() => {
            isWriting = false
          })
        },
      })
    },
  ],
  [
    "a part lands after the rejection of a read",
    "failures below",
    (lower) =>
      passThrough(lower, {
        read: (offset, buffer) => impatient(offset, buffer, (at, half) => lower.read(at, half)),
      }),
  ],
  [
    "a part lands after the rejection of a write",
    "failures below",
    (lower) =>
      passThrough(lower, {
        write: (offset, data) => impatient(offset, data, (at, half) => lower.write(at, half)),
      }),
  ],
  [
    "a failed read is answered by what is there",
    "failures below",
    (lower) => passThrough(lower, { read: (offset, buffer) => lower.read(offset, buffer).catch(() => {}) }),
  ],
  [
    "a failed write is swallowed",
    "failed writes",
    (lower) => passThrough(lower, { write: (offset, data) => lower.write(offset, data).catch(() => {}) }),
  ],
  [
    "a failed flush is swallowed",
    "failures below",
    (lower) => passThrough(lower, { flush: () => lower.flush().catch(() => {}) }),
  ],
  [
    "a failed read leaves its buffer",
    "failures below",
    (lower) => {
      const right = passThrough(lower, {})
      return {
        ...right,
        read: (offset, buffer) =>
          right.read(offset, buffer).catch((error: unknown) => Promise.reject(buffer.fill(7) && error)),
      }
    },
  ],
  [
    "errors in the coordinates of the lower",
    "failures below",
    (lower) => ({ ...passThrough(lower, {}), read: lower.read }),
  ],
  [
    "a failed write tears blocks",
    "failed writes",
    (lower) => passThrough(lower, { features, write: (offset, data) => torn(lower, offset, data) }),
  ],
  ["flush is not passed down", "durability", (lower) => passThrough(lower, { flush: async () => {} })],
  [
    "fua is stated and dropped",
    "durability",
    (lower) => passThrough(lower, { write: (offset, data) => lower.write(offset, data) }),
  ],
  [
    "flush goes down before the writes",
    "durability",
    (lower) =>
      passThrough(lower, {
        features,
        async write(offset, data) {
          await lower.flush()
          await lower.write(offset, data)
        },
        flush: async () => {},
      }),
  ],
  ["close leaves the lowers open", "closing", (lower) => passThrough(lower, { ownsLowers: false })],
  [
    "requests are accepted after close",
    "closing",
    (lower) => {
      const right = passThrough(lower, { ownsLowers: false })
      return { ...right, read: (offset, buffer) => lower.read(offset, buffer) }
    },
  ],
  ["close does not wait", "closing", (lower) => ({ ...passThrough(lower, {}), close: async () => {} })],
  [
    "a second close rejects",
    "closing",
    (lower) => {
      const right = passThrough(lower, {})
      let isClosed = false
      const close = () => (isClosed ? Promise.reject(new Error("closed")) : ((isClosed = true), right.close()))
      return { ...right, close, [Symbol.asyncDispose]: close }
    },
  ],
]

async function failuresOf(make: (lower: BlockDevice) => BlockDevice): Promise<string[]> {
  const runner = recordingRunner()
  testBlockDevice({ name: "device", runner, create: ({ base }) => make(base(memoryDevice({ size: 64 * 1024 }))) })
  return (await runner.run()).filter(({ outcome }) => outcome === "failed").map(({ name }) => name)
}

it.each(defects)("%s: seen", async (_defect, group, make) => {
  expect((await failuresOf(make)).filter((name) => name.includes(`> ${group} >`))).not.toEqual([])
})

it("the devices that they are made of are right", async () => {
  expect(await failuresOf((lower) => passThrough(lower, {}))).toEqual([])
  expect(await failuresOf((lower) => dataThenTags(lower, true))).toEqual([])
  const inParts = (lower: BlockDevice) =>
    passThrough(lower, {
      read: (offset, buffer) => settleAll(halves(offset, buffer).map((half) => lower.read(half.offset, half.bytes))),
      write: (offset, data, { fua }) =>
        settleAll(halves(offset, data).map((half) => lower.write(half.offset, half.bytes, { fua }))),
    })
  expect(await failuresOf(inParts)).toEqual([])
})
