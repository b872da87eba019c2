import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { loadVector, sha256 } from "../../../test/vector.ts"
import { formatIntegrity } from "./format-integrity.ts"
import { readIntegritySuperblock } from "./inspect-integrity.ts"
import { layoutOf } from "./layout.ts"
import { type OpenIntegrityOptions, openIntegrity, recalculateIntegrity } from "./open-integrity.ts"

const internalHash = { name: "crc32c" } as const
const CHUNK = 8 * 1024 * 1024
const random = seededRandom(inject("seed"), "recalculation")
const DATA = random.bytes(64 * 1024)

interface Volume {
  readonly lower: BlockDevice
  readonly size: number
  readonly dataOffset: number
}

/** Formatted without tags over noise, at the front and where the third chunk begins. */
async function volume(): Promise<Volume> {
  const bytes = new Uint8Array(3 * CHUNK)
  const lower = memoryDevice({ bytes })
  const superblock = await formatIntegrity({
    ...{ lower, tagSize: 4, blockSize: 4096, interleaveSectors: 2 ** 20, internalHash, wipe: false },
  })
  const layout = layoutOf(superblock, lower.size, 0)
  const dataOffset = layout.firstAreaOffset + layout.tagRunBytes
  for (const offset of [0, 2 * CHUNK]) await lower.write(dataOffset + offset, DATA)
  return volumeOver(bytes, layout.providedBytes, dataOffset)
}

/** Each `lower` is a device of its own, for whoever opens it closes it. */
function volumeOver(bytes: Uint8Array, size: number, dataOffset: number): Volume {
  return {
    size,
    dataOffset,
    get lower() {
      return memoryDevice({ bytes })
    },
  }
}

const open = ({ lower, size }: Volume, options: Partial<OpenIntegrityOptions> = {}) =>
  openIntegrity({ lower, size, mode: "D", internalHash, runtime: seededRuntime(1), ...options })

async function read(device: BlockDevice, offset: number): Promise<Uint8Array> {
  const content = new Uint8Array(DATA.length)
  await device.read(offset, content)
  return content
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0))
const superblockOf = ({ lower }: Volume) => readIntegritySuperblock(lower)

describe("recalculation", () => {
  it("in the background: chunk after chunk, what is not reached yet unchecked, and saved by closing", async () => {
    const made = await volume()
    const runtime = seededRuntime(1)
    const device = await open(made, { runtime, recalculate: true })
    const reached = () => Number(device.layer.status()["recalculatedBytes"])
    expect(await superblockOf(made)).toMatchObject({ isRecalculating: true, recalculatedSectors: 0 })
    for (const offset of [0, 2 * CHUNK]) expect(await read(device, offset)).toEqual(DATA)
    const written = random.bytes(DATA.length)
    await device.write(CHUNK + 4096, written)
    runtime.advance(0)
    while (reached() === 0) await settle()
    expect(reached()).toBe(CHUNK)
    // Across the position: the part before it is checked.
    await made.lower.write(made.dataOffset + CHUNK - 4096, new Uint8Array(4096).fill(1))
    const across = device.read(CHUNK - 4096, new Uint8Array(8192))
    await expect(across).rejects.toMatchObject({ code: "INTEGRITY", offset: CHUNK - 4096, length: 4096 })
    expect(await read(device, CHUNK + 4096)).toEqual(written)
    await device.close()
    expect(await superblockOf(made)).toMatchObject({ isRecalculating: true, recalculatedSectors: CHUNK / 512 })

    const events: string[] = []
    const next = await open(made, { runtime, onEvent: ({ kind }) => events.push(kind) })
    expect(Number(next.layer.status()["recalculatedBytes"])).toBe(CHUNK)
    for (let tick = 0; tick < 1000 && events.length === 0; tick++) {
      runtime.advance(0)
      await settle()
    }
    expect(events).toEqual(["recovered"])
    expect(await superblockOf(made)).toMatchObject({ isRecalculating: true, recalculatedSectors: made.size / 512 })
    expect(await read(next, CHUNK + 4096)).toEqual(written)
    await next.close()
    const last = await open(made, { recalculate: true })
    expect(last.layer.status()).not.toHaveProperty("recalculatedBytes")
    expect(await read(last, 2 * CHUNK)).toEqual(DATA)
    await expect(read(last, CHUNK - 4096)).rejects.toMatchObject({ code: "INTEGRITY", offset: CHUNK - 4096 })
    await last.close()
  })

  it("now: before the volume opens, with progress; aborted it goes on where it was; reset it begins anew", async () => {
    const made = await volume()
    const { lower, size } = made
    const options = { size, mode: "D", internalHash, recalculate: true } as const
    const aborter = new AbortController()
    const seen: number[] = []
    const onProgress = (done: number) => {
      seen.push(done)
      if (done === CHUNK) aborter.abort(new Error("enough"))
    }
    await expect(recalculateIntegrity({ ...options, lower, signal: aborter.signal, onProgress })).rejects.toThrow(
      "enough",
    )
    expect(seen).toEqual([0, CHUNK])
    expect(await superblockOf(made)).toMatchObject({ isRecalculating: true, recalculatedSectors: (2 * CHUNK) / 512 })
    seen.length = 0
    await recalculateIntegrity({ ...options, lower: made.lower, onProgress: (done) => seen.push(done) })
    expect(seen).toEqual([2 * CHUNK, size])
    const device = await open(made)
    for (const offset of [0, 2 * CHUNK]) expect(await read(device, offset)).toEqual(DATA)
    await device.close()

    await made.lower.write(made.dataOffset, new Uint8Array(4096))
    const changed = await open(made)
    await expect(read(changed, 0)).rejects.toMatchObject({ code: "INTEGRITY" })
    await changed.close()
    const reset = await open(made, { resetRecalculate: true, recalculation: "now" })
    expect((await read(reset, 0)).subarray(0, 4096)).toEqual(new Uint8Array(4096))
    await reset.close()
  })

  it("in mode B whatever is not reached stays marked, and a crash loses nothing", async () => {
    const made = await volume()
    const runtime = seededRuntime(1)
    const device = await open(made, { mode: "B", runtime, recalculate: true, sectorsPerBit: 2048 })
    const bitmap = async () => {
      const sector = new Uint8Array(512)
      await made.lower.read(4096, sector)
      return [...sector.subarray(0, 3)]
    }
    expect(await bitmap()).toEqual([0xff, 0xff, 0xff])
    runtime.advance(0)
    while (device.layer.status()["recalculatedBytes"] === 0) await settle()
    runtime.advance(10000)
    // The next chunk is on its way too: what the bitmap says is what was reached when it was flushed, or less.
    while ((await bitmap())[0] === 0xff) await settle()
    expect((await bitmap())[2]).toBe(0xff)
    const crashed = new Uint8Array(made.lower.size)
    await made.lower.read(0, crashed)
    await device.close()
    const copy = volumeOver(crashed, made.size, made.dataOffset)
    const shown = await open(copy, { mode: "B", readOnly: true })
    for (const offset of [0, 2 * CHUNK]) expect(await read(shown, offset)).toEqual(DATA)
    await shown.close()
    const after = await open(copy, { mode: "B", recalculation: "now" })
    await after.read(0, new Uint8Array(made.size))
    await after.close()
    const checked = await open(copy)
    await checked.read(0, new Uint8Array(made.size))
    await checked.close()
  })

  it("read-only nothing is calculated, nor could it be begun", async () => {
    const made = await volume()
    await expect(open(made, { readOnly: true, recalculate: true })).rejects.toMatchObject({ code: "READ_ONLY" })
    await (await open(made, { recalculate: true })).close()
    const device = await open(made, { readOnly: true, recalculate: true })
    expect(await read(device, 2 * CHUNK)).toEqual(DATA)
    const frozen = { ...made.lower, features: { ...made.lower.features, write: false } }
    const verb = recalculateIntegrity({ lower: frozen, size: made.size, mode: "D", internalHash })
    await expect(verb).rejects.toMatchObject({ code: "READ_ONLY" })
    await expect(open(made, { readOnly: true, resetRecalculate: true })).rejects.toMatchObject({ code: "READ_ONLY" })
  })

  it("tags are durable before the superblock says so", async () => {
    const made = await volume()
    const { lower } = made
    const log: string[] = []
    const told: BlockDevice = {
      ...lower,
      async write(offset, data, options) {
        await lower.write(offset, data, options)
        log.push(offset === 0 ? "superblock" : "tags")
      },
      async flush() {
        await lower.flush()
        log.push("flush")
      },
    }
    await open(made, { lower: told, recalculate: true, recalculation: "now" })
    const order = log.filter((kind, index) => kind !== log[index - 1])
    expect(order).toEqual(["superblock", "tags", "flush", "superblock"])
  })

  it("a failure below is told, and the volume goes on without", async () => {
    const made = await volume()
    const runtime = seededRuntime(1)
    const events: string[] = []
    const lower = {
      ...made.lower,
      write: () => Promise.reject(new TypeError("worn out")),
    }
    await (await open(made, { recalculate: true })).close()
    const device = await open(made, { lower, runtime, onEvent: ({ kind, message }) => events.push(kind, message) })
    while (events.length === 0) {
      runtime.advance(0)
      await settle()
    }
    expect(events).toEqual(["degraded", expect.stringContaining("worn out")])
    expect(await read(device, 0)).toEqual(DATA)
    // There are tags that cannot be written.
    await expect(device.close()).rejects.toThrow("worn out")
    expect(await superblockOf(made)).toMatchObject({ isRecalculating: true, recalculatedSectors: 0 })
  })
})

describe("integrity-recalculate, which Linux stopped half way", () => {
  const vector = loadVector("integrity-recalculate")
  const size = vector.manifest.expect.provided_bytes!

  it("reads as in Linux before it is finished, and after", async () => {
    const bytes = vector.image("disk.img")
    const made = volumeOver(bytes, size, 0)
    const contentOf = async (device: BlockDevice) => {
      const content = new Uint8Array(size)
      await device.read(0, content)
      return sha256(content)
    }
    const before = sha256(bytes)
    const shown = await open(made, { mode: "J", readOnly: true })
    expect(await contentOf(shown)).toBe(vector.manifest.expect.sha256)
    expect(sha256(bytes)).toBe(before)
    await recalculateIntegrity({ lower: made.lower, size, mode: "D", internalHash })
    expect(await superblockOf(made)).toMatchObject({ isRecalculating: true, recalculatedSectors: size / 512 })
    const device = await open(made)
    expect(await contentOf(device)).toBe(vector.manifest.expect.sha256)
    await device.close()
  })
})
