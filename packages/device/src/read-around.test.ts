import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { BlockDevice } from "./block-device.ts"
import { BlockError } from "./block-error.ts"
import { checkDevice } from "./check-device.ts"
import { copyDevice } from "./copy-device.ts"
import { defineDevice } from "./define-device.ts"
import { memoryDevice } from "./memory-device.ts"
import { readAround } from "./read-around.ts"

const BLOCK = 512

/** Block n reads as bytes of n + 1; the blocks in `bad` fail. */
function spotted(blockCount: number, bad: ReadonlySet<number>): BlockDevice {
  return defineDevice({
    name: "spotted",
    size: blockCount * BLOCK,
    blockSize: BLOCK,
    async read(offset, buffer) {
      const first = offset / BLOCK
      const count = buffer.length / BLOCK
      for (let at = 0; at < count; at++) {
        if (bad.has(first + at)) {
          let end = at
          while (end < count && bad.has(first + end)) end++
          throw new BlockError("INTEGRITY", "spotted: bad", { offset: offset + at * BLOCK, length: (end - at) * BLOCK })
        }
        buffer.fill((first + at + 1) % 256, at * BLOCK, (at + 1) * BLOCK)
      }
    },
  })
}

describe("readAround and checkDevice", () => {
  it("find exactly the bad blocks and return every good one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(40)), async (bad) => {
        const device = spotted(41, new Set(bad))
        const buffer = new Uint8Array(device.size)
        const runs = await readAround(device, 0, buffer)
        const found = runs.flatMap((run) =>
          Array.from({ length: run.length / BLOCK }, (_, at) => run.offset / BLOCK + at),
        )
        expect(found).toEqual([...bad].sort((a, b) => a - b))
        for (let block = 0; block < 41; block++)
          expect(buffer[block * BLOCK + 7]).toBe(bad.includes(block) ? 0 : block + 1)
        expect((await checkDevice(device)).bad.map((run) => run.length).reduce((a, b) => a + b, 0)).toBe(
          bad.length * BLOCK,
        )
      }),
    )
  })

  it("join a run that crosses two pieces, tell of progress, and stop when told", async () => {
    const blockCount = 3 * 2048
    const device = spotted(blockCount, new Set([2047, 2048, 2049]))
    const progress: number[] = []
    const report = await checkDevice(device, { onProgress: (done) => void progress.push(done) })
    expect(report.bad).toMatchObject([{ offset: 2047 * BLOCK, length: 3 * BLOCK }])
    expect(progress.at(-1)).toBe(device.size)
    await expect(checkDevice(device, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  })

  it("do not go around a closed device", async () => {
    const device = spotted(4, new Set())
    await device.close()
    await expect(checkDevice(device)).rejects.toMatchObject({ code: "CLOSED" })
  })
})

describe("copyDevice", () => {
  it("copies content, holes and tags", async () => {
    const from = memoryDevice({ size: 3 * 1024 * 1024, tagSize: 2 })
    const to = memoryDevice({ size: 4 * 1024 * 1024, tagSize: 2 })
    const data = Uint8Array.from({ length: 1024 }, (_, at) => at % 251)
    await from.write(1024 * 1024 - 512, data, { tags: Uint8Array.of(1, 2, 3, 4) })
    await copyDevice(from, to)
    const [copied, tags] = [new Uint8Array(1024), new Uint8Array(4)]
    await to.read(1024 * 1024 - 512, copied, tags)
    expect(copied).toEqual(data)
    expect([...tags]).toEqual([1, 2, 3, 4])
  })

  it("keeps holes as holes where there are no tags", async () => {
    const from = memoryDevice({ size: 2 * 1024 * 1024 })
    const to = memoryDevice({ size: 2 * 1024 * 1024 })
    await from.write(1024 * 1024, new Uint8Array(512).fill(1))
    await copyDevice(from, to)
    expect((await to.blockStatus(0, to.size)).map((range) => range.kind)).toEqual(["hole", "allocated", "hole"])
  })

  it("takes ranges that are not whole blocks of the target", async () => {
    const from = defineDevice({
      name: "divided",
      size: 8192,
      blockSize: BLOCK,
      read: async (_offset, buffer) => void buffer.fill(7),
      blockStatus: async (offset, length) => [
        { offset, length: BLOCK, kind: "allocated" },
        { offset: offset + BLOCK, length: length - BLOCK, kind: "allocated" },
      ],
    })
    const medium = new Uint8Array(8192)
    await copyDevice(from, memoryDevice({ bytes: medium, blockSize: 4096 }))
    expect(medium.every((byte) => byte === 7)).toBe(true)
  })

  it("stops at the first bad block, when aborted, and when the target is too small", async () => {
    const to = memoryDevice({ size: 8 * BLOCK })
    await expect(copyDevice(spotted(8, new Set([3])), to)).rejects.toMatchObject({
      code: "INTEGRITY",
      offset: 3 * BLOCK,
    })
    await expect(copyDevice(spotted(8, new Set()), to, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    await expect(copyDevice(spotted(9, new Set()), to)).rejects.toBeInstanceOf(RangeError)
  })
})
