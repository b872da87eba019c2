import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type OpenFileDeviceOptions, openFileDevice } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-opening-"))
afterAll(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const freshPath = () => join(folder, `disk-${++fileCount}.img`)

describe("openFileDevice", () => {
  it("rounds the size down to whole blocks", async () => {
    const path = freshPath()
    writeFileSync(path, "")
    truncateSync(path, 10_000)
    for (const [blockSize, size] of [
      [512, 9728],
      [4096, 8192],
      [16384, 0],
    ] as const) {
      await using device = await openFileDevice(path, { blockSize })
      expect(device.size).toBe(size)
    }
  })

  it("refuses options that contradict each other before it touches the file", async () => {
    const path = freshPath()
    const misuses: OpenFileDeviceOptions[] = [
      { create: true },
      { size: 512 },
      { create: true, size: 512, readOnly: true },
      { create: true, size: 513 },
      { create: true, size: 1024, blockSize: 1000 },
      { create: true, size: 512, tagSize: -1 },
      { io: "fast" as "auto" },
      { create: true, size: 2 ** 53 - 512, tagSize: 16 },
    ]
    for (const options of misuses) await expect(openFileDevice(path, options)).rejects.not.toHaveProperty("device")
    for (const options of misuses) await expect(openFileDevice(path, options)).rejects.toThrow(/expected|with/)
    expect(existsSync(path)).toBe(false)
  })

  it.skipIf(!existsSync("/proc/self/fd"))("leaks no descriptor, whether it succeeds or fails", async () => {
    const countDescriptors = () => readdirSync("/proc/self/fd").length
    const path = freshPath()
    await (await openFileDevice(path, { create: true, size: 4096 })).close()
    const before = countDescriptors()
    for (let round = 0; round < 50; round++) {
      const device = await openFileDevice(path)
      await expect(openFileDevice(path)).rejects.toMatchObject({ code: "BUSY" })
      await expect(openFileDevice(path, { create: true, size: 512 })).rejects.toMatchObject({ code: "BUSY" })
      await expect(openFileDevice(join(path, "below"))).rejects.toMatchObject({ code: "INVALID" })
      await device.close()
    }
    // Other tests of the process may hold a few of their own.
    expect(countDescriptors()).toBeLessThan(before + 20)
  })
})
