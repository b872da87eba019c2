import { memoryDevice } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import { describe, expect, it } from "vitest"
import { checkIntegrity } from "./check-integrity.ts"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity } from "./inspect-integrity.ts"
import { layoutOf } from "./layout.ts"
import { openIntegrity } from "./open-integrity.ts"
import { decodeSuperblock, encodeSuperblock, type IntegritySuperblock } from "./superblock.ts"

const SIZE = 128 * 1024
const internalHash = { name: "sha256" } as const

async function image(start = 0): Promise<Uint8Array> {
  const bytes = new Uint8Array(SIZE)
  await formatIntegrity({
    lower: memoryDevice({ bytes }),
    start,
    tagSize: 32,
    blockSize: 512,
    interleaveSectors: 64,
    internalHash,
    wipe: true,
  })
  return bytes
}

function change(bytes: Uint8Array, changes: Partial<IntegritySuperblock>): Uint8Array {
  bytes.set(encodeSuperblock({ ...decodeSuperblock(bytes), ...changes }))
  return bytes
}

function open(bytes: Uint8Array, options: Partial<Parameters<typeof openIntegrity>[0]> = {}) {
  return openIntegrity({ lower: memoryDevice({ bytes }), size: 4096, mode: "D", internalHash, ...options })
}

describe("openIntegrity", () => {
  it.each(["J", "B", "D"] as const)("finds a changed block in mode %s, read-only", async (mode) => {
    const bytes = await image()
    bytes[layoutOf(decodeSuperblock(bytes), SIZE, 0).firstAreaOffset]! ^= 1
    const device = await open(bytes, { mode, readOnly: true })
    await expect(device.read(0, new Uint8Array(4096))).rejects.toMatchObject({ code: "INTEGRITY", offset: 0 })
    await expect(device.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: "READ_ONLY" })
  })

  it("flushes what is below, and closing destroys the hash with its key", async () => {
    let [flushCount, destroyCount] = [0, 0]
    const memory = memoryDevice({ bytes: await image() })
    const lower = { ...memory, flush: async () => void flushCount++ }
    const engine: Engine = {
      ...nodeEngine,
      hash(name) {
        const hash = nodeEngine.hash(name)
        const destroy = () => {
          destroyCount++
          hash.destroy()
        }
        return { ...hash, destroy }
      },
    }
    const device = await open(new Uint8Array(0), { lower, engine })
    await device.flush()
    expect([flushCount, destroyCount]).toEqual([1, 0])
    await device.close()
    expect([flushCount, destroyCount]).toEqual([2, 1])
  })

  it("looks at every section of a long journal", async () => {
    const lower = memoryDevice({ size: 64 * 1024 * 1024 })
    const format = { tagSize: 32, blockSize: 512, internalHash, wipe: false, journalSectors: 65536 }
    const { journal } = layoutOf(await formatIntegrity({ lower, ...format }), lower.size, 0)
    expect(journal.sectionCount).toBeGreaterThan(256)
    await openIntegrity({ lower, size: 4096, mode: "D", internalHash })
    for (const section of [0, 255, 256, journal.sectionCount - 1]) {
      const place = journal.offset + section * journal.sectionBytes
      const [sector, used] = [new Uint8Array(512), new Uint8Array(512)]
      await lower.read(place, sector)
      used.set(sector)
      used.fill(0, 0, 8)
      await lower.write(place, used)
      const opened = openIntegrity({ lower, size: 4096, mode: "D", internalHash })
      // Logical sector 0, with a tag that is not its.
      await expect(opened).rejects.toMatchObject({ code: "INTEGRITY", message: expect.stringContaining(String(place)) })
      expect((await inspectIntegrity(lower)).journal).toBe("used")
      await lower.write(place, sector)
    }
  })

  it("mode R checks nothing and writes nothing", async () => {
    const bytes = await image()
    bytes[layoutOf(decodeSuperblock(bytes), SIZE, 0).firstAreaOffset]! ^= 1
    await expect((await open(bytes)).read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "INTEGRITY" })
    const device = await open(change(bytes, { isRecalculating: true, hasDirtyBitmap: true }), { mode: "R" })
    await device.read(0, new Uint8Array(4096), new Uint8Array(0))
    await expect(device.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: "READ_ONLY" })
  })

  it("refuses by name tag buffers that are no whole blocks of the device below", async () => {
    const lower = memoryDevice({ size: 4 * SIZE, blockSize: 4096 })
    const format = { lower, tagSize: 32, blockSize: 4096, interleaveSectors: 64, internalHash, wipe: true }
    const refusal = { code: "UNSUPPORTED", message: expect.stringContaining("buffer_sectors:4") }
    await expect(formatIntegrity({ ...format, bufferSectors: 4 })).rejects.toMatchObject(refusal)
    await formatIntegrity({ ...format, bufferSectors: 8 })
    const volume = { lower, size: 4096, mode: "D", internalHash } as const
    await expect(openIntegrity({ ...volume, bufferSectors: 4 })).rejects.toMatchObject(refusal)
    await openIntegrity({ ...volume, mode: "R", bufferSectors: 4 })
    await openIntegrity({ ...volume, bufferSectors: 8 })
  })

  it("refuses by name a volume whose tags Linux writes over its data", async () => {
    const lower = memoryDevice({ size: 4 * SIZE })
    const format = { lower, tagSize: 32, blockSize: 512, interleaveSectors: 64, internalHash, wipe: false }
    await expect(formatIntegrity({ ...format, legacyPadding: true })).rejects.toMatchObject({ code: "UNSUPPORTED" })
    expect(await lower.blockStatus(0, lower.size)).toMatchObject([{ kind: "hole" }])
    const { providedSectors } = await formatIntegrity({ ...format, legacyPadding: true, bufferSectors: 8 })
    expect(providedSectors).toBeGreaterThan(64)
    for (const [bufferSectors, isTaken] of [
      [undefined, false],
      [128, false],
      [64, true],
      [8, true],
    ] as const) {
      const opened = openIntegrity({ lower, size: 4096, mode: "D", internalHash, bufferSectors })
      if (isTaken) await expect(opened).resolves.toMatchObject({ size: 4096 })
      else
        await expect(opened).rejects.toMatchObject({
          code: "UNSUPPORTED",
          message: expect.stringContaining("interleave_sectors:64"),
        })
    }
    await expect(openIntegrity({ lower, size: 4096, mode: "R", internalHash })).resolves.toMatchObject({ size: 4096 })
    await formatIntegrity({ ...format, legacyPadding: true, interleaveSectors: 128 })
  })

  it("says whether Linux would take a size inside a block of the device below", async () => {
    const lower = memoryDevice({ size: 4 * SIZE, blockSize: 4096 })
    for (const [blockSize, size, code] of [
      [512, 1024, "INVALID"],
      [1024, 1024, "UNSUPPORTED"],
      [1024, 512, "INVALID"],
    ] as const) {
      await formatIntegrity({ lower, tagSize: 32, blockSize, interleaveSectors: 64, internalHash, wipe: false })
      await expect(openIntegrity({ lower, size, mode: "D", internalHash })).rejects.toMatchObject({ code })
    }
  })

  it.each([
    ["used", 7, "used", "INTEGRITY"],
    ["of an unknown commit id", 504, "unknown", "CORRUPT"],
  ])("refuses a journal with an entry that is %s", async (_what, at, state, code) => {
    const bytes = await image()
    const { journal } = layoutOf(decodeSuperblock(bytes), SIZE, 0)
    for (let sector = 0; sector < 8; sector++) {
      const changed = bytes.slice()
      // The first entry of the sector: of logical sector 0, with a tag that is not its.
      if (at === 7) changed.fill(0, journal.offset + sector * 512, journal.offset + sector * 512 + 8)
      else changed[journal.offset + sector * 512 + at]! ^= 1
      await expect(open(changed)).rejects.toMatchObject({ code, message: expect.stringContaining("journal") })
      expect((await inspectIntegrity(memoryDevice({ bytes: changed }))).journal).toBe(state)
    }
    expect((await inspectIntegrity(memoryDevice({ bytes }))).journal).toBe("clean")
  })

  it("drops an entry that was being filled, as Linux does", async () => {
    const bytes = await image()
    const { journal } = layoutOf(decodeSuperblock(bytes), SIZE, 0)
    bytes[journal.offset + 4]! ^= 1
    expect((await inspectIntegrity(memoryDevice({ bytes }))).journal).toBe("used")
    await (await open(bytes)).close()
    expect((await inspectIntegrity(memoryDevice({ bytes }))).journal).toBe("clean")
  })

  it.each([
    ["the tag size", { tagSize: 16 }],
    ["the block size", { blockSize: 4096 }],
    ["a size above what fits", { size: SIZE }],
    ["a size of part blocks", { size: 100 }],
    ["a start of part blocks", { start: 100 }],
    ["a start beyond the end", { start: SIZE - 512 }],
    ["a journal_mac that the volume has not", { journalMac: { name: "hmac(sha256)", key: new Uint8Array(32) } }],
    ["a journal_crypt with half a key", { journalCrypt: { name: "ctr(aes)", key: new Uint8Array(8) } }],
    ["discards without a hash", { allowDiscards: true, internalHash: undefined }],
    ["mode B without a hash", { mode: "B" as const, readOnly: true, internalHash: undefined }],
    ["recalculation without a hash", { recalculate: true, internalHash: undefined }],
  ])("refuses as Linux does: %s", async (_what, options) => {
    await expect(open(await image(), options)).rejects.toMatchObject({ code: "INVALID" })
  })

  it("needs a superblock, and one that fits", async () => {
    await expect(open(new Uint8Array(SIZE))).rejects.toMatchObject({ code: "CORRUPT" })
    await expect(open(change(await image(), { journalSectionCount: 9 }))).rejects.toMatchObject({ code: "CORRUPT" })
    await expect(open(change(await image(), { interleaveSectors: 2 ** 31 }))).rejects.toMatchObject({ code: "CORRUPT" })
  })

  it("does not take the memory that a superblock claims on a device of terabytes", async () => {
    const bytes = await image()
    const lower = memoryDevice({ size: 2 ** 47 })
    const claim = (changes: Partial<IntegritySuperblock>) => lower.write(0, change(new Uint8Array(bytes), changes))
    const volume = { lower, size: 4096, mode: "D", internalHash } as const
    const refusal = (what: string) => ({ code: "UNSUPPORTED", message: expect.stringContaining(what) })

    await claim({ journalSectionCount: 2 ** 20 })
    expect((await inspectIntegrity(lower)).journal).toBe("unknown")
    await expect(openIntegrity(volume)).rejects.toMatchObject(refusal("a journal of"))
    await expect(inspectIntegrity(lower, 0, {})).rejects.toMatchObject(refusal("a journal of"))
    await expect(checkIntegrity(volume)).rejects.toMatchObject(refusal("a journal of"))

    const regions = { hasDirtyBitmap: true, bitmapBitBlocksLog2: 0, providedSectors: 2 ** 35 }
    await claim({ journalSectionCount: 100_000, ...regions })
    await expect(openIntegrity(volume)).rejects.toMatchObject(refusal("a bitmap of"))
    await expect(inspectIntegrity(lower, 0, {})).rejects.toMatchObject(refusal("a bitmap of"))
  })

  it("does not enlarge a volume, and opens one that was made smaller as far as it goes", async () => {
    const bytes = await image()
    const { providedSectors } = decodeSuperblock(bytes)
    const larger = new Uint8Array(2 * SIZE)
    larger.set(bytes)
    await open(larger, { size: providedSectors * 512 })
    await expect(open(larger, { size: providedSectors * 512 + 4096 })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("enlarging"),
    })
    const smaller = bytes.slice(0, SIZE - 8192)
    await (await open(smaller, { size: providedSectors * 512 - 8192 })).close()
    await expect(open(smaller, { size: providedSectors * 512 })).rejects.toMatchObject({ code: "INVALID" })
  })

  it("a tag store needs blocks below that are not larger than its own", async () => {
    const bytes = await image()
    const lower = memoryDevice({ bytes, blockSize: 4096 })
    await expect(open(bytes, { lower, internalHash: undefined })).rejects.toMatchObject({ code: "UNSUPPORTED" })
    const huge = memoryDevice({ bytes, blockSize: 8192 })
    await expect(open(bytes, { lower: huge, size: 8192 })).rejects.toMatchObject({ code: "INVALID" })
  })

  it("leaves the device below open when it fails", async () => {
    const lower = memoryDevice({ bytes: await image() })
    await expect(open(new Uint8Array(0), { lower, tagSize: 4 })).rejects.toMatchObject({ code: "INVALID" })
    const device = await open(new Uint8Array(0), { lower })
    await device.close()
    await expect(lower.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "CLOSED" })
  })
})
