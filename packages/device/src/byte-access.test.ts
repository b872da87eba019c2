import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bytes } from "./byte-access.ts"
import { memoryDevice } from "./memory-device.ts"

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: number[] = []
  for await (const piece of stream) for (const byte of piece) pieces.push(byte)
  return Uint8Array.from(pieces)
}

describe("bytes(device)", () => {
  it("behaves as one array of bytes under concurrent writes of disjoint ranges", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(4096), { minLength: 2, maxLength: 12 }), async (cuts) => {
        const device = memoryDevice({ size: 4096 })
        const model = new Uint8Array(4096)
        const borders = cuts.sort((a, b) => a - b)
        const writes = borders.slice(1).map((end, at) => {
          const start = borders[at] ?? 0
          const data = new Uint8Array(end - start).fill(at + 1)
          model.set(data, start)
          // Two accesses to one device share their lock.
          return bytes(device).write(start, data)
        })
        await Promise.allSettled(writes)
        expect(await bytes(device).read(0, 4096)).toEqual(model)
        const [from, to] = [borders[0] ?? 0, borders.at(-1) ?? 0]
        expect(await bytes(device).read(from, to - from)).toEqual(model.slice(from, to))
      }),
    )
  })

  it("streams both ways", async () => {
    const device = memoryDevice({ size: 1024 * 1024 })
    const data = Uint8Array.from({ length: 700_001 }, (_, at) => at % 251)
    await new Blob([data]).stream().pipeTo(bytes(device).writable(333))
    expect(await collect(bytes(device).readable({ offset: 333, length: data.length }))).toEqual(data)
  })

  it("refuses what lies past the end, and empty ranges are fine", async () => {
    const device = memoryDevice({ size: 1024 })
    await expect(bytes(device).read(1000, 25)).rejects.toBeInstanceOf(RangeError)
    await expect(bytes(device).write(-1, new Uint8Array(1))).rejects.toBeInstanceOf(RangeError)
    expect(await bytes(device).read(1024, 0)).toHaveLength(0)
    await bytes(device).write(1024, new Uint8Array(0))
    expect(await collect(bytes(device).readable({ offset: 1024 }))).toHaveLength(0)
  })
})
