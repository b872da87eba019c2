import { type BaseExtent, baseExtents } from "@blockstrata/device"
import { assert, assertCode, assertSame, assertZeroes } from "../assertion.ts"
import { isAuthentic } from "../stack/authentic.ts"
import { StackSession } from "../stack/stack-session.ts"
import { type CaseGroup, need } from "./conformance-case.ts"
import { assertReads, fill, POISON, type Subject, tail } from "./subject.ts"

const BLOCK_COUNT = 4

export const detection: CaseGroup = {
  name: "detection",
  cases: [
    {
      name: "a bit changed below the last block is reported there, and nowhere else",
      run: (subject) => changed(subject, "data", BLOCK_COUNT - 1),
    },
    { name: "a bit changed below a block in between is reported there", run: (subject) => changed(subject, "data", 1) },
    {
      name: "a bit changed in a tag below the last block is reported there",
      run: (subject) => changed(subject, "tag", BLOCK_COUNT - 1),
    },
    { name: "who reports one changed bit reports all", run: allOrNone },
  ],
}

/** On media of its own: written and not, first and last, in the session that formatted and in the next. */
async function allOrNone({ options }: Subject): Promise<void> {
  need(options.authentic === undefined, "authentic was said, and is tested by the other cases")
  need(await isAuthentic(options.create), "reports no changed bit, or create asks for no medium")
  const places = [0, 1, 9, -2, -1]
  const session = await StackSession.start({
    create: options.create,
    minimumSizeBytes: 0,
    jitter: 0,
    isAuthentic: true,
  })
  try {
    for (const written of [false, true]) {
      for (const at of places) {
        if (written) await session.run({ do: "write", at, count: 1 })
        for (const reopens of [false, true]) {
          for (const part of ["data", "tag"] as const) await session.run({ do: "corrupt", at, part, bit: 3, reopens })
        }
      }
    }
    await session.finish()
  } finally {
    await session.abandon()
  }
}

/** Changes one bit below block `index` of the last ones, at several places in turn, and puts it back each time. */
async function changed(subject: Subject, part: "data" | "tag", index: number): Promise<void> {
  need(subject.options.authentic === true, "not authentic")
  const { device } = subject
  const { offset, length } = tail(device, BLOCK_COUNT)
  const bad = offset + index * device.blockSize
  const expected = await fill(subject, offset, length)
  await device.flush()
  const places = baseExtents(device, bad, device.blockSize).filter(({ kind }) => kind === "data")
  need(places.length > 0, "extents name no bytes below")
  need(
    places.every((place) => place.device.features.write),
    "the base device is read-only",
  )
  need(part === "data" || places.some((place) => place.device.tagSize > 0), "no tags at the bottom")
  for (const place of places) {
    const lastByte = place.length - 1
    const positions = part === "data" ? [0, Math.floor(lastByte / 2), lastByte] : [0]
    for (const position of positions) {
      await flipBit(place, part, position)
      await assertReported(subject, offset, length, bad)
      if (index > 0) await assertReads(device, offset, expected.subarray(0, bad - offset), "the blocks before")
      await flipBit(place, part, position)
      await assertReads(device, offset, expected, "after the bit was put back")
    }
  }
}

async function flipBit({ device, offset }: BaseExtent, part: "data" | "tag", position: number): Promise<void> {
  const { blockSize, tagSize } = device
  const inBlock = (offset + position) % blockSize
  const start = offset + position - inBlock
  const data = new Uint8Array(blockSize)
  const tags = new Uint8Array(tagSize)
  await device.read(start, data, tags)
  const bytes = part === "data" ? data : tags
  const at = part === "data" ? inBlock : 0
  bytes[at] = (bytes[at] as number) ^ 1
  await device.write(start, data, { tags })
}

async function assertReported({ device }: Subject, offset: number, length: number, bad: number): Promise<void> {
  const buffer = new Uint8Array(length).fill(POISON)
  const error = await assertCode(() => device.read(offset, buffer), "INTEGRITY", "read of a changed block")
  assertSame(error.offset, bad, "offset of the error")
  assertSame(error.length, device.blockSize, "length of the error")
  assertZeroes(buffer, "buffer of the failed read")
  const single = new Uint8Array(device.blockSize).fill(POISON)
  const alone = await assertCode(() => device.read(bad, single), "INTEGRITY", "read of the changed block alone")
  assert(alone.offset === bad, "the place of the error of a single block")
}
