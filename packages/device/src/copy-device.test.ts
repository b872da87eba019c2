import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { BlockDevice } from "./block-device.ts"
import { BlockError } from "./block-error.ts"
import { copyDevice } from "./copy-device.ts"
import { defineDevice } from "./define-device.ts"
import { memoryDevice } from "./memory-device.ts"

const MIB = 1024 * 1024
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A device over memory that notes what it is asked, and takes its time with a write before it looks at the data. */
function noting(lower: BlockDevice, calls: string[], turnsOfWrite = 0): BlockDevice {
  return defineDevice({
    name: "noting",
    size: lower.size,
    blockSize: lower.blockSize,
    features: { write: true, writeZeroes: true },
    read: (offset, buffer) => lower.read(offset, buffer),
    async write(offset, data) {
      for (let count = 0; count < turnsOfWrite; count++) await turn()
      await lower.write(offset, data)
      calls.push("write")
    },
    async writeZeroes(offset, length) {
      await lower.writeZeroes(offset, length)
      calls.push("zeroes")
    },
    flush: async () => void calls.push("flush"),
  })
}

async function contentOf(device: BlockDevice, length = device.size): Promise<Uint8Array> {
  const content = new Uint8Array(length)
  await device.read(0, content)
  return content
}

describe("copyDevice", () => {
  it("copies everything, holes as holes, to devices with other blocks", async () => {
    const write = fc.record({ block: fc.nat(639), count: fc.integer({ min: 1, max: 40 }), byte: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 6 }),
        fc.constantFrom(512, 4096),
        fc.constantFrom(512, 4096),
        async (writes, fromBlockSize, toBlockSize) => {
          const from = memoryDevice({ size: 640 * 4096, blockSize: fromBlockSize })
          for (const { block, count, byte } of writes) {
            const length = Math.min(count, 640 - block) * 4096
            await from.write(block * 4096, new Uint8Array(length).fill(byte))
          }
          const to = memoryDevice({ bytes: new Uint8Array(641 * 4096).fill(0xaa), blockSize: toBlockSize })
          await copyDevice(from, to)
          expect(Buffer.compare(await contentOf(to, from.size), await contentOf(from))).toBe(0)
          expect((await contentOf(to)).subarray(from.size).every((byte) => byte === 0xaa)).toBe(true)
        },
      ),
      { numRuns: 20 },
    )
  })

  it("does not read into the memory of a piece that is still being written", async () => {
    const bytes = Uint8Array.from({ length: 4 * MIB + 512 }, (_, index) => Math.floor(index / MIB) + 1)
    const target = memoryDevice({ size: bytes.length })
    await copyDevice(memoryDevice({ bytes }), noting(target, [], 5))
    expect(Buffer.compare(await contentOf(target), bytes)).toBe(0)
  })

  it("flushes once, when everything is written", async () => {
    const calls: string[] = []
    const from = memoryDevice({ size: 2 * MIB })
    await from.write(0, new Uint8Array(512).fill(1))
    await copyDevice(from, noting(memoryDevice({ size: 2 * MIB }), calls, 2))
    expect(calls).toEqual(["write", "zeroes", "zeroes", "flush"])
  })

  it("copies tags where both have them", async () => {
    const from = memoryDevice({ size: 3 * MIB, blockSize: 4096, tagSize: 2 })
    const tags = Uint8Array.from({ length: (from.size / 4096) * 2 }, (_, index) => index % 251)
    await from.write(0, new Uint8Array(from.size).fill(3), { tags })
    const to = memoryDevice({ size: 3 * MIB, blockSize: 4096, tagSize: 2 })
    await copyDevice(from, to)
    const found = new Uint8Array(tags.length)
    await to.read(0, new Uint8Array(to.size), found)
    expect(found).toEqual(tags)
  })

  it("does not settle while a write is under way, whatever fails; says what failed", async () => {
    const calls: string[] = []
    const failing = defineDevice({
      name: "failing",
      size: 3 * MIB,
      blockSize: 512,
      async read(offset) {
        if (offset > 0) throw new BlockError("IO", "failing: gone", { offset, length: 512 })
      },
    })
    const copied = copyDevice(failing, noting(memoryDevice({ size: 3 * MIB }), calls, 5))
    await expect(copied).rejects.toMatchObject({ code: "IO", offset: MIB })
    expect(calls).toEqual(["write"])
    const full = defineDevice({
      name: "full",
      size: 3 * MIB,
      blockSize: 512,
      features: { write: true },
      read: async () => {},
      write: async () => Promise.reject(new BlockError("NO_SPACE", "full: no space left")),
      flush: async () => {},
    })
    const bytes = new Uint8Array(3 * MIB)
    await expect(copyDevice(memoryDevice({ bytes }), full)).rejects.toMatchObject({ code: "NO_SPACE" })
  })

  it("tells its progress, and stops when asked to", async () => {
    const from = memoryDevice({ size: 3 * MIB })
    const progress: number[] = []
    await copyDevice(from, memoryDevice({ size: 3 * MIB }), { onProgress: (done) => void progress.push(done / MIB) })
    expect(progress).toEqual([0, 1, 2, 3])
    const stop = new AbortController()
    const calls: string[] = []
    const options = { signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) }
    await expect(copyDevice(from, noting(memoryDevice({ size: 3 * MIB }), calls), options)).rejects.toThrow("enough")
    expect(calls).toEqual(["zeroes"])
  })

  it("refuses what does not fit", async () => {
    const from = memoryDevice({ size: 1024 })
    await expect(copyDevice(from, memoryDevice({ size: 512 }))).rejects.toBeInstanceOf(RangeError)
    await expect(copyDevice(from, memoryDevice({ size: 4096, blockSize: 4096 }))).rejects.toBeInstanceOf(RangeError)
  })
})
