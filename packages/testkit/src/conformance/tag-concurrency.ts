import { assert } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import { allSettled, jitter, needKept, needTags, POISON, type Run, type Subject, tail } from "./subject.ts"

const ROUND_COUNT = 8

export const tagConcurrency: CaseGroup = {
  name: "concurrency of tags",
  cases: [
    { name: "overlapping writes leave data and tag to the same one", run: overlappingTags },
    { name: "data and tag of a read during a write belong together", run: taggedReadDuringWrite },
  ],
}

/** Writes of the whole run, each with data and tags of one byte: afterwards a block's byte and its tag's are equal. */
async function overlappingTags(subject: Subject): Promise<void> {
  needTags(subject)
  needKept(subject)
  const { device } = subject
  const { offset, length } = tail(device, 8)
  const tagBytes = (length / device.blockSize) * device.tagSize
  jitter(subject)
  for (let round = 0; round < ROUND_COUNT; round++) {
    const bytes = [1, 2, 3, 4].map((index) => round * 4 + index)
    await allSettled(
      bytes.map((byte) =>
        device.write(offset, new Uint8Array(length).fill(byte), { tags: new Uint8Array(tagBytes).fill(byte) }),
      ),
    )
    await assertAgree(subject, { offset, length }, bytes)
  }
}

async function assertAgree({ device }: Subject, { offset, length }: Run, bytes: readonly number[]): Promise<void> {
  const { blockSize, tagSize } = device
  const data = new Uint8Array(length).fill(POISON)
  const tags = new Uint8Array((length / blockSize) * tagSize).fill(POISON)
  await device.read(offset, data, tags)
  for (let index = 0; index < length / blockSize; index++) {
    const byte = data[index * blockSize] as number
    const block = data.subarray(index * blockSize, (index + 1) * blockSize)
    const tag = tags.subarray(index * tagSize, (index + 1) * tagSize)
    assert(bytes.includes(byte) && block.every((other) => other === byte), `block ${index} is not of one write`)
    assert(
      tag.every((other) => other === byte),
      `block ${index} and its tag are of different writes`,
    )
  }
}

async function taggedReadDuringWrite(subject: Subject): Promise<void> {
  needTags(subject)
  needKept(subject)
  const { device } = subject
  const run = tail(device, 8)
  const tagBytes = (run.length / device.blockSize) * device.tagSize
  const write = (byte: number) =>
    device.write(run.offset, new Uint8Array(run.length).fill(byte), { tags: new Uint8Array(tagBytes).fill(byte) })
  await write(1)
  jitter(subject)
  for (let byte = 2; byte < ROUND_COUNT; byte++) {
    const reads = [1, 2, 3].map(() => assertAgree(subject, run, [byte - 1, byte]))
    await allSettled([write(byte), ...reads, assertAgree(subject, run, [byte - 1, byte])])
  }
}
