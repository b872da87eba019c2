import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { openFileDevice } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-file-"))
afterAll(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const freshPath = () => join(folder, `disk-${++fileCount}.img`)
const TIB = 1024 ** 4

/** Bytes that differ from block to block and within a block. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + Math.floor(index / 512) * 13 + seed) % 256)
}

describe.each(["auto", "sync", "threads"] as const)("a file device with io %s", (io) => {
  it("keeps what was written, across reopening", async () => {
    const path = freshPath()
    const device = await openFileDevice(path, { create: true, size: 3 * 1024 * 1024, io })
    expect(device).toMatchObject({ size: 3 * 1024 * 1024, blockSize: 512, tagSize: 0 })
    expect(device.features).toMatchObject({ write: true, fua: false, atomicSize: 512 })
    const small = pattern(1024, 1)
    const large = pattern(1024 * 1024, 2)
    await device.write(512, small)
    await device.write(1024 * 1024, large, { fua: true })
    await device.close()
    const bytes = readFileSync(path)
    expect(bytes.subarray(512, 1536).equals(small)).toBe(true)

    const again = await openFileDevice(path, { readOnly: true, io })
    const buffer = new Uint8Array(large.length)
    await again.read(1024 * 1024, buffer)
    expect(Buffer.compare(buffer, large)).toBe(0)
    await expect(again.write(0, small)).rejects.toMatchObject({ code: "READ_ONLY" })
    await again.close()
    await expect(again.read(0, buffer)).rejects.toMatchObject({ code: "CLOSED" })
  })

  it("reaches 3 TiB of a sparse file of 4 TiB", async () => {
    const path = freshPath()
    await using device = await openFileDevice(path, { create: true, size: 4 * TIB, io })
    const data = pattern(4096, 3)
    await device.write(3 * TIB, data)
    await device.write(4 * TIB - 4096, data)
    const buffer = new Uint8Array(3 * 4096)
    await device.read(3 * TIB - 4096, buffer)
    expect(buffer.subarray(0, 4096).every((byte) => byte === 0)).toBe(true)
    expect(Buffer.compare(buffer.subarray(4096, 8192), data)).toBe(0)
    await device.read(4 * TIB - buffer.length, buffer)
    expect(Buffer.compare(buffer.subarray(8192), data)).toBe(0)
    expect(statSync(path).blocks * 512).toBeLessThan(1024 * 1024)
  })

  it("stores data first and tags after it, where the file has room for both", async () => {
    const path = freshPath()
    // 64 blocks with their tags, and a rest that is too small for one more.
    writeFileSync(path, pattern(64 * (4096 + 64) + 4159, 4))
    const bytes = readFileSync(path)
    const device = await openFileDevice(path, { blockSize: 4096, tagSize: 64, io })
    expect(device).toMatchObject({ size: 64 * 4096, tagSize: 64 })
    expect(device.features).toMatchObject({ atomicSize: 0, discard: false })
    const buffer = new Uint8Array(2 * 4096)
    const tags = new Uint8Array(2 * 64)
    await device.read(5 * 4096, buffer, tags)
    expect(bytes.subarray(5 * 4096, 7 * 4096).equals(buffer)).toBe(true)
    const tagStart = 64 * 4096 + 5 * 64
    expect(bytes.subarray(tagStart, tagStart + 128).equals(tags)).toBe(true)

    await device.write(5 * 4096, pattern(8192, 5), { tags: pattern(128, 6) })
    await device.write(6 * 4096, pattern(4096, 7))
    await device.close()
    bytes.set(pattern(8192, 5), 5 * 4096)
    bytes.set(pattern(4096, 7), 6 * 4096)
    bytes.set(pattern(128, 6), tagStart)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  it("takes parts of larger buffers and shared memory", async () => {
    await using device = await openFileDevice(freshPath(), { create: true, size: 1024 * 1024, io })
    const shared = new Uint8Array(new SharedArrayBuffer(4096))
    shared.set(pattern(4096, 8))
    await device.write(512, shared.subarray(1024, 2048))
    const whole = new Uint8Array(4096).fill(9)
    await device.read(512, whole.subarray(100, 1124))
    expect(Buffer.compare(whole.subarray(100, 1124), shared.subarray(1024, 2048))).toBe(0)
    expect([whole[99], whole[1124]]).toEqual([9, 9])
  })
})
