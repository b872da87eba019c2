import { assertBytes } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import { fill, needKept, needTags, POISON, randomRun, type Subject, tail } from "./subject.ts"

export const tags: CaseGroup = {
  name: "tags",
  cases: [
    { name: "travel with their blocks, the first and the last included", run: travel },
    { name: "of single blocks and of runs are the same", run: singly },
    { name: "stay as they are when a write brings none", run: stay },
    { name: "need not be asked for", run: notAsked },
    { name: "of a run leave those of the neighbours alone", run: neighbours },
    { name: "are the caller's again after settling", run: ownership },
  ],
}

/** Data of some blocks, and their tags. */
interface Tagged {
  readonly data: Uint8Array
  readonly tags: Uint8Array
}

async function write({ device, random }: Subject, offset: number, length: number): Promise<Tagged> {
  const data = random.bytes(length)
  const written = random.bytes((length / device.blockSize) * device.tagSize)
  await device.write(offset, data, { tags: written })
  return { data, tags: written }
}

async function readTagged({ device }: Subject, offset: number, length: number): Promise<Tagged> {
  const data = new Uint8Array(length).fill(POISON)
  const found = new Uint8Array((length / device.blockSize) * device.tagSize).fill(POISON)
  await device.read(offset, data, found)
  return { data, tags: found }
}

async function assertTagged(subject: Subject, offset: number, expected: Tagged, what: string): Promise<void> {
  const actual = await readTagged(subject, offset, expected.data.length)
  assertBytes(actual.data, expected.data, `${what}: data from offset ${offset}`)
  assertBytes(actual.tags, expected.tags, `${what}: tags from offset ${offset}`)
}

function needAll(subject: Subject): void {
  needTags(subject)
  needKept(subject)
}

async function travel(subject: Subject): Promise<void> {
  needAll(subject)
  const { device } = subject
  for (const offset of [0, device.size - device.blockSize]) {
    await assertTagged(subject, offset, await write(subject, offset, device.blockSize), "one block")
  }
  const { offset, length } = tail(device, 64)
  await assertTagged(subject, offset, await write(subject, offset, length), "a run up to the end")
}

async function singly(subject: Subject): Promise<void> {
  needAll(subject)
  const { blockSize, tagSize } = subject.device
  const { offset, length } = tail(subject.device, 16)
  const run = await write(subject, offset, length)
  for (let index = 0; index < length / blockSize; index++) {
    const data = run.data.subarray(index * blockSize, (index + 1) * blockSize)
    const own = run.tags.subarray(index * tagSize, (index + 1) * tagSize)
    await assertTagged(subject, offset + index * blockSize, { data, tags: own }, "one block of a run")
    const rewritten = await write(subject, offset + index * blockSize, blockSize)
    data.set(rewritten.data)
    own.set(rewritten.tags)
  }
  await assertTagged(subject, offset, run, "a run of single blocks")
}

async function stay(subject: Subject): Promise<void> {
  needAll(subject)
  const { offset, length } = tail(subject.device, 8)
  const first = await write(subject, offset, length)
  const data = await fill(subject, offset, length)
  await assertTagged(subject, offset, { data, tags: first.tags }, "new data, old tags")
}

async function notAsked(subject: Subject): Promise<void> {
  needAll(subject)
  const { offset, length } = tail(subject.device, 8)
  const written = await write(subject, offset, length)
  const data = new Uint8Array(length)
  await subject.device.read(offset, data)
  assertBytes(data, written.data, "read without tags")
}

async function neighbours(subject: Subject): Promise<void> {
  needAll(subject)
  const { blockSize, tagSize } = subject.device
  const within = tail(subject.device, 32)
  const model = await write(subject, within.offset, within.length)
  for (let round = 0; round < 8; round++) {
    const { offset, length } = randomRun(subject.random, within, blockSize, 8)
    const written = await write(subject, offset, length)
    model.data.set(written.data, offset - within.offset)
    model.tags.set(written.tags, ((offset - within.offset) / blockSize) * tagSize)
    await assertTagged(subject, within.offset, model, `round ${round}`)
  }
}

async function ownership(subject: Subject): Promise<void> {
  needAll(subject)
  const { offset, length } = tail(subject.device, 8)
  const written = await write(subject, offset, length)
  const expected = { data: new Uint8Array(written.data), tags: new Uint8Array(written.tags) }
  written.tags.fill(POISON)
  const found = await readTagged(subject, offset, length)
  assertBytes(found.tags, expected.tags, "after the written tags were overwritten by their owner")
  found.tags.fill(POISON)
  await assertTagged(subject, offset, expected, "after the read tags were overwritten by their owner")
}
