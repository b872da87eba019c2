import { type BlockDevice, memoryDevice, settleAll, share } from "@blockstrata/device"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity, readIntegritySuperblock } from "./inspect-integrity.ts"
import { layoutOf } from "./layout.ts"
import { type OpenIntegrityOptions, openIntegrity } from "./open-integrity.ts"

const internalHash = { name: "crc32c" } as const
/** Sixteen regions to a page would be few: 128 regions of one block of 4096 bytes each. */
const SECTORS_PER_BIT = 8
const REGION = SECTORS_PER_BIT * 512
const REGION_COUNT = 128
const SIZE = REGION_COUNT * REGION
const INTERVAL = 5000
const random = seededRandom(inject("seed"), "bitmap store")

interface Logged {
  readonly lower: BlockDevice
  readonly bytes: Uint8Array
  /** `bitmap`, `superblock`, `tags or data`, `flush`; in the order in which they settled. */
  readonly log: string[]
  /** From now on, what it names fails: before anything is done, or after all of it. */
  fail(kind: string | undefined, isLate?: boolean): void
}

/** A formatted volume in memory that tells what is written to it. */
async function volume(): Promise<Logged> {
  const bytes = new Uint8Array(SIZE + 256 * 1024)
  const lower = memoryDevice({ bytes })
  const format = { tagSize: 4, blockSize: 512, interleaveSectors: 256, journalSectors: 40, internalHash, wipe: true }
  const superblock = await formatIntegrity({ ...format, lower: share(lower), mode: "B" })
  const { firstAreaOffset } = layoutOf(superblock, bytes.length, 0)
  expect(superblock.providedSectors * 512).toBeGreaterThanOrEqual(SIZE)
  const log: string[] = []
  let failing: string | undefined
  let isLateFailure = false
  const kindOf = (offset: number, isDurable: boolean) => {
    if (offset >= firstAreaOffset) return "tags or data"
    const kind = offset < 4096 ? "superblock" : "bitmap"
    return isDurable ? kind : `${kind}, not durable`
  }
  const tell = async (kind: string, action: () => Promise<void>) => {
    if (kind === failing && !isLateFailure) throw new TypeError(`${kind} fails`)
    await action()
    if (kind === failing) throw new TypeError(`${kind} fails`)
    if (kind !== "tags or data" || log.at(-1) !== kind) log.push(kind)
  }
  const told: BlockDevice = {
    ...lower,
    write: (offset, data, options) =>
      tell(kindOf(offset, options?.fua === true), () => lower.write(offset, data, options)),
    flush: () => tell("flush", () => lower.flush()),
  }
  const fail = (kind: string | undefined, isLate = false) => {
    failing = kind
    isLateFailure = isLate
  }
  return { lower: told, bytes, log, fail }
}

const open = (lower: BlockDevice, options: Partial<OpenIntegrityOptions> = {}) =>
  openIntegrity({
    ...{ lower, size: SIZE, mode: "B", internalHash, runtime: seededRuntime(1) },
    ...{ sectorsPerBit: SECTORS_PER_BIT, bitmapFlushIntervalMs: INTERVAL, ...options },
  })

/** Lets what is under way in memory come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe("writing in mode B", () => {
  it("marks a region durably before it changes, once, and again after the marks were cleared", async () => {
    const { lower, bytes, log } = await volume()
    const runtime = seededRuntime(1)
    const device = await open(lower, { runtime })
    expect(log).toEqual(["superblock", "bitmap"])
    log.length = 0
    const write = (region: number) => device.write(region * REGION, random.bytes(512))
    await write(3)
    expect(log).toEqual(["bitmap", "tags or data"])
    expect(bytes[4096]).toBe(0b1000)
    await write(3)
    expect(log).toEqual(["bitmap", "tags or data"])
    await write(9)
    expect(log).toEqual(["bitmap", "tags or data", "bitmap", "tags or data"])
    expect(bytes[4097]).toBe(0b10)
    log.length = 0
    runtime.advance(INTERVAL - 1)
    await settle()
    expect(log).toEqual([])
    runtime.advance(1)
    await settle()
    expect(log).toEqual(["tags or data", "flush", "flush", "bitmap"])
    expect([bytes[4096], bytes[4097]]).toEqual([0, 0])
    runtime.advance(10 * INTERVAL)
    await settle()
    expect(log).toHaveLength(4)
    await write(3)
    expect(log.slice(4)).toEqual(["bitmap", "tags or data"])
    await device.close()
  })

  it("counts on no mark that may be gone: a write that cleared them and failed all the same", async () => {
    const { lower, bytes, fail, log } = await volume()
    const runtime = seededRuntime(1)
    const device = await open(lower, { runtime })
    await device.write(3 * REGION, random.bytes(512))
    fail("bitmap", true)
    runtime.advance(INTERVAL)
    await settle()
    expect(bytes[4096]).toBe(0)
    fail(undefined)
    log.length = 0
    await device.write(3 * REGION, random.bytes(512))
    expect(log).toEqual(["bitmap", "tags or data"])
    expect(bytes[4096]).toBe(0b1000)
    await device.close()
  })

  it("marks all regions of a request, and of requests side by side, in few writes", async () => {
    const { lower, bytes, log } = await volume()
    const device = await open(lower)
    log.length = 0
    await device.write(0, random.bytes(SIZE / 2))
    expect(log.filter((kind) => kind === "bitmap")).toHaveLength(1)
    expect([...bytes.subarray(4096, 4096 + 9)]).toEqual([...Array.from({ length: 8 }, () => 0xff), 0])
    log.length = 0
    const regions = Array.from({ length: REGION_COUNT / 2 }, (_, index) => REGION_COUNT / 2 + index)
    await settleAll(regions.map((region) => device.write(region * REGION, random.bytes(512))))
    expect(log.filter((kind) => kind === "bitmap").length).toBeLessThanOrEqual(2)
    expect([...bytes.subarray(4096, 4096 + 16)].every((byte) => byte === 0xff)).toBe(true)
    await device.close()
  })

  it("closing leaves a clean volume with an empty journal, in this order, and no timer", async () => {
    const { lower, bytes, log } = await volume()
    const runtime = seededRuntime(1)
    const before = bytes.slice(0, 4096)
    const device = await open(lower, { runtime })
    await device.write(0, random.bytes(SIZE))
    log.length = 0
    await device.close()
    expect(log).toEqual(["tags or data", "flush", "flush", "bitmap, not durable", "flush", "superblock"])
    expect((await inspectIntegrity(memoryDevice({ bytes }))).journal).toBe("clean")
    const { bitmapBitBlocksLog2 } = await readIntegritySuperblock(memoryDevice({ bytes }))
    expect(bitmapBitBlocksLog2).toBe(3)
    before[29] = bitmapBitBlocksLog2
    expect(bytes.subarray(0, 4096)).toEqual(before)
    runtime.advance(10 * INTERVAL)
    await settle()
    expect(log).toHaveLength(6)
    const check = await open(memoryDevice({ bytes }), { mode: "D" })
    await check.read(0, new Uint8Array(SIZE))
  })

  it("without a close, the regions of the last writes are recovered, and no others", async () => {
    const { lower, bytes } = await volume()
    const device = await open(lower)
    await device.write(5 * REGION, random.bytes(REGION))
    const crashed = bytes.slice()
    const { layout } = await inspectIntegrity(memoryDevice({ bytes }))
    const dataOffset = (region: number) => layout!.firstAreaOffset + layout!.tagRunBytes + region * REGION
    for (const region of [5, 6]) crashed[dataOffset(region)]! ^= 1
    const after = await open(memoryDevice({ bytes: crashed }))
    const content = new Uint8Array(REGION)
    await after.read(5 * REGION, content)
    expect(content[0]).toBe(crashed[dataOffset(5)])
    await expect(after.read(6 * REGION, content)).rejects.toMatchObject({ code: "INTEGRITY", offset: 6 * REGION })
    await after.close()
    await device.close()
  })

  it.each(["tags or data", "bitmap", "flush"])("where %s fails, the volume stays dirty", async (kind) => {
    const { lower, bytes, log, fail } = await volume()
    const events: string[] = []
    const runtime = seededRuntime(1)
    const device = await open(lower, { runtime, onEvent: (event) => events.push(event.kind) })
    await device.write(0, random.bytes(REGION))
    fail(kind)
    if (kind === "tags or data") await expect(device.write(0, random.bytes(REGION))).rejects.toThrow("fails")
    if (kind === "flush") await expect(device.flush()).rejects.toThrow("fails")
    // A mark that could not be cleared may be gone all the same; one that was never to be cleared is there.
    if (kind !== "bitmap") fail(undefined)
    runtime.advance(INTERVAL)
    await settle()
    expect(events).toEqual(kind === "bitmap" ? ["degraded"] : [])
    fail(undefined)
    log.length = 0
    await device.write(0, random.bytes(REGION))
    expect(log.includes("bitmap")).toBe(kind === "bitmap")
    await device.write(7 * REGION, random.bytes(512))
    await device.close()
    expect(await readIntegritySuperblock(memoryDevice({ bytes }))).toMatchObject({ hasDirtyBitmap: true })
    const after = await open(memoryDevice({ bytes }))
    await after.read(0, new Uint8Array(SIZE))
    await after.close()
    expect(await readIntegritySuperblock(memoryDevice({ bytes }))).toMatchObject({ hasDirtyBitmap: false })
  })

  it("a region whose mark could not be written is not changed", async () => {
    const { lower, log, fail } = await volume()
    const device = await open(lower)
    log.length = 0
    fail("bitmap")
    await expect(device.write(0, random.bytes(512))).rejects.toThrow("bitmap fails")
    expect(log).toEqual([])
    fail(undefined)
    await device.write(0, random.bytes(512))
    expect(log).toEqual(["bitmap", "tags or data"])
    await device.close()
  })

  it("a discard is marked as a write is", async () => {
    const { lower, log } = await volume()
    const device = await open(lower, { allowDiscards: true })
    log.length = 0
    await device.discard(0, REGION)
    expect(log).toEqual(["bitmap", "tags or data"])
    await device.close()
  })
})
