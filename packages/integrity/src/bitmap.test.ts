import { memoryDevice } from "@blockstrata/device"
import fc from "fast-check"
import { expect, inject, it } from "vitest"
import { BITMAP_PAGE_SIZE, Bitmap, readBitmap } from "./bitmap.ts"

const REGION = 1024

it("agrees with an array of booleans, and leaves what stands behind its last bit", () => {
  const bits = fc.integer({ min: 1, max: 90 })
  const range = fc.tuple(fc.nat(89 * REGION), fc.integer({ min: 1, max: 40 * REGION }))
  const property = fc.property(bits, fc.array(range, { maxLength: 6 }), range, (bitCount, marked, [at, size]) => {
    const volumeBytes = bitCount * REGION - 512
    const bitmap = new Bitmap(volumeBytes, REGION)
    bitmap.bytes.fill(0xa5)
    bitmap.clear()
    const model = Array.from({ length: bitCount }, () => false)
    const clip = (offset: number, length: number) => {
      const start = offset % volumeBytes
      return { offset: start, length: Math.min(length, volumeBytes - start) }
    }
    for (const [offset, length] of marked) {
      const clipped = clip(offset, length)
      bitmap.mark(clipped)
      for (let byte = clipped.offset; byte < clipped.offset + clipped.length; byte++)
        model[Math.floor(byte / REGION)] = true
    }
    const asked = clip(at, size)
    const touched = model.filter(
      (_, bit) => bit * REGION < asked.offset + asked.length && (bit + 1) * REGION > asked.offset,
    )
    expect(bitmap.isMarked(asked)).toBe(touched.every(Boolean))
    let next = asked.offset
    for (const run of bitmap.runs(asked)) {
      expect(run.offset).toBe(next)
      next += run.length
      for (let byte = run.offset; byte < next; byte += 256) expect(model[Math.floor(byte / REGION)]).toBe(run.isMarked)
    }
    expect(next).toBe(asked.offset + asked.length)
    const stored = Array.from({ length: bitCount }, (_, bit) => (bitmap.bytes[Math.floor(bit / 8)]! >> (bit % 8)) % 2)
    expect(stored).toEqual(model.map(Number))
    expect(bitmap.bytes.subarray(Math.ceil(bitCount / 8)).every((byte) => byte === 0xa5)).toBe(true)
  })
  fc.assert(property, { seed: inject("seed") })
})

it("finds the bit that Linux set, and reads no page that is not the journal's", async () => {
  const journal = { offset: 4096, sectionCount: 1, sectionBytes: 8192, entryBytes: 0, sectorEntryCount: 0 }
  const lower = memoryDevice({ size: 16384 })
  // Linux 6.1: sector 600 with 256 sectors per bit is bit 2.
  await lower.write(4096, new Uint8Array(512).fill(4, 0, 1))
  const bitmap = await readBitmap(lower, journal, 4 * 1024 * 1024, 256 * 512)
  expect(bitmap.isMarked({ offset: 600 * 512, length: 512 })).toBe(true)
  expect([...bitmap.runs({ offset: 0, length: 4 * 1024 * 1024 })].filter(({ isMarked }) => isMarked)).toEqual([
    { offset: 512 * 512, length: 256 * 512, isMarked: true },
  ])
  const regionCount = 2 * BITMAP_PAGE_SIZE * 8
  await readBitmap(lower, journal, regionCount * 512, 512)
  await expect(readBitmap(lower, journal, regionCount * 512 + 512, 512)).rejects.toMatchObject({ code: "CORRUPT" })
  await expect(readBitmap(lower, journal, 2 ** 50, 1)).rejects.toMatchObject({ code: "CORRUPT" })
})
