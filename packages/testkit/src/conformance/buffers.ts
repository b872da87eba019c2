import type { BlockDevice } from "@blockstrata/device"
import { assert, assertBytes } from "../assertion.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { allSettled, assertReads, fill, needKept, POISON, type Subject, tail } from "./subject.ts"

/** A subclass whose `slice` shares memory, as that of Node's Buffer does: a copy made with it is none. */
class SharingBytes extends Uint8Array {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end)
  }
}

export const buffers: CaseGroup = {
  name: "buffers",
  cases: [
    { name: "views at odd byte offsets", run: oddViews },
    { name: "shared memory", run: sharedMemory },
    { name: "WebAssembly memory", run: wasmMemory },
    { name: "a subclass of Uint8Array whose slice shares memory", run: sharingSubclass },
    { name: "a write does not modify its data", run: unmodified },
    { name: "one buffer may be written to several places at once", run: writtenTwice },
    { name: "after a write, the buffer is the caller's again", run: freeAfterWrite },
    { name: "after a read, the buffer is the caller's again", run: freeAfterRead },
  ],
}

/** Reads into, and where possible writes from, a part of `memory`; the bytes around it must stay poisoned. */
async function transferThrough(subject: Subject, memory: Uint8Array, start: number): Promise<void> {
  const { device, random } = subject
  const { offset, length } = tail(device, 8)
  const view = memory.subarray(start, start + length)
  memory.fill(POISON)
  const expected = await fill(subject, offset, length)
  await device.read(offset, view)
  assertBytes(view, expected, `read into a view at ${start}`)
  assertSurroundings(memory, start, length)
  if (!device.features.write) return
  const data = random.bytes(length)
  view.set(data)
  await device.write(offset, view)
  assertBytes(view, data, "the data of the write")
  assertSurroundings(memory, start, length)
  if ((subject.options.content ?? "kept") === "kept")
    await assertReads(device, offset, data, `written from a view at ${start}`)
}

function assertSurroundings(memory: Uint8Array, start: number, length: number): void {
  const isPoisoned = (part: Uint8Array) => part.every((byte) => byte === POISON)
  assert(isPoisoned(memory.subarray(0, start)), "bytes before the view were touched")
  assert(isPoisoned(memory.subarray(start + length)), "bytes after the view were touched")
}

const lengthOf = (device: BlockDevice): number => tail(device, 8).length

async function oddViews(subject: Subject): Promise<void> {
  for (const start of [1, 3, 7, 513])
    await transferThrough(subject, new Uint8Array(lengthOf(subject.device) + start + 5), start)
}

async function sharedMemory(subject: Subject): Promise<void> {
  need(typeof SharedArrayBuffer === "function", "this host has no SharedArrayBuffer")
  await transferThrough(subject, new Uint8Array(new SharedArrayBuffer(lengthOf(subject.device) + 64)), 9)
}

async function wasmMemory(subject: Subject): Promise<void> {
  need(typeof WebAssembly === "object", "this host has no WebAssembly")
  const pageCount = Math.ceil((lengthOf(subject.device) + 64) / 65536)
  await transferThrough(subject, new Uint8Array(new WebAssembly.Memory({ initial: pageCount }).buffer), 24)
}

async function sharingSubclass(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const { offset, length } = tail(device, 8)
  const data = new SharingBytes(length)
  random.fill(data)
  const expected = Uint8Array.from(data)
  await device.write(offset, data)
  data.fill(POISON)
  await assertReads(device, offset, expected, "after the buffer was used again")
  const buffer = new SharingBytes(length)
  await device.read(offset, buffer)
  assertBytes(buffer, expected, "read into it")
}

async function unmodified({ device, random }: Subject): Promise<void> {
  need(device.features.write, "read-only")
  const { offset, length } = tail(device, 8)
  const data = random.bytes(length)
  const tags = random.bytes((length / device.blockSize) * device.tagSize)
  const [dataBefore, tagsBefore] = [new Uint8Array(data), new Uint8Array(tags)]
  const request = device.write(offset, data, { tags })
  assertBytes(data, dataBefore, "data while the write is in flight")
  await request
  assertBytes(data, dataBefore, "data after the write")
  assertBytes(tags, tagsBefore, "tags after the write")
}

async function writtenTwice(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const { offset, length } = tail(device, 8)
  const data = random.bytes(device.blockSize)
  const starts = Array.from({ length: length / device.blockSize }, (_, index) => offset + index * device.blockSize)
  await allSettled(starts.map((start) => device.write(start, data)))
  for (const start of starts) await assertReads(device, start, data, "one buffer, many writes")
}

async function freeAfterWrite(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const { offset, length } = tail(device, 8)
  const data = random.bytes(length)
  const expected = new Uint8Array(data)
  await device.write(offset, data)
  data.fill(POISON)
  await assertReads(device, offset, expected, "after the data was overwritten by its owner")
  await device.flush()
  await assertReads(device, offset, expected, "and flushed")
}

async function freeAfterRead(subject: Subject): Promise<void> {
  const { device } = subject
  const { offset, length } = tail(device, 8)
  const expected = await fill(subject, offset, length)
  const [first, second] = [new Uint8Array(length), new Uint8Array(length)]
  await device.read(offset, first)
  first.fill(POISON)
  await device.read(offset, second)
  assertBytes(second, expected, "after the first buffer was overwritten by its owner")
  await fill(subject, offset, length)
  assertBytes(second, expected, "a buffer read earlier, after a write")
  assert(
    first.every((byte) => byte === POISON),
    "a buffer read earlier changed by itself",
  )
}
