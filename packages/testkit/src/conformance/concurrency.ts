import { assertBytes } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import {
  allSettled,
  assertOneOf,
  equals,
  fill,
  jitter,
  needKept,
  type Run,
  randomRun,
  read,
  type Subject,
  tail,
} from "./subject.ts"

const ROUND_COUNT = 8

export const concurrency: CaseGroup = {
  name: "concurrency",
  cases: [
    { name: "overlapping writes leave each block to one of them", run: overlappingWrites },
    { name: "a read during a write gives each block old or new", run: readDuringWrite },
    { name: "a write over zeroes in flight gives each block one or the other", run: writeOverZeroes },
  ],
}

/** Some writes at once, each with data of its own; laid over `before` they are what each block may hold. */
async function overlap(subject: Subject, within: Run, before: Uint8Array): Promise<Uint8Array[]> {
  const { device, random } = subject
  const writes = Array.from({ length: 6 }, () => {
    const run = randomRun(random, within, device.blockSize, 12)
    return { ...run, data: random.bytes(run.length) }
  })
  await allSettled(writes.map(({ offset, data }) => device.write(offset, data)))
  return writes.map(({ offset, data }) => {
    const candidate = new Uint8Array(before)
    candidate.set(data, offset - within.offset)
    return candidate
  })
}

async function overlappingWrites(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  const within = tail(device, 16)
  let content = await fill(subject, within.offset, within.length)
  jitter(subject)
  for (let round = 0; round < ROUND_COUNT; round++) {
    const candidates = await overlap(subject, within, content)
    const actual = await read(device, within.offset, within.length)
    for (let start = 0; start < within.length; start += device.blockSize) {
      // A block that some write covered may not be what it was before.
      const changed = candidates.filter((candidate) => !equals(candidate, content, start, start + device.blockSize))
      const blocks = (changed.length > 0 ? changed : [content]).map((one) =>
        one.subarray(start, start + device.blockSize),
      )
      assertOneOf(
        actual.subarray(start, start + device.blockSize),
        blocks,
        device.blockSize,
        `round ${round}, from ${start}`,
      )
    }
    content = actual
  }
}

async function readDuringWrite(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const within = tail(device, 16)
  let old = await fill(subject, within.offset, within.length)
  jitter(subject)
  for (let round = 0; round < ROUND_COUNT; round++) {
    const data = random.bytes(within.length)
    const readAll = () => read(device, within.offset, within.length)
    const early = readAll()
    const write = device.write(within.offset, data)
    const reads = [early, readAll(), readAll(), readAll()]
    await allSettled([write, ...reads])
    for (const actual of reads) assertOneOf(await actual, [old, data], device.blockSize, `round ${round}`)
    assertBytes(await readAll(), data, `round ${round}, after the write`)
    old = data
  }
}

async function writeOverZeroes(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const { offset, length } = tail(device, 16)
  jitter(subject)
  for (let round = 0; round < ROUND_COUNT; round++) {
    const data = random.bytes(length)
    await fill(subject, offset, length)
    await allSettled(
      random
        .shuffle([() => device.write(offset, data), () => device.writeZeroes(offset, length)])
        .map((call) => call()),
    )
    const actual = await read(device, offset, length)
    assertOneOf(actual, [data, new Uint8Array(length)], device.blockSize, `round ${round}`)
  }
}
