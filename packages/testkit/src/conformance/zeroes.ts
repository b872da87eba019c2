import type { BlockDevice, BlockStatus } from "@blockstrata/device"
import { assert, assertBytes, assertCode, assertSame, assertZeroes } from "../assertion.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { assertReads, fill, needKept, type Run, randomRun, read, readByBlocks, type Subject, tail } from "./subject.ts"

export const zeroes: CaseGroup = {
  name: "zeroes, discard and block status",
  cases: [
    { name: "writeZeroes reads back as zeroes, its neighbours as before", run: neighbours },
    { name: "writeZeroes with every combination of its options", run: everyOption },
    { name: "writeZeroes of the last block, then a write there", run: lastBlock },
    { name: "a discard leaves its neighbours alone, and the range writable", run: discard },
    { name: "what reads say after a discard agrees with the block status", run: discardAgrees },
    { name: "a discard that is not stated is refused and changes nothing", run: noDiscard },
    { name: "block status covers every request exactly", run: exactCover },
    { name: "holes and zeroes read as zeroes", run: holesAreZeroes },
  ],
}

async function neighbours(subject: Subject): Promise<void> {
  needKept(subject)
  const { device, random } = subject
  const within = tail(device, 32)
  const model = await fill(subject, within.offset, within.length)
  for (let round = 0; round < 8; round++) {
    const { offset, length } = randomRun(random, within, device.blockSize, 8)
    await device.writeZeroes(offset, length)
    model.fill(0, offset - within.offset, offset - within.offset + length)
    await assertReads(device, within.offset, model, `round ${round}`)
  }
}

async function everyOption(subject: Subject): Promise<void> {
  need(subject.device.features.write, "read-only")
  const { device } = subject
  const { offset, length } = tail(device, 8)
  for (const fua of [undefined, false, true]) {
    for (const mayDiscard of [undefined, false, true]) {
      await fill(subject, offset, length)
      await device.writeZeroes(offset, length, { fua, mayDiscard })
      assertZeroes(await read(device, offset, length), `fua ${fua}, mayDiscard ${mayDiscard}`)
    }
  }
}

async function lastBlock(subject: Subject): Promise<void> {
  needKept(subject)
  const { offset, length } = tail(subject.device, 1)
  await fill(subject, offset, length)
  await subject.device.writeZeroes(offset, length)
  assertZeroes(await read(subject.device, offset, length), "the last block")
  await assertReads(subject.device, offset, await fill(subject, offset, length), "the last block, written again")
}

async function discard(subject: Subject): Promise<void> {
  needKept(subject)
  const { device } = subject
  need(device.features.discard, "no discard")
  const { blockSize } = device
  const { offset, length } = tail(device, 8)
  const model = await fill(subject, offset, length)
  await device.discard(offset + blockSize, length - 2 * blockSize)
  await assertReads(device, offset, model.subarray(0, blockSize), "the block before")
  await assertReads(device, offset + length - blockSize, model.subarray(length - blockSize), "the block after")
  await assertReads(device, offset, await fill(subject, offset, length), "all of it, written again")
  await device.discard(offset + length - blockSize, blockSize)
  await assertReads(
    device,
    offset + length - blockSize,
    await fill(subject, offset + length - blockSize, blockSize),
    "the last",
  )
}

async function discardAgrees(subject: Subject): Promise<void> {
  const { device } = subject
  need(device.features.discard, "no discard")
  const run = tail(device, 512)
  await fill(subject, run.offset, run.length)
  // Once through whatever caches reads.
  await read(device, run.offset, run.length)
  await device.discard(run.offset, run.length)
  await assertStatus(device, run)
}

async function noDiscard(subject: Subject): Promise<void> {
  const { device } = subject
  need(device.features.write && !device.features.discard, "states discard, or is read-only")
  const { offset, length } = tail(device, 8)
  const expected = await fill(subject, offset, length)
  await assertCode(() => device.discard(offset, length), "UNSUPPORTED", "discard")
  await assertReads(device, offset, expected, "after the refused discard")
}

async function exactCover(subject: Subject): Promise<void> {
  const { device, random } = subject
  const within = tail(device, 512)
  await fill(subject, within.offset, within.length)
  if (device.features.write) await device.writeZeroes(within.offset + device.blockSize, device.blockSize)
  for (let round = 0; round < 16; round++) {
    const { offset, length } = randomRun(random, within, device.blockSize, 512)
    assertCovers(await device.blockStatus(offset, length), { offset, length })
  }
  assertCovers(await device.blockStatus(0, device.size), { offset: 0, length: device.size })
}

async function holesAreZeroes(subject: Subject): Promise<void> {
  const { device, random } = subject
  const within = tail(device, 512)
  await fill(subject, within.offset, within.length)
  for (let round = 0; round < 8 && device.features.write; round++) {
    const { offset, length } = randomRun(random, within, device.blockSize, 256)
    if (device.features.discard && round % 2 === 0) await device.discard(offset, length)
    else await device.writeZeroes(offset, length, { mayDiscard: true })
    const written = randomRun(random, within, device.blockSize, 16)
    await fill(subject, written.offset, written.length)
  }
  await assertStatus(device, within)
}

/** The status covers the run, and what it calls a hole or zero reads as zeroes. */
async function assertStatus(device: BlockDevice, { offset, length }: Run): Promise<void> {
  const ranges = await device.blockStatus(offset, length)
  assertCovers(ranges, { offset, length })
  for (const range of ranges) {
    if (range.kind === "allocated") continue
    const actual = await read(device, range.offset, range.length)
    assertZeroes(actual, `${range.kind} at ${range.offset}`)
    assertBytes(await readByBlocks(device, range.offset, range.length), actual, `${range.kind}, block by block`)
  }
}

function assertCovers(ranges: readonly BlockStatus[], { offset, length }: Run): void {
  let end = offset
  for (const range of ranges) {
    assertSame(range.offset, end, "start of a range")
    assert(range.length > 0, `length of the range at ${range.offset}: expected > 0, got ${range.length}`)
    assert(
      ["allocated", "hole", "zero"].includes(range.kind),
      `kind of the range at ${range.offset}: got ${range.kind}`,
    )
    end += range.length
  }
  assertSame(end, offset + length, "end of the last range")
}
