import { describe, expect, it } from "vitest"
import { memoryDevice } from "./memory-device.ts"
import { share } from "./share.ts"

const TIB = 2 ** 40

describe("memoryDevice", () => {
  it("is sparse: terabytes cost what was written", async () => {
    const device = memoryDevice({ size: 4 * TIB })
    await device.write(3 * TIB, new Uint8Array(512).fill(9))
    const buffer = new Uint8Array(512)
    await device.read(3 * TIB - 2 ** 32, buffer)
    expect(buffer).toEqual(new Uint8Array(512))
    await device.read(3 * TIB, buffer)
    expect(buffer).toEqual(new Uint8Array(512).fill(9))
    const status = await device.blockStatus(3 * TIB - 65536, 3 * 65536)
    expect(status.map(({ kind, length }) => [kind, length])).toEqual([
      ["hole", 65536],
      ["allocated", 65536],
      ["hole", 65536],
    ])
    expect((await device.blockStatus(0, device.size)).map(({ kind }) => kind)).toEqual(["hole", "allocated", "hole"])
    expect(await device.blockStatus(3 * TIB + 512, 512)).toEqual([
      { offset: 3 * TIB + 512, length: 512, kind: "allocated" },
    ])
    await device.writeZeroes(0, 3 * TIB + 512)
    await device.read(3 * TIB, buffer)
    expect(buffer).toEqual(new Uint8Array(512))
    await device.discard(3 * TIB, 65536)
    expect(await device.blockStatus(3 * TIB - 65536, 3 * 65536)).toHaveLength(1)
  })

  it("zeroes a part of what it holds and keeps the rest", async () => {
    const device = memoryDevice({ size: 4 * 65536 })
    const content = new Uint8Array(device.size)
    for (const [offset, length] of [
      [65536 - 512, 512],
      [0, 512],
      [65536 - 512, 1024],
      [512, 3 * 65536],
    ] as const) {
      await device.write(0, new Uint8Array(device.size).fill(6))
      await device.writeZeroes(offset, length)
      await device.read(0, content)
      const expected = new Uint8Array(device.size).fill(6).fill(0, offset, offset + length)
      expect(Buffer.compare(content, expected)).toBe(0)
    }
  })

  it("takes the caller's bytes as its medium", async () => {
    const bytes = new Uint8Array(1024)
    const device = memoryDevice({ bytes })
    await device.write(512, new Uint8Array(512).fill(3))
    expect(bytes[512]).toBe(3)
    bytes[512] = 4
    const buffer = new Uint8Array(1024)
    await device.read(0, buffer)
    expect(buffer[512]).toBe(4)
  })

  it("keeps tags beside the blocks; a write without tags leaves them", async () => {
    const device = memoryDevice({ size: 4096, blockSize: 1024, tagSize: 3 })
    await device.write(1024, new Uint8Array(2048), { tags: Uint8Array.of(1, 2, 3, 4, 5, 6) })
    await device.write(1024, new Uint8Array(1024).fill(1))
    const tags = new Uint8Array(12)
    await device.read(0, new Uint8Array(4096), tags)
    expect([...tags]).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0])
    expect(device.features.discard).toBe(false)
  })

  it("wants a size or bytes, not both", () => {
    expect(() => memoryDevice({})).toThrow(TypeError)
    expect(() => memoryDevice({ size: 512, bytes: new Uint8Array(512) })).toThrow(TypeError)
    expect(() => memoryDevice({ size: 512, tagSize: 4, tagBytes: new Uint8Array(3) })).toThrow(RangeError)
  })
})

describe("share", () => {
  it("closes the device with its last handle", async () => {
    const device = memoryDevice({ size: 1024 })
    const [first, second] = [share(device), share(device)]
    await first.write(0, new Uint8Array(512).fill(5))
    await first.close()
    const buffer = new Uint8Array(512)
    await second.read(0, buffer)
    expect(buffer[0]).toBe(5)
    await second.close()
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "CLOSED" })
  })
})
