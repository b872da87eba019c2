import type { BlockDevice } from "@blockstrata/device"
import { assertBytes, assertSame } from "../assertion.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { assertReads, fill, needKept, POISON, randomRun, read, readByBlocks, type Subject, tail } from "./subject.ts"

const MIB = 1024 * 1024
const WHOLE_BYTES_MAX = 8 * MIB
/** More than the 1 MiB of scratch that a target may use for a request, and not a multiple of it. */
const LONG_BYTES = 2 * MIB + 64 * 1024

export const transfer: CaseGroup = {
  name: "transfer",
  cases: [
    { name: "the first block", run: (subject) => oneBlock(subject, 0) },
    { name: "the last block", run: (subject) => oneBlock(subject, subject.device.size - subject.device.blockSize) },
    { name: "the whole device in one request", run: whole },
    { name: "written in one request, read block by block", run: readSingly },
    { name: "written block by block, read in one request", run: writtenSingly },
    { name: "runs anywhere, of any length", run: anywhere },
    { name: "every block keeps its own content", run: stamped },
    { name: "a write leaves its neighbours alone", run: neighbours },
    { name: "the last write wins", run: rewritten },
    { name: "a read fills all of its buffer", run: fillsAll },
    { name: "a request longer than a target's scratch", run: long, minimumSizeBytes: LONG_BYTES + MIB },
    { name: "requests of zero length do nothing", run: zeroLength },
  ],
}

async function oneBlock(subject: Subject, offset: number): Promise<void> {
  const { device } = subject
  for (let round = 0; round < 2; round++) {
    await assertReads(device, offset, await fill(subject, offset, device.blockSize), "one block")
  }
}

function needSmall(device: BlockDevice): void {
  need(device.size <= WHOLE_BYTES_MAX, `larger than ${WHOLE_BYTES_MAX} bytes`)
}

async function whole(subject: Subject): Promise<void> {
  needSmall(subject.device)
  await assertReads(subject.device, 0, await fill(subject, 0, subject.device.size), "the whole device")
}

async function readSingly(subject: Subject): Promise<void> {
  const { offset, length } = tail(subject.device, 64)
  const expected = await fill(subject, offset, length)
  assertBytes(await readByBlocks(subject.device, offset, length), expected, "block by block")
}

async function writtenSingly(subject: Subject): Promise<void> {
  const { device, random } = subject
  const { offset, length } = tail(device, 64)
  const { blockSize } = device
  const expected = new Uint8Array(length)
  const starts = Array.from({ length: length / blockSize }, (_, index) => index * blockSize)
  for (const start of random.shuffle(starts)) expected.set(await fill(subject, offset + start, blockSize), start)
  await assertReads(device, offset, expected, "in one request")
}

async function anywhere(subject: Subject): Promise<void> {
  const { device, random } = subject
  const within = tail(device, 128)
  const model = await fill(subject, within.offset, within.length)
  for (let round = 0; round < 16; round++) {
    const written = randomRun(random, within, device.blockSize, 128)
    model.set(await fill(subject, written.offset, written.length), written.offset - within.offset)
    const { offset, length } = randomRun(random, within, device.blockSize, 128)
    const start = offset - within.offset
    await assertReads(device, offset, model.subarray(start, start + length), `round ${round}`)
  }
}

/** Each block carries its own number: two that changed places are named. */
async function stamped(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  const { offset, length } = tail(device, 256)
  const data = new Uint8Array(length)
  const stamps = new DataView(data.buffer)
  for (let start = 0; start < length; start += device.blockSize) stamps.setFloat64(start, offset + start)
  await device.write(offset, data)
  const actual = await read(device, offset, length)
  const found = new DataView(actual.buffer)
  for (let start = 0; start < length; start += device.blockSize) {
    assertSame(found.getFloat64(start), offset + start, `the offset that stands in block ${offset + start}`)
  }
}

async function neighbours(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  const { blockSize } = device
  const { offset, length } = tail(device, 8)
  const model = await fill(subject, offset, length)
  for (let start = 0; start < length; start += blockSize) {
    model.set(await fill(subject, offset + start, blockSize), start)
    await assertReads(device, offset, model, `after the write of block ${offset + start}`)
  }
}

async function rewritten(subject: Subject): Promise<void> {
  needKept(subject)
  const { offset, length } = tail(subject.device, 8)
  await fill(subject, offset, length)
  await assertReads(subject.device, offset, await fill(subject, offset, length), "the second write")
  const same = await read(subject.device, offset, length)
  await subject.device.write(offset, same)
  await assertReads(subject.device, offset, same, "the same content written again")
}

async function fillsAll(subject: Subject): Promise<void> {
  const { offset, length } = tail(subject.device, 32)
  const expected = await fill(subject, offset, length)
  for (const poison of [0, POISON, 0xff]) {
    const buffer = new Uint8Array(length).fill(poison)
    await subject.device.read(offset, buffer)
    assertBytes(buffer, expected, `a buffer full of ${poison}`)
  }
}

async function long(subject: Subject): Promise<void> {
  const { device } = subject
  need(device.size > LONG_BYTES + device.blockSize, "create gives no device of that size")
  need(LONG_BYTES % device.blockSize === 0, "blocks too large for this length")
  const offset = device.blockSize
  const expected = await fill(subject, offset, LONG_BYTES)
  await assertReads(device, offset, expected, "in one request")
  for (const start of [MIB - offset, MIB, LONG_BYTES - offset]) {
    await assertReads(device, offset + start, expected.subarray(start, start + offset), "one block of it")
  }
}

async function zeroLength(subject: Subject): Promise<void> {
  const { device } = subject
  const { features, blockSize, size } = device
  const expected = await fill(subject, 0, 2 * blockSize)
  for (const offset of [0, blockSize, size]) {
    await device.read(offset, new Uint8Array(0))
    assertSame((await device.blockStatus(offset, 0)).length, 0, "ranges of an empty blockStatus")
    if (features.write) await device.write(offset, new Uint8Array(0))
    if (features.write) await device.writeZeroes(offset, 0)
    if (features.discard) await device.discard(offset, 0)
  }
  await assertReads(device, 0, expected, "after empty requests")
}
