import { mkdtempSync, rmSync, truncateSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import type { BlockDevice } from "../block-device.ts"
import { type FileHost, nodeFileHost } from "./file-host.ts"
import { koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"
import type { OpenFileDeviceOptions } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-io-"))
afterAll(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const freshPath = () => join(folder, `disk-${++fileCount}.img`)

type Transfer = FileHost["readSync"]

/** A host whose transfers first ask `fault`: it may shorten a call (a length), answer it (0) or throw. */
function faultyHost(fault: (direction: "read" | "write", position: number, length: number) => number): FileHost {
  const wrap =
    (direction: "read" | "write", transfer: Transfer): Transfer =>
    (fd, bytes, start, length, position) => {
      const allowed = fault(direction, position, length)
      return allowed === 0 ? 0 : transfer(fd, bytes, start, Math.min(length, allowed), position)
    }
  const readSync = wrap("read", nodeFileHost.readSync)
  const writeSync = wrap("write", nodeFileHost.writeSync)
  const read: FileHost["read"] = async (...call) => readSync(...call)
  const write: FileHost["write"] = async (...call) => writeSync(...call)
  return { ...nodeFileHost, readSync, writeSync, read, write }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1, syscall: "test" })
}

describe.each(["auto", "sync", "threads"] as const)("transfers with io %s", (io) => {
  const create = (host: FileHost, path = freshPath(), options: OpenFileDeviceOptions = {}): Promise<BlockDevice> =>
    openOnHost(host, koffiHoleLoader, path, { create: true, size: 16384, io, ...options })

  it("continue what was cut short", async () => {
    await using device = await create(faultyHost((_direction, position) => 1 + (position % 700)))
    const data = Uint8Array.from({ length: 8192 }, (_, index) => index % 251)
    await device.write(1024, data)
    const buffer = new Uint8Array(8192)
    await device.read(1024, buffer)
    expect(Buffer.compare(buffer, data)).toBe(0)
  })

  it("try again when interrupted, but not for ever", async () => {
    let left = 0
    let callCount = 0
    const host = faultyHost((_direction, _position, length) => {
      callCount += 1
      if (left > 0) throw systemError(left-- % 2 === 0 ? "EINTR" : "EAGAIN")
      return length
    })
    await using device = await create(host)
    left = 50
    await device.write(0, new Uint8Array(512))
    left = Number.POSITIVE_INFINITY
    callCount = 0
    await expect(device.write(512, new Uint8Array(512))).rejects.toMatchObject({ code: "IO", offset: 512, length: 512 })
    expect(callCount).toBeLessThan(1000)
    left = 0
    await device.write(512, new Uint8Array(512))
  })

  it("fail where the system moves nothing", async () => {
    const host = faultyHost((direction, position) => (direction === "write" && position >= 2048 ? 0 : 512))
    await using device = await create(host)
    await expect(device.write(1024, new Uint8Array(4096))).rejects.toMatchObject({
      code: "IO",
      offset: 2048,
      length: 3072,
    })
  })

  it.each([
    ["ENOSPC", "NO_SPACE"],
    ["EDQUOT", "NO_SPACE"],
    ["EROFS", "READ_ONLY"],
    ["EIO", "IO"],
  ])("name the first block that %s kept from being written whole", async (errno, code) => {
    const host = faultyHost((direction, position) => {
      if (direction === "write" && position >= 2300) throw systemError(errno)
      return 1276 // ends inside a block
    })
    await using device = await create(host)
    const place = { code, device: "file", operation: "write", offset: 2048, length: 3072, cause: { code: errno } }
    await expect(device.write(1024, new Uint8Array(4096))).rejects.toMatchObject(place)
  })

  it("name exactly the run of blocks that cannot be read, and zero the buffer", async () => {
    const host = faultyHost((direction, position, length) => {
      if (direction === "write") return length
      if (position >= 3072 && position < 5120) throw systemError("EIO")
      return position < 3072 ? Math.min(length, 3072 - position) : length
    })
    await using device = await create(host)
    const buffer = new Uint8Array(8192).fill(1)
    const place = { code: "IO", operation: "read", offset: 3072, length: 2048 }
    await expect(device.read(0, buffer)).rejects.toMatchObject(place)
    expect(buffer.every((byte) => byte === 0)).toBe(true)
    await device.read(5120, buffer)
    await expect(device.read(4608, buffer)).rejects.toMatchObject({ offset: 4608, length: 512 })
  })

  it("fail with IO where a file was truncated below them", async () => {
    const path = freshPath()
    await using device = await create(nodeFileHost, path)
    truncateSync(path, 4100)
    const buffer = new Uint8Array(16384).fill(1)
    await expect(device.read(0, buffer)).rejects.toMatchObject({ code: "IO", offset: 4096, length: 12288 })
    await expect(device.read(8192, buffer.subarray(512, 1024))).rejects.toMatchObject({
      code: "IO",
      offset: 8192,
      length: 512,
    })
    await device.read(0, buffer.subarray(0, 4096))
  })

  it("place a failure among the tags at the blocks they belong to", async () => {
    const tagArea = 4 * 4096
    const host = faultyHost((_direction, position, length) => {
      if (position >= tagArea + 2 * 64 && position < tagArea + 3 * 64) throw systemError("EIO")
      return position < tagArea ? length : 32
    })
    await using device = await create(host, freshPath(), { blockSize: 4096, tagSize: 64 })
    const data = new Uint8Array(3 * 4096)
    const tags = new Uint8Array(3 * 64)
    await expect(device.read(4096, data, tags)).rejects.toMatchObject({ offset: 8192, length: 4096 })
    await expect(device.write(4096, data, { tags })).rejects.toMatchObject({ offset: 8192, length: 8192 })
    await device.read(4096, data)
  })

  it("let bugs through as what they are", async () => {
    const host = faultyHost(() => {
      throw new TypeError("a bug")
    })
    await using device = await create(host)
    await expect(device.read(0, new Uint8Array(512))).rejects.toThrow(TypeError)
  })
})
