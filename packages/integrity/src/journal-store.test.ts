import { type BlockDevice, type DeviceEvent, memoryDevice } from "@blockstrata/device"
import { createMedia, type Media, type SeededRuntime, seededRandom, seededRuntime } from "@blockstrata/testkit"
import { describe, expect, it } from "vitest"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity } from "./inspect-integrity.ts"
import { type OpenIntegrityOptions, openIntegrity } from "./open-integrity.ts"

const SIZE = 1024 * 1024
const VOLUME = 64 * 1024
const COMMIT_TIME = 5000
const internalHash = { name: "crc32c" } as const
const format = { tagSize: 4, blockSize: 512, internalHash, interleaveSectors: 256, journalSectors: 720 }

interface Opened {
  readonly media: Media
  readonly clock: SeededRuntime
  readonly device: BlockDevice
  readonly events: DeviceEvent[]
}

/** Four sections of 168 blocks, on a medium that knows what is durable. */
async function opened(options: Partial<OpenIntegrityOptions> = {}): Promise<Opened> {
  const media = createMedia({ record: true })
  const lower = () => media.medium("disk", { size: SIZE })
  await formatIntegrity({ ...format, lower: lower(), wipe: true, runtime: seededRuntime(1) })
  const events: DeviceEvent[] = []
  const clock = seededRuntime(2)
  const more = { runtime: clock, commitTimeMs: COMMIT_TIME, onEvent: (event: DeviceEvent) => void events.push(event) }
  const device = await openIntegrity({ lower: lower(), size: VOLUME, mode: "J", internalHash, ...more, ...options })
  return { media, clock, device, events }
}

/** What is there when only what was durable is left. */
async function afterCrash(media: Media): Promise<Uint8Array> {
  media.crash(() => "absent")
  const lower = media.medium("disk", { size: SIZE })
  return await contentOf(
    await openIntegrity({ lower, size: VOLUME, mode: "J", internalHash, runtime: seededRuntime(3) }),
  )
}

async function contentOf(device: BlockDevice): Promise<Uint8Array> {
  const content = new Uint8Array(device.size)
  await device.read(0, content)
  return content
}

const written = ({ media }: Opened) =>
  media.events.filter(({ kind }) => kind === "write").reduce((sum, { length }) => sum + length, 0)
const data = (seed: number, blocks = 1) => seededRandom(seed, "data").bytes(blocks * 512)

describe("mode J", () => {
  it("says what it is: blocks are atomic, where sectors below are", async () => {
    const { device } = await opened()
    expect(device.features).toMatchObject({ write: true, fua: true, atomicSize: 512 })
    const media = createMedia({ atomicSize: 0 })
    const lower = media.medium("disk", { size: SIZE })
    await formatIntegrity({ ...format, lower, wipe: false })
    const torn = await openIntegrity({ lower, size: VOLUME, mode: "J", internalHash })
    expect(torn.features.atomicSize).toBe(0)
  })

  it("keeps writes in memory until a flush, which writes whole sections and nothing else", async () => {
    const volume = await opened()
    const before = written(volume)
    await volume.device.write(512, data(1))
    expect(written(volume)).toBe(before)
    expect(await contentOf(volume.device)).toEqual(
      Uint8Array.from({ length: VOLUME }, (_, at) => (at >= 512 && at < 1024 ? data(1)[at - 512]! : 0)),
    )
    await volume.device.flush()
    expect(written(volume)).toBe(before + 176 * 512)
    const content = await afterCrash(volume.media)
    expect(Buffer.compare(content.subarray(512, 1024), data(1))).toBe(0)
  })

  it("a write with fua is durable when it settles", async () => {
    const { media, device } = await opened()
    await device.write(0, data(1, 3), { fua: true })
    expect(Buffer.compare((await afterCrash(media)).subarray(0, 1536), data(1, 3))).toBe(0)
  })

  it("of a commit that a crash tore nothing is replayed, and of those before it everything", async () => {
    for (const image of ["first unit", "all but the first unit", "every other unit", "whole", "absent"] as const) {
      const { media, device } = await opened({ journalWatermark: 99 })
      await device.write(0, data(1, 4))
      await device.flush()
      await device.write(512, data(2, 4))
      media.intercept = async ({ kind }) => {
        if (kind === "flush") await new Promise(() => undefined)
      }
      const flushing = device.flush().catch(() => undefined)
      for (let turn = 0; turn < 100; turn++) await Promise.resolve()
      media.intercept = undefined
      media.crash(() => image)
      const lower = media.medium("disk", { size: SIZE })
      const after = await contentOf(await openIntegrity({ lower, size: VOLUME, mode: "J", internalHash }))
      const expected = data(1, 4)
      if (image === "whole") expected.set(data(2, 4).subarray(0, 1536), 512)
      expect(Buffer.compare(after.subarray(0, 2048), expected), image).toBe(0)
      expect(flushing).toBeInstanceOf(Promise)
    }
  })

  it("commits by the clock, and then not again", async () => {
    const volume = await opened()
    await volume.device.write(0, data(1))
    volume.clock.advance(COMMIT_TIME - 1)
    await volume.device.read(0, new Uint8Array(512))
    const before = written(volume)
    volume.clock.advance(1)
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    expect(written(volume)).toBe(before + 176 * 512)
    volume.clock.advance(10 * COMMIT_TIME)
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    expect(written(volume)).toBe(before + 176 * 512)
    expect(Buffer.compare((await afterCrash(volume.media)).subarray(0, 512), data(1))).toBe(0)
  })

  it("reads the newest content of a block, from memory, the journal's and where it belongs", async () => {
    const { device } = await opened()
    for (let round = 0; round < 12; round++) {
      await device.write(0, data(round, 100))
      await device.write(512 * 50, data(round + 100, 20))
      if (round % 3 === 1) await device.flush()
      const found = await contentOf(device)
      expect(Buffer.compare(found.subarray(0, 512 * 50), data(round, 100).subarray(0, 512 * 50))).toBe(0)
      expect(Buffer.compare(found.subarray(512 * 50, 512 * 70), data(round + 100, 20))).toBe(0)
    }
    expect(Number(device.layer.status()["journalUsedSections"])).toBeLessThanOrEqual(4)
  })

  it("writes back at the watermark, neighbours together, and each block once", async () => {
    const volume = await opened({ journalWatermark: 50 })
    for (let block = 0; block < 100; block++) await volume.device.write(block * 512, data(1))
    const before = volume.media.events.length
    for (let block = 0; block < 100; block++) await volume.device.write(block * 512, data(2))
    const writes = volume.media.events.slice(before).filter(({ kind }) => kind === "write")
    // Two sections at once, then all hundred blocks, and the sector of their tags.
    expect(writes.map(({ length }) => length).sort((a, b) => a - b)).toEqual([512, 100 * 512, 2 * 176 * 512])
  })

  it("writes less than 2.3 times what is written to it, in requests of 64 KiB one after the other", async () => {
    const media = createMedia({ record: true })
    const lower = media.medium("disk", { size: 24 * SIZE })
    const volume = { size: 16 * SIZE, mode: "J", internalHash, runtime: seededRuntime(1) } as const
    await formatIntegrity({ ...format, lower, journalSectors: 4000, interleaveSectors: 32768, wipe: false })
    const device = await openIntegrity({ ...volume, lower })
    const from = media.events.length
    const piece = data(1, 128)
    for (let offset = 0; offset < device.size; offset += piece.length) await device.write(offset, piece)
    await device.flush()
    const writes = media.events.slice(from).filter(({ kind }) => kind === "write")
    const bytes = writes.reduce((sum, { length }) => sum + length, 0)
    expect(bytes / device.size).toBeGreaterThan(1)
    expect(bytes / device.size).toBeLessThan(2.3)
    expect(device.size / writes.length).toBeGreaterThan(65536)
  })

  it("takes requests that are larger than its journal", async () => {
    const { device } = await opened({ size: SIZE / 2 })
    const content = data(9, SIZE / 2 / 512)
    await device.write(0, content)
    expect(Buffer.compare(await contentOf(device), content)).toBe(0)
    await device.flush()
    expect(Buffer.compare(await contentOf(device), content)).toBe(0)
  })

  it("leaves a journal without entries when it closes, and the volume to mode D", async () => {
    const { media, device } = await opened()
    await device.write(0, data(1, 5))
    await device.close()
    const lower = media.medium("disk", { size: SIZE })
    expect((await inspectIntegrity(lower)).journal).toBe("clean")
    const direct = await openIntegrity({ lower, size: VOLUME, mode: "D", internalHash })
    expect(Buffer.compare((await contentOf(direct)).subarray(0, 2560), data(1, 5))).toBe(0)
  })

  it("writes nothing if nothing was written", async () => {
    const volume = await opened()
    const before = written(volume)
    await contentOf(volume.device)
    await volume.device.flush()
    await volume.device.close()
    expect(written(volume)).toBe(before)
  })

  it("a discard gives up what the journal has too", async () => {
    const { device } = await opened({ allowDiscards: true })
    await device.write(0, data(1, 8))
    await device.discard(0, 2048)
    const content = await contentOf(device)
    expect(Buffer.compare(content.subarray(2048, 4096), data(1, 8).subarray(2048))).toBe(0)
    await device.write(0, data(2))
    await device.flush()
    expect(Buffer.compare((await contentOf(device)).subarray(0, 512), data(2))).toBe(0)
  })
})

it("a crash in the middle of a discard leaves blocks readable", async () => {
  const { media, device } = await opened({ allowDiscards: true })
  await device.write(0, data(1, 100))
  await device.writeZeroes(512 * 99, 512)
  await device.flush()
  await device.discard(0, 4096)
  // Of what no flush made durable the last thing is there, and nothing before it.
  const last = media.byName.get("disk")?.pending().at(-1)
  media.crash((change) => (change === last ? "whole" : "absent"))
  const lower = media.medium("disk", { size: SIZE })
  const after = await openIntegrity({ lower, size: VOLUME, mode: "J", internalHash, allowDiscards: true })
  expect((await contentOf(after)).length).toBe(VOLUME)
})

describe("mode J over a device that fails", () => {
  it("tries a write again that failed, and says so to whoever flushes", async () => {
    const { media, device } = await opened()
    await device.write(0, data(1))
    media.intercept = ({ kind }) => {
      if (kind === "write") throw Object.assign(new Error("no"), {})
    }
    await expect(device.flush()).rejects.toMatchObject({ code: "IO" })
    media.intercept = undefined
    await device.flush()
    expect(Buffer.compare((await afterCrash(media)).subarray(0, 512), data(1))).toBe(0)
  })

  it("takes tags that cannot be read for no failed flush: whoever waits for room is told, and flushes go on", async () => {
    const { media, device } = await opened({ journalWatermark: 1 })
    media.intercept = ({ kind }) => {
      if (kind === "read") throw new Error("no")
    }
    await expect(device.write(0, data(1))).rejects.toMatchObject({ code: "IO" })
    await device.flush()
    media.intercept = undefined
    await device.write(512, data(2))
    await device.flush()
    const content = await afterCrash(media)
    expect(Buffer.compare(content.subarray(0, 1024), Buffer.concat([data(1), data(2)]))).toBe(0)
  })

  it("is read-only for good once a flush failed; what was flushed before is there", async () => {
    const { media, device } = await opened()
    await device.write(0, data(1))
    await device.flush()
    await device.write(512, data(2))
    media.intercept = ({ kind }) => {
      if (kind === "flush") throw new Error("no")
    }
    await expect(device.flush()).rejects.toMatchObject({ code: "IO" })
    media.intercept = undefined
    const count = media.events.length
    for (const request of [device.flush(), device.write(0, data(3)), device.write(0, data(3), { fua: true })]) {
      await expect(request).rejects.toMatchObject({ code: "READ_ONLY" })
    }
    expect(Buffer.compare((await contentOf(device)).subarray(0, 512), data(1))).toBe(0)
    await expect(device.close()).rejects.toMatchObject({ code: "READ_ONLY" })
    expect(media.events.slice(count).filter(({ kind }) => kind === "write")).toEqual([])
    expect(Buffer.compare((await afterCrash(media)).subarray(0, 512), data(1))).toBe(0)
  })

  it("writes with a flush the tags of a discard that failed, of which half may stand below", async () => {
    const volume = await opened({ allowDiscards: true })
    const { media, device } = volume
    media.intercept = ({ kind }) => {
      if (kind === "write") throw new Error("no")
    }
    await expect(device.discard(0, 4096)).rejects.toMatchObject({ code: "IO" })
    const before = written(volume)
    await expect(device.flush()).rejects.toMatchObject({ code: "IO" })
    media.intercept = undefined
    await device.flush()
    expect(written(volume)).toBe(before + 2 * 512)
    await device.flush()
    expect(written(volume)).toBe(before + 2 * 512)
    expect((await contentOf(device)).length).toBe(VOLUME)
  })

  it("tells of a commit by the clock that failed, and goes on", async () => {
    const { media, clock, device, events } = await opened()
    await device.write(0, data(1))
    media.intercept = ({ kind }) => {
      if (kind === "write") throw new Error("no")
    }
    clock.advance(COMMIT_TIME)
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    expect(events).toMatchObject([{ kind: "degraded" }])
    media.intercept = undefined
    await device.close()
    const lower = media.medium("disk", { size: SIZE })
    expect((await inspectIntegrity(lower)).journal).toBe("clean")
  })
})

it("goes on at the section and the sequence where the journal ended, over many rounds and openings", async () => {
  const lower = memoryDevice({ size: SIZE })
  await formatIntegrity({ ...format, lower, wipe: true })
  const bytes = new Uint8Array(SIZE)
  const model = new Uint8Array(VOLUME)
  await lower.read(0, bytes)
  for (let round = 0; round < 30; round++) {
    const options = { lower: memoryDevice({ bytes }), size: VOLUME, mode: "J", internalHash } as const
    const device = await openIntegrity({ ...options, runtime: seededRuntime(round), journalWatermark: 99 })
    expect(Buffer.compare(await contentOf(device), model)).toBe(0)
    for (let write = 0; write <= round % 4; write++) {
      const block = (round * 7 + write * 31) % 100
      await device.write(block * 512, data(round * 10 + write, 3))
      model.set(data(round * 10 + write, 3), block * 512)
      await device.flush()
    }
    // Every other time it is left behind as it is.
    if (round % 2 === 0) await device.close()
  }
})
