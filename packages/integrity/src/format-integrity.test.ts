import { type BlockDevice, defineDevice, memoryDevice } from "@blockstrata/device"
import { describe, expect, it } from "vitest"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity, readIntegritySuperblock } from "./inspect-integrity.ts"
import type { InternalHash } from "./internal-hash.ts"
import { openIntegrity } from "./open-integrity.ts"

const SIZE = 2 * 1024 * 1024
const internalHash = { name: "sha256" } as const

describe("formatIntegrity", () => {
  it.each([
    [{ internalHash }, 5],
    [{ internalHash, legacyHmac: true }, 4],
    [{ internalHash, legacyHmac: true, legacyPadding: true }, 1],
    [{ internalHash, legacyHmac: true, legacyPadding: true, mode: "B" as const }, 3],
    [{ internalHash: undefined }, 4],
    [{ internalHash: undefined, legacyPadding: true }, 1],
  ])("writes the version that its options need: %o", async (options, version) => {
    const lower = memoryDevice({ size: SIZE })
    const superblock = await formatIntegrity({ lower, tagSize: 16, blockSize: 512, wipe: true, ...options })
    expect(superblock.version).toBe(version)
    expect(await readIntegritySuperblock(lower)).toEqual(superblock)
    expect((await inspectIntegrity(lower)).journal).toBe("clean")
    const device = await openIntegrity({ lower, size: superblock.providedSectors * 512, ...options, mode: "D" })
    await device.read(0, new Uint8Array(device.size))
  })

  it.each([512, 1024, 2048, 4096])("makes every block of %i bytes readable, at any start", async (blockSize) => {
    for (const start of [0, 4096, 12288]) {
      const bytes = new Uint8Array(SIZE).fill(0xaa)
      const lower = memoryDevice({ bytes })
      const { providedSectors } = await formatIntegrity({
        lower,
        start,
        tagSize: 20,
        blockSize,
        interleaveSectors: 64,
        journalSectors: 200,
        internalHash,
        wipe: true,
      })
      expect(bytes.subarray(0, start).every((byte) => byte === 0xaa)).toBe(true)
      const device = await openIntegrity({ lower, start, size: providedSectors * 512, mode: "D", internalHash })
      const buffer = new Uint8Array(device.size).fill(1)
      await device.read(0, buffer)
      expect(buffer.every((byte) => byte === 0)).toBe(true)
    }
  })

  it("without a wipe blocks are unreadable until they are written", async () => {
    const lower = memoryDevice({ size: SIZE })
    await formatIntegrity({ lower, tagSize: 32, blockSize: 512, internalHash, wipe: false })
    const device = await openIntegrity({ lower, size: 8192, mode: "D", internalHash })
    await expect(device.read(0, new Uint8Array(8192))).rejects.toMatchObject({
      code: "INTEGRITY",
      offset: 0,
      length: 8192,
    })
    await device.write(512, new Uint8Array(512))
    await device.read(512, new Uint8Array(512))
  })

  it("leaves no volume at any moment before its last flush", async () => {
    const bytes = new Uint8Array(SIZE)
    const log: { isFlush: boolean; after: Uint8Array }[] = []
    const lower = recording(bytes, (isFlush) => void log.push({ isFlush, after: bytes.slice(0, 4096) }))
    await formatIntegrity({ lower: memoryDevice({ bytes }), tagSize: 32, blockSize: 512, internalHash, wipe: true })
    await formatIntegrity({ lower, tagSize: 32, blockSize: 512, internalHash, wipe: true })
    const isZero = log.map(({ after }) => after.every((byte) => byte === 0))
    // Old superblock gone, flushed; everything else, flushed; new superblock, flushed.
    expect(log.slice(0, 2).map(({ isFlush }) => isFlush)).toEqual([false, true])
    expect(log.slice(-3).map(({ isFlush }) => isFlush)).toEqual([true, false, true])
    expect(isZero.slice(0, -2).every(Boolean)).toBe(true)
    expect(isZero.slice(-2)).toEqual([false, false])
  })

  it("tells of progress and stops when told, leaving no volume", async () => {
    const lower = memoryDevice({ size: 8 * 1024 * 1024 })
    const options = { lower, tagSize: 4, blockSize: 4096, internalHash: { name: "crc32c" }, wipe: true } as const
    const progress: number[] = []
    const superblock = await formatIntegrity({ ...options, onProgress: (done) => void progress.push(done) })
    expect(progress[0]).toBe(0)
    expect(progress.at(-1)).toBe(superblock.providedSectors * 512)
    const controller = new AbortController()
    const aborted = formatIntegrity({ ...options, signal: controller.signal, onProgress: () => controller.abort() })
    await expect(aborted).rejects.toThrow(/abort/i)
    await expect(readIntegritySuperblock(lower)).rejects.toMatchObject({ code: "CORRUPT" })
  })

  it("refuses devices that are too small or read-only, and nonsense", async () => {
    const options = { tagSize: 4, blockSize: 512, internalHash, wipe: true }
    await expect(formatIntegrity({ ...options, lower: memoryDevice({ size: 65536 }) })).rejects.toMatchObject({
      code: "INVALID",
    })
    const readOnly = memoryDevice({ size: SIZE, readOnly: true })
    await expect(formatIntegrity({ ...options, lower: readOnly })).rejects.toMatchObject({ code: "READ_ONLY" })
    const lower = memoryDevice({ size: SIZE })
    for (const wrong of [
      { tagSize: 0 },
      { tagSize: 256 },
      { blockSize: 8192 },
      { salt: new Uint8Array(8) },
      { start: 7 },
    ]) {
      await expect(formatIntegrity({ ...options, lower, ...wrong })).rejects.toThrow(RangeError)
    }
    const [md4, keyed, keyless] = [
      { name: "md4" },
      { name: "sha256", key: new Uint8Array(32) },
      { name: "hmac(sha256)" },
    ] as unknown as [InternalHash, InternalHash, InternalHash]
    const format = (wrong: InternalHash) => formatIntegrity({ ...options, lower, internalHash: wrong })
    await expect(format(md4)).rejects.toMatchObject({ code: "UNSUPPORTED" })
    for (const wrong of [keyed, keyless]) await expect(format(wrong)).rejects.toThrow(TypeError)
  })
})

function recording(bytes: Uint8Array, record: (isFlush: boolean) => void): BlockDevice {
  const memory = memoryDevice({ bytes })
  return defineDevice({
    name: "recording",
    size: memory.size,
    blockSize: 512,
    features: { write: true },
    read: (offset, buffer) => memory.read(offset, buffer),
    async write(offset, data) {
      await memory.write(offset, data)
      record(false)
    },
    async flush() {
      record(true)
    },
  })
}
