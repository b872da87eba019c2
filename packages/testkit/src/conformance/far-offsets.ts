import { assertZeroes } from "../assertion.ts"
import { type CaseGroup, type ConformanceCase, need } from "./conformance-case.ts"
import { assertReads, fill, needKept, read, type Subject } from "./subject.ts"

const GIB = 1024 ** 3
const TIB = 1024 ** 4
/** Room for the end of a 4 TiB device to lie beyond the last boundary. */
const FAR_BYTES = 4 * TIB
const RUN_BLOCK_COUNT = 4

/** Where 31 and 32 bits of bytes, of 512-byte sectors and of 4 KiB blocks end. */
const BOUNDARIES: Readonly<Record<string, number>> = {
  "2^31": 2 * GIB,
  "2^32": 4 * GIB,
  "2^40": TIB,
  "2^41": 2 * TIB,
}

export const farOffsets: CaseGroup = {
  name: "far offsets",
  cases: [
    ...Object.entries(BOUNDARIES).map(
      ([name, boundary]): ConformanceCase => ({
        name: `both sides of ${name} bytes`,
        minimumSizeBytes: FAR_BYTES,
        run: (subject) => bothSides(subject, boundary),
      }),
    ),
    { name: "a write at 3 TiB appears nowhere below", minimumSizeBytes: FAR_BYTES, run: noAlias },
    { name: "the last blocks of a large device", minimumSizeBytes: FAR_BYTES, run: farEnd },
    { name: "zeroes written across 2^32 bytes", minimumSizeBytes: FAR_BYTES, run: farZeroes },
  ],
}

function needSize({ device }: Subject, sizeBytes: number): void {
  need(device.size >= sizeBytes, `create gives no device of ${sizeBytes} bytes`)
}

async function bothSides(subject: Subject, boundary: number): Promise<void> {
  const { device } = subject
  const length = RUN_BLOCK_COUNT * device.blockSize
  needSize(subject, boundary + length)
  const low = await fill(subject, 0, length)
  const across = await fill(subject, boundary - length / 2, length)
  await assertReads(device, boundary - length / 2, across, "across")
  await assertReads(device, boundary - length / 2, across.subarray(0, length / 2), "below")
  await assertReads(device, boundary, across.subarray(length / 2), "above")
  // One request may be mapped by its start alone: this one starts above.
  await assertReads(
    device,
    boundary + device.blockSize,
    across.subarray(length / 2 + device.blockSize),
    "one block above",
  )
  const above = await fill(subject, boundary + device.blockSize, device.blockSize)
  across.set(above, length / 2 + device.blockSize)
  await assertReads(device, boundary - length / 2, across, "across, after one block above was filled anew")
  await assertReads(device, 0, low, "the start of the device")
}

async function noAlias(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  const length = RUN_BLOCK_COUNT * device.blockSize
  const start = 3 * TIB + 16 * device.blockSize
  needSize(subject, start + length)
  // What is left of `start` if someone cuts it to 31, 32, 40 or 41 bits, in bytes or in sectors.
  const aliases = [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 41].map((modulus) => start % modulus)
  const places = [...new Set(aliases)]
  const below: Uint8Array[] = []
  for (const place of places) below.push(await fill(subject, place, length))
  const far = await fill(subject, start, length)
  for (const [index, place] of places.entries()) await assertReads(device, place, below[index] as Uint8Array, "below")
  await assertReads(device, start, far, "at 3 TiB")
}

async function farEnd(subject: Subject): Promise<void> {
  const { device } = subject
  const length = RUN_BLOCK_COUNT * device.blockSize
  needSize(subject, 4 * GIB + length)
  const expected = await fill(subject, device.size - length, length)
  await assertReads(device, device.size - length, expected, "the end")
  const last = expected.subarray(length - device.blockSize)
  await assertReads(device, device.size - device.blockSize, last, "the last block")
}

async function farZeroes(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  const { blockSize } = device
  const start = 4 * GIB - 2 * blockSize
  needSize(subject, start + 4 * blockSize)
  const model = await fill(subject, start, 4 * blockSize)
  const low = await fill(subject, 0, 2 * blockSize)
  await device.writeZeroes(start + blockSize, 2 * blockSize)
  assertZeroes(await read(device, start + blockSize, 2 * blockSize), "the zeroes")
  model.fill(0, blockSize, 3 * blockSize)
  await assertReads(device, start, model, "with its neighbours")
  await assertReads(device, 0, low, "the start of the device")
}
