import { type BlockDevice, BlockError, type DeviceEvent, defineDevice, memoryDevice, share } from "@blockstrata/device"
import { seededRandom } from "@blockstrata/testkit"
import fc from "fast-check"
import { expect, inject, test } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { faultTarget } from "./fault.ts"
import { type LogWrites, logWritesTarget } from "./log-writes.ts"
import { sendMessage } from "./message.ts"
import { readWriteLog, readWriteLogSuperblock, replayWriteLog } from "./write-log-reader.ts"

const SIZE = 64 * 1024

function logged({ lower = memoryDevice({ size: SIZE }), logSize = 1024 * 1024 } = {}): LogWrites & {
  log: BlockDevice
  events: DeviceEvent[]
} {
  const log = memoryDevice({ size: logSize })
  share(log) // keeps it open
  const events: DeviceEvent[] = []
  const target = logWritesTarget({ lower, log: share(log), onEvent: (event) => events.push(event) })
  return { ...target, log, events }
}

/** Entries in short: `w8+1` for a write of block 8, `F` flush, `A` FUA, `d` discard, `m:text` a mark. */
async function inShort(log: BlockDevice): Promise<string[]> {
  const texts: string[] = []
  for await (const { offset, length, mark, ...flags } of readWriteLog(log)) {
    const kind = flags.isDiscard ? "d" : flags.isFua ? "A" : "w"
    if (mark !== undefined) texts.push(`m:${mark}`)
    else texts.push(length === 0 && flags.isFlush ? "F" : `${kind}${offset / 512}+${length / 512}`)
  }
  return texts
}

const block = (value = 1) => new Uint8Array(512).fill(value)

test("writes and discards stand before the flush that made them durable; FUA writes and marks at once", async () => {
  const { device, mark, log } = logged()
  await device.write(0, block())
  await device.write(4096, new Uint8Array(1024))
  await mark("one")
  await device.discard(8192, 4096)
  await device.flush()
  await device.write(512, block())
  await device.write(1024, block(), { fua: true })
  await device.writeZeroes(2048, 512)
  await mark("two words")
  expect(await inShort(log)).toEqual(["m:one", "w0+1", "w8+2", "d16+8", "F", "A2+1", "m:two words"])
  await device.flush()
  await device.write(0, block())
  await device.close()
  const rest = ["w1+1", "w4+1", "F", "w0+1", "F", "m:dm-log-writes-end"]
  expect((await inShort(log)).slice(7)).toEqual(rest)
})

test("order is that of settling, and a flush takes only what had settled before it", async () => {
  const waiting = new Map<number, () => void>()
  const medium = memoryDevice({ size: SIZE })
  const hold = (key: number) => new Promise<void>((resolve) => waiting.set(key, resolve))
  const lower = defineDevice({
    name: "held",
    size: SIZE,
    blockSize: 512,
    features: { write: true, fua: true },
    read: (offset, buffer) => medium.read(offset, buffer),
    async write(offset, data) {
      await hold(offset / 512)
      await medium.write(offset, data)
    },
    flush: () => hold(-1),
  })
  const { device, mark, log } = logged({ lower })
  const writes = [1, 2, 3].map((place) => device.write(place * 512, block(place)))
  const settle = async (place: number) => {
    waiting.get(place)?.()
    await writes[place - 1]
  }
  await settle(3)
  await settle(2)
  const flush = device.flush()
  await settle(1)
  waiting.get(-1)?.()
  await flush
  await mark("end")
  expect(await inShort(log)).toEqual(["w3+1", "w2+1", "F", "m:end"])
  const last = device.flush()
  waiting.get(-1)?.()
  await last
  await mark("end")
  expect((await inShort(log)).slice(4)).toEqual(["w1+1", "F", "m:end"])
})

test("the superblock is as the kernel leaves it: up to date with FUA writes and marks, not with flushes", async () => {
  const { device, mark, log } = logged()
  await device.write(0, block())
  await device.flush()
  await expect(readWriteLogSuperblock(log)).rejects.toMatchObject({ code: "CORRUPT" })
  await mark("x")
  expect(await readWriteLogSuperblock(log)).toEqual({ entryCount: 3, sectorSize: 512 })
  await device.write(0, block())
  await device.flush()
  expect((await readWriteLogSuperblock(log)).entryCount).toBe(3)
  expect(device.layer.status()).toEqual({ entryCount: 5, lastSector: 7, logging: "on" })
  await device.write(0, block(), { fua: true })
  expect((await readWriteLogSuperblock(log)).entryCount).toBe(6)
})

test("a full log ends, and says so; the device goes on", async () => {
  // The superblock, an entry with its data, a flush, and a sector that the kernel leaves free.
  const { device, mark, log, events } = logged({ logSize: 6 * 512 })
  await device.write(0, block())
  await mark("a")
  await device.flush()
  expect(events).toEqual([])
  await device.flush()
  expect(events).toMatchObject([{ kind: "limit", device: "log-writes" }])
  await device.write(512, block(2))
  await device.flush()
  expect(device.layer.status()["logging"]).toBe("off")
  await expect(mark("b")).rejects.toMatchObject({ code: "NO_SPACE" })
  const back = new Uint8Array(512)
  await device.read(512, back)
  expect(back).toEqual(block(2))
  await device.close()
  expect(await inShort(log)).toEqual(["m:a"])
  expect(events).toHaveLength(1)
})

test("a log that fails ends, and says why", async () => {
  const { device: log } = faultTarget({ lower: memoryDevice({ size: SIZE }), faults: [{ kind: "error", nth: 3 }] })
  const events: DeviceEvent[] = []
  const lower = memoryDevice({ size: SIZE })
  const { device, mark } = logWritesTarget({ lower, log, onEvent: (event) => events.push(event) })
  await mark("a")
  await device.flush()
  expect(events).toMatchObject([{ kind: "limit", message: expect.stringContaining("fault") }])
  await device.write(0, block())
  await device.flush()
  await expect(mark("b")).rejects.toBeInstanceOf(BlockError)
})

test("a failed write is logged, a failed flush is not, and what it would have flushed is held on", async () => {
  const { device: lower, faults } = faultTarget({ lower: memoryDevice({ size: SIZE }) })
  const { device, mark, log } = logged({ lower })
  faults.set([{ kind: "error", nth: 1 }])
  await expect(device.write(0, block())).rejects.toMatchObject({ code: "IO", device: "log-writes" })
  faults.set([{ kind: "error", nth: 1 }])
  await expect(device.flush()).rejects.toMatchObject({ code: "IO" })
  await mark("x")
  expect(await inShort(log)).toEqual(["m:x"])
  await device.flush()
  await mark("y")
  expect(await inShort(log)).toEqual(["m:x", "w0+1", "F", "m:y"])
})

test("the data are those of the call, whatever becomes of the buffer", async () => {
  const { device, mark, log } = logged()
  const data = block(5)
  await device.write(0, data)
  data.fill(6)
  await device.flush()
  await mark("end")
  const { value } = await readWriteLog(log).next()
  expect(value?.data).toEqual(block(5))
})

test("a log replayed on what was there before gives what is there now", async () => {
  const request = fc.record({
    kind: fc.constantFrom("write", "write", "write", "fua", "discard", "zeroes", "flush"),
    at: fc.nat(120),
    count: fc.integer({ min: 1, max: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { maxLength: 40 }),
      fc.nat(),
      fc.constantFrom(512, 4096),
      async (list, seed, unit) => {
        const random = seededRandom(seed)
        const before = random.bytes(128 * unit)
        const now = new Uint8Array(before)
        const { device, log } = logged({
          lower: memoryDevice({ bytes: now, blockSize: unit }),
          logSize: 4 * 1024 * 1024,
        })
        for (const { kind, at, count } of list) {
          const [offset, length] = [at * unit, count * unit]
          // A FUA write overtakes, in the log, what no flush has followed: see the next test.
          if (kind === "fua") await device.flush()
          if (kind === "flush") await device.flush()
          else if (kind === "discard") await device.discard(offset, length)
          else if (kind === "zeroes") await device.writeZeroes(offset, length)
          else await device.write(offset, random.bytes(length), { fua: kind === "fua" })
        }
        await device.close()
        const replayed = new Uint8Array(before)
        await replayWriteLog(log, memoryDevice({ bytes: replayed, blockSize: unit }))
        expect(Buffer.compare(replayed, now)).toBe(0)
      },
    ),
    { seed: inject("seed"), numRuns: runCount(60) },
  )
})

test("as in the kernel, a FUA write stands before an older write of the same place that no flush had followed", async () => {
  const { device, log } = logged()
  await device.write(0, block(1))
  await device.write(0, block(2), { fua: true })
  await device.close()
  expect(await inShort(log)).toEqual(["A0+1", "w0+1", "F", "m:dm-log-writes-end"])
})

test("a message marks as mark does; others are refused", async () => {
  const { device, log } = logged()
  expect(await sendMessage(device, "MARK here")).toBe("")
  expect(await inShort(log)).toEqual(["m:here"])
  for (const text of ["mark", "mark two words", "nosuch x"]) {
    await expect(sendMessage(device, text)).rejects.toMatchObject({ code: "INVALID" })
  }
})

test("a mark that bytes cannot say is refused, and nothing is logged", async () => {
  const { mark, log } = logged()
  await expect(mark("\u0100")).rejects.toBeInstanceOf(RangeError)
  await mark("x")
  expect(await inShort(log)).toEqual(["m:x"])
})

test("refuses tags, and a log of larger blocks", () => {
  const plain = memoryDevice({ size: SIZE })
  expect(() => logWritesTarget({ lower: memoryDevice({ size: SIZE, tagSize: 4 }), log: plain })).toThrow(RangeError)
  expect(() => logWritesTarget({ lower: plain, log: memoryDevice({ size: SIZE, blockSize: 4096 }) })).toThrow(
    RangeError,
  )
})

test("over what is read-only nothing is logged", async () => {
  const bytes = new Uint8Array(SIZE)
  const log = memoryDevice({ bytes, readOnly: true })
  const { device, mark } = logWritesTarget({ lower: memoryDevice({ size: SIZE, readOnly: true }), log })
  await device.read(0, block())
  await expect(mark("x")).rejects.toMatchObject({ code: "NO_SPACE" })
  await device.close()
  expect(bytes.every((byte) => byte === 0)).toBe(true)
})
