import type { BlockDevice } from "@blockstrata/device"
import { assertBytes, assertSame, assertZeroes } from "../assertion.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { assertReads, fill, needTags, read, type Subject, tail } from "./subject.ts"

export const reopening: CaseGroup = {
  name: "opened again",
  cases: [
    { name: "the content is there after a flush and close", run: (subject) => kept(subject, true) },
    { name: "the content is there after close alone", run: (subject) => kept(subject, false) },
    { name: "geometry and features are the same", run: geometry },
    { name: "tags are there", run: tags },
    { name: "zeroes are zeroes, and what was discarded is writable", run: zeroes },
  ],
}

const NO_REOPEN = "create asks for no medium, and no reopen is given"

/** Closes the device, opens it again, looks at it, and closes that one too. */
async function again({ device, reopen }: Subject, look: (opened: BlockDevice) => Promise<void>): Promise<void> {
  need(reopen !== undefined, NO_REOPEN)
  await device.close()
  const opened = await reopen()
  try {
    await look(opened)
  } finally {
    await opened.close()
  }
}

function needReopen({ reopen }: Subject): void {
  need(reopen !== undefined, NO_REOPEN)
}

async function kept(subject: Subject, flushes: boolean): Promise<void> {
  needReopen(subject)
  const { device } = subject
  const { offset, length } = tail(device, 64)
  const model = await fill(subject, offset, length)
  model.set(await fill(subject, offset + device.blockSize, device.blockSize), device.blockSize)
  if (flushes) await device.flush()
  await again(subject, (opened) => assertReads(opened, offset, model, "after opening again"))
}

async function geometry(subject: Subject): Promise<void> {
  needReopen(subject)
  const describe = (device: BlockDevice) =>
    JSON.stringify([device.size, device.blockSize, device.tagSize, device.features])
  await again(subject, async (opened) => assertSame(describe(opened), describe(subject.device), "after opening again"))
}

async function tags(subject: Subject): Promise<void> {
  needReopen(subject)
  needTags(subject)
  const { device, random } = subject
  need(device.features.write, "read-only")
  const { offset, length } = tail(device, 16)
  const [data, written] = [random.bytes(length), random.bytes((length / device.blockSize) * device.tagSize)]
  await device.write(offset, data, { tags: written })
  await again(subject, async (opened) => {
    const [actual, found] = [new Uint8Array(data.length), new Uint8Array(written.length)]
    await opened.read(offset, actual, found)
    assertBytes(actual, data, "data after opening again")
    assertBytes(found, written, "tags after opening again")
  })
}

async function zeroes(subject: Subject): Promise<void> {
  needReopen(subject)
  const { device, random } = subject
  need(device.features.write, "read-only")
  const { blockSize } = device
  const { offset, length } = tail(device, 8)
  await fill(subject, offset, length)
  await device.writeZeroes(offset, blockSize)
  if (device.features.discard) await device.discard(offset + blockSize, blockSize)
  await again(subject, async (opened) => {
    assertZeroes(await read(opened, offset, blockSize), "zeroes after opening again")
    const data = random.bytes(blockSize)
    await opened.write(offset + blockSize, data)
    const isKept = (subject.options.content ?? "kept") === "kept"
    await assertReads(
      opened,
      offset + blockSize,
      isKept ? data : new Uint8Array(blockSize),
      "written after opening again",
    )
  })
}
