import type { BigIntStats } from "node:fs"
import { existsSync, linkSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type FileHost, nodeFileHost } from "./file-host.ts"
import { koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"
import { type OpenFileDeviceOptions, openFileDevice } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-open-"))
afterAll(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const freshPath = () => join(folder, `disk-${++fileCount}.img`)

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1, syscall: "test" })
}
const openOn = (faults: Partial<FileHost>, path: string, options: OpenFileDeviceOptions = {}) =>
  openOnHost({ ...nodeFileHost, ...faults }, koffiHoleLoader, path, options)

async function createImage(path: string): Promise<void> {
  await (await openFileDevice(path, { create: true, size: 4096 })).close()
}

describe("what is opened", () => {
  it("is INVALID if it names nothing, with the system's error as the cause", async () => {
    const missing = openFileDevice(freshPath())
    await expect(missing).rejects.toMatchObject({ code: "INVALID", operation: "open", cause: { code: "ENOENT" } })
    await expect(openFileDevice(folder)).rejects.toMatchObject({ code: "INVALID" })
    await expect(openFileDevice("")).rejects.toMatchObject({ code: "INVALID" })
    await expect(openFileDevice("a\0b")).rejects.toBeInstanceOf(TypeError)
  })

  it.skipIf(process.platform === "win32")("is not a socket, a FIFO or a character special file", async () => {
    const path = join(folder, "socket")
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    await expect(openFileDevice(path)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("socket"),
    })
    await new Promise((resolve) => server.close(resolve))
    await expect(openFileDevice("/dev/null")).rejects.toMatchObject({ code: "UNSUPPORTED" })

    const isNot = () => false
    const fifo = {
      isFile: isNot,
      isBlockDevice: isNot,
      isCharacterDevice: isNot,
      isDirectory: isNot,
      isFIFO: () => true,
    }
    const open = () => Promise.reject(new Error("opening a FIFO can hang"))
    const faults: Partial<FileHost> = { stat: async () => fifo as unknown as BigIntStats, open }
    await expect(openOn(faults, path)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("FIFO"),
    })
  })

  it.each([
    ["EACCES", false, "READ_ONLY"],
    ["EROFS", false, "READ_ONLY"],
    ["EPERM", false, "READ_ONLY"],
    ["EACCES", true, "IO"],
    ["EBUSY", false, "BUSY"],
    ["ETXTBSY", false, "BUSY"],
    ["EMFILE", false, "IO"],
    ["ENXIO", true, "INVALID"],
  ])("that fails with %s (read-only: %s) is %s", async (errno, readOnly, code) => {
    const path = freshPath()
    await createImage(path)
    const opening = openOn({ open: () => Promise.reject(systemError(errno)) }, path, { readOnly })
    await expect(opening).rejects.toMatchObject({ code, operation: "open", cause: { code: errno } })
  })
})

describe("create", () => {
  it("never overwrites", async () => {
    const path = freshPath()
    await createImage(path)
    const again = openFileDevice(path, { create: true, size: 512 })
    await expect(again).rejects.toMatchObject({ code: "BUSY", cause: { code: "EEXIST" } })
    await using untouched = await openFileDevice(path, { readOnly: true })
    expect(untouched.size).toBe(4096)
  })

  it("makes the name and the size durable", async () => {
    const calls: string[] = []
    const syncAll = async (fd: number) => {
      calls.push((await nodeFileHost.fstat(fd)).isDirectory() ? "fsync folder" : "fsync file")
      await nodeFileHost.syncAll(fd)
    }
    await (await openOn({ syncAll }, freshPath(), { create: true, size: 4096 })).close()
    expect(calls).toEqual(["fsync file", "fsync folder"])
  })

  it.each([
    ["truncate", "EFBIG", "NO_SPACE"],
    ["truncate", "ENOSPC", "NO_SPACE"],
    ["syncAll", "EDQUOT", "NO_SPACE"],
    ["syncAll", "EIO", "IO"],
  ])("leaves nothing behind when %s fails with %s", async (method, errno, code) => {
    const path = freshPath()
    const faults = { [method]: () => Promise.reject(systemError(errno)) }
    await expect(openOn(faults, path, { create: true, size: 4096 })).rejects.toMatchObject({ code })
    expect(existsSync(path)).toBe(false)
    await createImage(path)
  })
})

describe("a second opening for writing", () => {
  it("is BUSY through every path to the file, until the first is closed", async () => {
    const path = freshPath()
    const first = await openFileDevice(path, { create: true, size: 4096 })
    const hardLink = freshPath()
    const symbolicLink = freshPath()
    linkSync(path, hardLink)
    symlinkSync(path, symbolicLink)
    for (const other of [path, hardLink, symbolicLink, join(folder, ".", path.slice(folder.length))]) {
      await expect(openFileDevice(other)).rejects.toMatchObject({ code: "BUSY", operation: "open" })
      await (await openFileDevice(other, { readOnly: true })).close()
    }
    await first.write(0, new Uint8Array(512))
    await first.close()
    for (const other of [hardLink, symbolicLink, path]) await (await openFileDevice(other)).close()
  })

  it("loses even when both start at once", async () => {
    const path = freshPath()
    await createImage(path)
    const outcomes = await Promise.allSettled([openFileDevice(path), openFileDevice(path)])
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected"])
    for (const outcome of outcomes) if (outcome.status === "fulfilled") await outcome.value.close()
  })

  it.each(["syncData", "close"] as const)("is possible after a close whose %s failed", async (method) => {
    const path = freshPath()
    await createImage(path)
    const close = async (fd: number) => {
      await nodeFileHost.close(fd)
      throw systemError("EIO")
    }
    const faults = method === "close" ? { close } : { syncData: () => Promise.reject(systemError("EIO")) }
    const device = await openOn(faults, path)
    await expect(device.close()).rejects.toMatchObject({ code: "IO", operation: "close", cause: { code: "EIO" } })
    await (await openFileDevice(path)).close()
  })
})
