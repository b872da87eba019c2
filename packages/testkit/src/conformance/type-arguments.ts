import { assertMisuse } from "../assertion.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { ALL_REQUESTS, LENGTH_REQUESTS, refuses } from "./range-arguments.ts"
import { assertReads, fill, type Subject, tail } from "./subject.ts"

const NOT_A_NUMBER: readonly unknown[] = ["0", 0n, null, undefined, {}, true]
const NOT_BYTES: readonly unknown[] = [
  undefined,
  null,
  512,
  "bytes",
  [0, 0],
  new ArrayBuffer(512),
  new Uint16Array(256),
  new DataView(new ArrayBuffer(512)),
]

export const typeArguments: CaseGroup = {
  name: "misuse of types rejects and never throws",
  cases: [
    { name: "an offset or length that is no whole number", run: notWhole },
    { name: "an offset or length of another type", run: wrongType },
    { name: "a buffer that is no Uint8Array", run: notBytes },
    { name: "tags of another length or type", run: wrongTags },
    { name: "refused requests change nothing", run: changesNothing },
  ],
}

async function notWhole(subject: Subject): Promise<void> {
  const { blockSize } = subject.device
  const numbers = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0.5,
    blockSize + 0.5,
    Number.MIN_VALUE,
  ]
  await refuses(
    subject,
    ALL_REQUESTS,
    numbers.map((offset) => [offset, blockSize]),
    [RangeError, TypeError],
  )
  await refuses(
    subject,
    LENGTH_REQUESTS,
    numbers.map((length) => [0, length]),
    [RangeError, TypeError],
  )
}

async function wrongType(subject: Subject): Promise<void> {
  const { blockSize } = subject.device
  await refuses(
    subject,
    ALL_REQUESTS,
    NOT_A_NUMBER.map((offset) => [offset, blockSize]),
    [TypeError],
  )
  await refuses(
    subject,
    LENGTH_REQUESTS,
    NOT_A_NUMBER.map((length) => [0, length]),
    [TypeError],
  )
}

async function notBytes({ device }: Subject): Promise<void> {
  for (const [index, value] of NOT_BYTES.entries()) {
    const bytes = value as Uint8Array
    await assertMisuse(() => device.read(0, bytes), [TypeError], `read into value ${index}`)
    if (device.features.write) await assertMisuse(() => device.write(0, bytes), [TypeError], `write of value ${index}`)
  }
}

async function wrongTags({ device }: Subject): Promise<void> {
  const { blockSize, tagSize } = device
  const twoBlocks = new Uint8Array(2 * blockSize)
  const wrong: [tags: unknown, kind: typeof RangeError | typeof TypeError][] = [
    [new Uint8Array(2 * tagSize + 1), RangeError],
    [new Uint8Array(3 * tagSize + 3), RangeError],
    ["tags", TypeError],
    [[0, 0], TypeError],
  ]
  if (tagSize > 0) wrong.push([new Uint8Array(tagSize), RangeError], [new Uint8Array(0), RangeError])
  for (const [value, kind] of wrong) {
    const tags = value as Uint8Array
    await assertMisuse(() => device.read(0, twoBlocks, tags), [kind], `read with tags ${String(tags)}`)
    if (!device.features.write) continue
    await assertMisuse(() => device.write(0, twoBlocks, { tags }), [kind], `write with tags ${String(tags)}`)
  }
}

async function changesNothing(subject: Subject): Promise<void> {
  const { device, random } = subject
  need(device.features.write, "read-only")
  const { blockSize, size } = device
  const { offset, length } = tail(device, 8)
  const expected = await fill(subject, offset, length)
  await assertMisuse(
    () => device.write(size - blockSize, random.bytes(2 * blockSize)),
    [RangeError],
    "write past the end",
  )
  await assertMisuse(() => device.write(offset + 1, random.bytes(blockSize)), [RangeError], "unaligned write")
  await assertMisuse(() => device.write(offset, random.bytes(blockSize + 1)), [RangeError], "unaligned length")
  await assertMisuse(() => device.writeZeroes(size - blockSize, 2 * blockSize), [RangeError], "zeroes past the end")
  await assertReads(device, offset, expected, "after refused requests")
}
