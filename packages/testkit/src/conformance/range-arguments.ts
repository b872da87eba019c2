import type { BlockDevice } from "@blockstrata/device"
import { assertMisuse } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import type { Subject } from "./subject.ts"

/** One kind of request, by offset and length. */
type Request = (device: BlockDevice, offset: number, length: number) => Promise<unknown>

/** Requests with a buffer, whose length is always a whole number; and requests that take the length as a number. */
const BUFFER_REQUESTS: Readonly<Record<string, Request>> = {
  read: (device, offset, length) => device.read(offset, new Uint8Array(length)),
  write: (device, offset, length) => device.write(offset, new Uint8Array(length)),
}
export const LENGTH_REQUESTS: Readonly<Record<string, Request>> = {
  discard: (device, offset, length) => device.discard(offset, length),
  writeZeroes: (device, offset, length) => device.writeZeroes(offset, length),
  blockStatus: (device, offset, length) => device.blockStatus(offset, length),
}
export const rangeArguments: CaseGroup = {
  name: "misuse of ranges rejects and never throws",
  cases: [
    { name: "an offset that is not a multiple of the block size", run: unalignedOffset },
    { name: "a length that is not a multiple of the block size", run: unalignedLength },
    { name: "a range beyond the end", run: beyondEnd },
    { name: "a negative offset or length", run: negative },
  ],
}

/** Every request that the device states refuses every one of the ranges. */
export async function refuses(
  subject: Subject,
  requests: Readonly<Record<string, Request>>,
  ranges: readonly (readonly [offset: unknown, length: unknown])[],
  classes: readonly (typeof RangeError | typeof TypeError)[],
): Promise<void> {
  const { device } = subject
  for (const [name, request] of Object.entries(requests)) {
    if (!device.features.write && (name === "write" || name === "writeZeroes")) continue
    if (!device.features.discard && name === "discard") continue
    for (const [offset, length] of ranges) {
      const what = `${name}(${String(offset)}, ${String(length)})`
      await assertMisuse(() => request(device, offset as number, length as number), classes, what)
    }
  }
}

export const ALL_REQUESTS: Readonly<Record<string, Request>> = { ...BUFFER_REQUESTS, ...LENGTH_REQUESTS }

function unalignedOffset(subject: Subject): Promise<void> {
  const { blockSize } = subject.device
  const offsets = [1, blockSize / 2, blockSize - 1, blockSize + 1]
  return refuses(
    subject,
    ALL_REQUESTS,
    offsets.map((offset) => [offset, blockSize]),
    [RangeError],
  )
}

function unalignedLength(subject: Subject): Promise<void> {
  const { blockSize } = subject.device
  const lengths = [1, blockSize / 2, blockSize - 1, blockSize + 1]
  return refuses(
    subject,
    ALL_REQUESTS,
    lengths.map((length) => [0, length]),
    [RangeError],
  )
}

async function beyondEnd(subject: Subject): Promise<void> {
  const { size, blockSize } = subject.device
  const last = Number.MAX_SAFE_INTEGER + 1 - blockSize
  await refuses(
    subject,
    ALL_REQUESTS,
    [
      [size, blockSize],
      [size - blockSize, 2 * blockSize],
    ],
    [RangeError],
  )
  await refuses(
    subject,
    ALL_REQUESTS,
    [
      [size + blockSize, 0],
      [last, blockSize],
      [2 ** 60, blockSize],
    ],
    [RangeError],
  )
  await refuses(
    subject,
    LENGTH_REQUESTS,
    [
      [0, size + blockSize],
      [0, last],
      [last, last],
    ],
    [RangeError],
  )
}

async function negative(subject: Subject): Promise<void> {
  const { blockSize } = subject.device
  await refuses(
    subject,
    ALL_REQUESTS,
    [
      [-blockSize, blockSize],
      [-blockSize, 0],
      [-1, blockSize],
    ],
    [RangeError],
  )
  await refuses(
    subject,
    LENGTH_REQUESTS,
    [
      [0, -blockSize],
      [2 * blockSize, -blockSize],
    ],
    [RangeError],
  )
}
