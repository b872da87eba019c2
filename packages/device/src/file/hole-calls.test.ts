import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { nodeFileHost } from "./file-host.ts"
import { holeLoader, koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-calls-"))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, "disk.img")
const linux = { ...nodeFileHost, platform: "linux", fileSystemMagic: async () => 0xef53 }

describe("the native calls", () => {
  it("are resolved at opening and loaded at first use, once", async () => {
    const asked: string[] = []
    const real = createRequire(import.meta.url)
    const require = Object.assign((name: string): unknown => (asked.push("load"), real(name)), {
      resolve: (name: string) => (asked.push("resolve"), real.resolve(name)),
    })
    const loader = holeLoader(() => require, "linux x64")
    const device = await openOnHost(linux, loader, path, { create: true, size: 4096 })
    const reader = await openOnHost(linux, loader, path, { readOnly: true })
    expect(asked).toEqual(["resolve"])
    await device.blockStatus(0, 512)
    await reader.blockStatus(0, 512)
    expect(asked).toEqual(["resolve", "load"])
    await device.close()
    await reader.close()
  })

  it("cannot be had where koffi does not load, and nothing breaks", () => {
    const broken = holeLoader(() => {
      throw new TypeError("no import.meta in a CommonJS bundle")
    }, "linux x64")
    expect([broken.isInstalled(), broken.load()]).toEqual([false, undefined])
    const elsewhere = holeLoader(() => createRequire(import.meta.url), "win32 x64")
    expect([elsewhere.isInstalled(), elsewhere.load()]).toEqual([false, undefined])
  })

  it.skipIf(koffiHoleLoader.load() === undefined)("report the system's own errors", async () => {
    const calls = koffiHoleLoader.load()
    for (const isSync of [true, false]) {
      await expect(calls?.allocate(999_999, 3, 0, 512, isSync)).rejects.toMatchObject({
        code: "EBADF",
        syscall: "fallocate",
      })
    }
    expect(() => calls?.seek(999_999, 0, "data")).toThrow(/EBADF/)
    const emptyPath = join(folder, "empty")
    writeFileSync(emptyPath, "")
    const fd = await nodeFileHost.open(emptyPath, 0)
    expect(calls?.seek(fd, 0, "data")).toBeUndefined()
    await nodeFileHost.close(fd)
  })
})
