import { type BlockDevice, BlockError, defineDevice, memoryDevice, share } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, it, test } from "vitest"
import { type FormatIntegrityOptions, formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity } from "./inspect-integrity.ts"
import { areaRuns, layoutOf } from "./layout.ts"
import { openIntegrity } from "./open-integrity.ts"
import { tagBufferSectors } from "./tag-buffer.ts"

const SIZE = 64 * 1024
const internalHash = { name: "sha256" } as const
const FORMAT = { tagSize: 32, blockSize: 512, internalHash, wipe: true } as const

interface Media {
  readonly data: Uint8Array
  readonly metadata: Uint8Array
  readonly start: number
}

async function format(options: Partial<FormatIntegrityOptions> = {}, start = 0): Promise<Media> {
  const media = { data: new Uint8Array(SIZE), metadata: new Uint8Array(2 * SIZE), start }
  const [lower, metadata] = [memoryDevice({ bytes: media.data }), memoryDevice({ bytes: media.metadata })]
  await formatIntegrity({ ...FORMAT, ...options, lower, metadata, start })
  return media
}

function open(media: Media, devices: { data?: BlockDevice; metadata?: BlockDevice } = {}): Promise<BlockDevice> {
  const { data = memoryDevice({ bytes: media.data }), metadata = memoryDevice({ bytes: media.metadata }) } = devices
  return openIntegrity({ lower: data, metadata, start: media.start, size: SIZE, mode: "D", internalHash })
}

/** A device whose blocks of 512 bytes fail from one place to another. */
function failing(bytes: Uint8Array, from: number, length: number): BlockDevice {
  const lower = memoryDevice({ bytes })
  return defineDevice({
    name: "failing",
    size: lower.size,
    blockSize: lower.blockSize,
    features: { write: true },
    lowers: [{ role: "data", device: lower }],
    extents: (offset, size) => [{ role: "data", offset, length: size }],
    async read(offset, buffer) {
      const [first, last] = [Math.max(offset, from), Math.min(offset + buffer.length, from + length)]
      if (first < last) throw new BlockError("IO", "failing: gone", { offset: first, length: last - first })
      await lower.read(offset, buffer)
    },
    write: (offset, data) => lower.write(offset, data),
    flush: () => lower.flush(),
  })
}

describe("data on a device of their own", () => {
  it("have tag buffers that are as small as the device of the tags needs them", async () => {
    const lower = memoryDevice({ size: SIZE })
    // Superblock, one section, and eight sectors of tags for 128 blocks; with room for buffers of 8, 16 and 32 sectors.
    for (const [sectors, buffer] of [
      [8 + 88 + 9, 8],
      [8 + 88 + 16, 16],
      [8 + 88 + 63, 32],
      [8 + 88 + 64, 64],
      [1000, 128],
    ] as const) {
      const metadata = memoryDevice({ size: sectors * 512 })
      const superblock = await formatIntegrity({ ...FORMAT, lower, metadata, journalSectors: 88 })
      expect([superblock.journalSectionCount, tagBufferSectors(superblock, undefined, metadata.size)]).toEqual([
        1,
        buffer,
      ])
      await openIntegrity({ lower: share(lower), metadata, size: SIZE, mode: "D", internalHash })
    }
  })

  it.each([0, 4096])("lie there as above; everything else lies %i bytes into the other device", async (start) => {
    const media = await format({}, start)
    const device = await open(media)
    const written = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7) % 251)
    await device.write(0, written)
    expect(Buffer.compare(media.data, written)).toBe(0)
    const { superblock, layout, journal } = await inspectIntegrity(memoryDevice({ bytes: media.metadata }), start)
    expect([superblock.version, superblock.interleaveSectors, journal]).toEqual([5, 1, "clean"])
    expect(device.layer.lowers.map(({ role }) => role)).toEqual(["data", "metadata"])
    expect(device.layer.extents(1024, 1024)).toEqual([
      { role: "data", offset: 1024, length: 1024 },
      { role: "metadata", offset: layout!.firstAreaOffset + 64, length: 64, kind: "tag" },
    ])
    await device.close()
    for (const [image, at] of [
      [media.data, 3 * 512],
      [media.metadata, layout!.firstAreaOffset + 3 * 32],
    ] as const) {
      image[at]! ^= 1
      const reopened = await open(media)
      await expect(reopened.read(0, new Uint8Array(SIZE))).rejects.toMatchObject({ code: "INTEGRITY", offset: 3 * 512 })
      image[at]! ^= 1
    }
  })

  it("a block that cannot be read is named, whichever device has it, and a bad one before it too", async () => {
    const media = await format()
    const { firstAreaOffset } = (await inspectIntegrity(memoryDevice({ bytes: media.metadata }))).layout!
    const byData = await open(media, { data: failing(media.data, 5 * 512, 512) })
    await expect(byData.read(0, new Uint8Array(SIZE))).rejects.toMatchObject({
      code: "IO",
      offset: 5 * 512,
      length: 512,
    })
    // A sector of tags is that of sixteen blocks.
    const byTags = await open(media, { metadata: failing(media.metadata, firstAreaOffset + 512, 512) })
    const sixteen = { code: "IO", offset: 16 * 512, length: 16 * 512 }
    await expect(byTags.read(0, new Uint8Array(SIZE))).rejects.toMatchObject(sixteen)
    media.data[2 * 512]! ^= 1
    for (const device of [byData, byTags]) {
      await expect(device.read(0, new Uint8Array(SIZE))).rejects.toMatchObject({ code: "INTEGRITY", offset: 2 * 512 })
    }
  })

  it.each([
    [{ legacyHmac: true }, 2],
    [{ legacyHmac: true, mode: "B" as const }, 3],
    [{ legacyHmac: true, legacyPadding: true }, 2],
    [{}, 5],
  ])("writes the version of %o", async (options, version) => {
    const media = await format(options)
    const { superblock } = await inspectIntegrity(memoryDevice({ bytes: media.metadata }))
    expect([superblock.version, superblock.hasFixedPadding]).toEqual([version, false])
  })

  it("flushes both, and closes both", async () => {
    const media = await format()
    const flushed: string[] = []
    const counted = (name: string, bytes: Uint8Array): BlockDevice => {
      const memory = memoryDevice({ bytes })
      return { ...memory, flush: async () => void flushed.push(name) }
    }
    const devices = { data: counted("data", media.data), metadata: counted("metadata", media.metadata) }
    const device = await open(media, devices)
    await device.flush()
    expect(flushed.sort()).toEqual(["data", "metadata"])
    await device.close()
    await expect(devices.metadata.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "CLOSED" })
  })

  it("refuses as Linux does a superblock that says otherwise than the line", async () => {
    const media = await format()
    const metadata = memoryDevice({ bytes: media.metadata })
    const line = { size: 4096, mode: "D", internalHash } as const
    await expect(openIntegrity({ ...line, lower: metadata })).rejects.toMatchObject({ code: "INVALID" })
    const lower = memoryDevice({ size: 2 * SIZE })
    await formatIntegrity({ ...FORMAT, lower, interleaveSectors: 64, journalSectors: 1 })
    const apart = openIntegrity({ ...line, metadata: lower, lower: memoryDevice({ size: SIZE }) })
    await expect(apart).rejects.toMatchObject({ code: "INVALID" })
  })

  it("refuses to format where journal and tags have no room, and a volume whose device of tags was cut", async () => {
    const lower = memoryDevice({ size: 1024 * 1024 })
    const refused = formatIntegrity({ ...FORMAT, lower, metadata: memoryDevice({ size: SIZE }) })
    await expect(refused).rejects.toMatchObject({ code: "INVALID" })
    // Linux fails requests whose tag buffer reaches beyond the device: it does not look where the volume starts.
    const start = { ...FORMAT, lower: memoryDevice({ size: SIZE }), start: 8192 }
    const fitting = (8 + 88 + 8 + 16) * 512
    await formatIntegrity({ ...start, metadata: memoryDevice({ size: fitting }), bufferSectors: 8 })
    const tight = formatIntegrity({ ...start, metadata: memoryDevice({ size: fitting + 8 * 512 }), bufferSectors: 32 })
    await expect(tight).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("start") })
    const media = await format()
    const metadata = memoryDevice({ bytes: media.metadata.subarray(0, 48 * 1024) })
    await expect(open(media, { metadata })).rejects.toMatchObject({ code: "CORRUPT" })
  })
})

test("journal and tags lie on the device of the metadata, and the journal is as long as wanted where there is room", () => {
  const sizes = fc.record({
    dataSectors: fc.integer({ min: 8, max: 4000 }),
    metadataSectors: fc.integer({ min: 200, max: 2000 }),
    journalSectors: fc.integer({ min: 1, max: 1500 }),
    bufferSectors: fc.constantFrom(1, 8, 32, 128),
  })
  return fc.assert(
    fc.asyncProperty(sizes, async ({ dataSectors, metadataSectors, journalSectors, bufferSectors }) => {
      const lower = memoryDevice({ size: dataSectors * 512 })
      const metadata = memoryDevice({ size: metadataSectors * 512 })
      const options = { ...FORMAT, wipe: false, lower, metadata, journalSectors, bufferSectors }
      const superblock = await formatIntegrity(options).catch((error: BlockError) => error)
      if (superblock instanceof BlockError) {
        // One section of 88 sectors, and the tags in whole buffers, do not fit.
        const least = Math.min(8, bufferSectors)
        expect(8 + 88 + Math.max(9, Math.ceil(dataSectors / 16 / least) * least)).toBeGreaterThan(metadataSectors)
        return
      }
      const layout = layoutOf(superblock, metadata.size, 0, lower.size)
      expect(layout.providedBytes).toBe(lower.size)
      const [run] = areaRuns(layout, 0, lower.size)
      expect(run!.tagOffset + run!.tagLength).toBeLessThanOrEqual(metadata.size)
      const wanted = Math.max(1, Math.floor(journalSectors / 88))
      expect(superblock.journalSectionCount).toBeLessThanOrEqual(wanted)
      const buffer = tagBufferSectors(superblock, bufferSectors, metadata.size)
      // Linux wants more than eight sectors behind the journal, however few the tags are.
      const tagSectors = Math.max(9, Math.ceil(dataSectors / 16 / buffer) * buffer)
      const larger = layout.firstAreaOffset / 512 + 88 + tagSectors
      if (superblock.journalSectionCount < wanted) expect(larger).toBeGreaterThan(metadataSectors)
    }),
  )
})
