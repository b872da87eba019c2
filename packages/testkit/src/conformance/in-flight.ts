import { assertZeroes } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import {
  allSettled,
  assertReads,
  fill,
  jitter,
  needKept,
  type Run,
  randomRun,
  read,
  type Subject,
  tail,
} from "./subject.ts"

export const inFlight: CaseGroup = {
  name: "many requests in flight",
  cases: [
    { name: "single blocks written all at once all arrive", run: allAtOnce },
    { name: "a request sees what settled before it, whatever else is in flight", run: seesSettled },
    { name: "many reads at once", run: manyReads },
  ],
}

function blocksOf({ offset, length }: Run, blockSize: number): number[] {
  return Array.from({ length: length / blockSize }, (_, index) => offset + index * blockSize)
}

async function allAtOnce(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const within = tail(device, 64)
  await fill(subject, within.offset, within.length)
  jitter(subject)
  const data = random.bytes(within.length)
  const part = (offset: number) => data.subarray(offset - within.offset, offset - within.offset + device.blockSize)
  await allSettled(
    random.shuffle(blocksOf(within, device.blockSize)).map((offset) => device.write(offset, part(offset))),
  )
  await assertReads(device, within.offset, data, "all blocks")
}

/** Each worker owns two blocks side by side, and does one request after the other; the workers run at the same time. */
async function seesSettled(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  const length = 2 * device.blockSize
  const within = tail(device, 32)
  jitter(subject)
  const work = async (offset: number): Promise<void> => {
    for (let round = 0; round < 4; round++) {
      await assertReads(device, offset, await fill(subject, offset, length), `round ${round}, after a write`)
      await device.writeZeroes(offset, length)
      assertZeroes(await read(device, offset, length), `round ${round}, after writeZeroes at ${offset}`)
    }
  }
  await allSettled(blocksOf(within, length).map(work))
}

async function manyReads(subject: Subject): Promise<void> {
  const { device, random } = subject
  const within = tail(device, 64)
  const expected = await fill(subject, within.offset, within.length)
  jitter(subject)
  const runs = Array.from({ length: 64 }, () => randomRun(random, within, device.blockSize, 16))
  await allSettled(
    runs.map(({ offset, length }) => {
      const start = offset - within.offset
      return assertReads(device, offset, expected.subarray(start, start + length), "one of many reads")
    }),
  )
}
