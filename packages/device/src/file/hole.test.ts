import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import type { BlockDevice } from "../block-device.ts"
import { type FileHost, nodeFileHost } from "./file-host.ts"
import { type HoleCalls, type HoleLoader, koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"
import type { OpenFileDeviceOptions } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-hole-"))
afterAll(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const KIB64 = 65536
const path = () => join(folder, `disk-${fileCount}.img`)
const linux: FileHost = { ...nodeFileHost, platform: "linux", fileSystemMagic: async () => 0xef53 }
const noKoffi: HoleLoader = { isInstalled: () => false, load: () => undefined }
const fakeLoader = (calls: Partial<HoleCalls>): HoleLoader => ({
  isInstalled: () => true,
  load: () => calls as HoleCalls,
})

function create(loader: HoleLoader, options: OpenFileDeviceOptions = {}, host = linux): Promise<BlockDevice> {
  fileCount += 1
  return openOnHost(host, loader, path(), { create: true, size: 16 * KIB64, ...options })
}
function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1, syscall: "test" })
}
async function canPunchHere(): Promise<boolean> {
  await using device = await create(koffiHoleLoader, {}, nodeFileHost)
  return device.features.discard
}

it("asks the system once for a run of data that is looked at piece by piece, and again after a hole was made", async () => {
  let seekCount = 0
  const seek = (_fd: number, offset: number, kind: "data" | "hole") => {
    seekCount += 1
    return kind === "data" ? offset : 16 * KIB64
  }
  await using device = await create(fakeLoader({ seek, allocate: async () => {} }))
  const look = async () => {
    for (let piece = 0; piece < 16; piece++) {
      expect(await device.blockStatus(piece * KIB64, KIB64)).toMatchObject([{ kind: "allocated" }])
    }
  }
  await look()
  expect(seekCount).toBe(2)
  await device.discard(KIB64, KIB64)
  await look()
  expect(seekCount).toBe(4)
})

describe.skipIf(!(await canPunchHere()))("with koffi, on a file system that punches holes", () => {
  it.each(["sync", "threads"] as const)("reports holes, and makes them (io %s)", async (io) => {
    await using device = await create(koffiHoleLoader, { io })
    expect(device.features).toMatchObject({ discard: true, writeZeroes: true })
    expect(await device.blockStatus(0, device.size)).toEqual([{ offset: 0, length: device.size, kind: "hole" }])
    await device.write(4 * KIB64, new Uint8Array(8 * KIB64).fill(1))
    await device.flush()
    await device.discard(6 * KIB64, KIB64)
    await device.writeZeroes(8 * KIB64, KIB64, { mayDiscard: true })
    await device.writeZeroes(10 * KIB64, KIB64)
    const kinds = (await device.blockStatus(5 * KIB64, 9 * KIB64)).map(({ offset, length, kind }) => [
      offset / KIB64,
      length / KIB64,
      kind,
    ])
    expect(kinds.slice(0, 4)).toEqual([
      [5, 1, "allocated"],
      [6, 1, "hole"],
      [7, 1, "allocated"],
      [8, 1, "hole"],
    ])
    expect(kinds.at(-1)).toEqual([12, 2, "hole"])
    const buffer = new Uint8Array(8 * KIB64)
    await device.read(4 * KIB64, buffer)
    const firstBytes = Array.from({ length: 8 }, (_, index) => buffer[index * KIB64])
    expect(firstBytes).toEqual([1, 1, 0, 1, 0, 1, 0, 1])
  })

  it("gives space back, and keeps it where it may not", async () => {
    await using device = await create(koffiHoleLoader)
    await device.write(0, new Uint8Array(device.size).fill(1))
    await device.flush()
    const full = statSync(path()).blocks
    await device.writeZeroes(0, device.size)
    await device.flush()
    expect(statSync(path()).blocks).toBeGreaterThan(full / 2)
    await device.discard(0, device.size)
    await device.flush()
    expect(statSync(path()).blocks).toBeLessThan(full / 8)
  })
})

describe("without koffi", () => {
  it("says hole of a file without a block, allocated of any other, and discards nothing", async () => {
    await using device = await create(noKoffi)
    expect(device.features).toMatchObject({ discard: false, writeZeroes: false })
    const isCounted = statSync(path()).blocks === 0
    expect(await device.blockStatus(512, 1024)).toEqual([
      { offset: 512, length: 1024, kind: isCounted ? "hole" : "allocated" },
    ])
    await device.write(8 * KIB64, new Uint8Array(512).fill(1))
    await device.flush()
    expect(await device.blockStatus(0, device.size)).toEqual([{ offset: 0, length: device.size, kind: "allocated" }])
    await expect(device.discard(0, 512)).rejects.toMatchObject({ code: "UNSUPPORTED" })
    await device.writeZeroes(8 * KIB64, 512, { mayDiscard: true })
    const buffer = new Uint8Array(512).fill(1)
    await device.read(8 * KIB64, buffer)
    expect(buffer.every((byte) => byte === 0)).toBe(true)
  })

  it("believes a block count of 0 only of file systems it knows", async () => {
    await using device = await create(noKoffi, {}, { ...linux, fileSystemMagic: async () => 0x65735546 })
    expect(await device.blockStatus(0, 512)).toMatchObject([{ kind: "allocated" }])
  })
})

describe("the native calls", () => {
  it("round holes to whole blocks", async () => {
    // Data in [5000, 6000) and [20000, 20001) of 64 KiB.
    const next = (starts: number[], at: number) => starts.find((start) => start >= at)
    const seek: HoleCalls["seek"] = (_fd, at, kind) => {
      const isData = (at >= 5000 && at < 6000) || at === 20000
      if (kind === "data") return isData ? at : next([5000, 20000], at)
      return isData ? (at < 6000 ? 6000 : 20001) : at
    }
    await using device = await create(fakeLoader({ seek }), { blockSize: 4096, size: KIB64 })
    expect((await device.blockStatus(0, KIB64)).map(({ offset, length, kind }) => [offset, length, kind])).toEqual([
      [0, 4096, "hole"],
      [4096, 4096, "allocated"],
      [8192, 8192, "hole"],
      [16384, 4096, "allocated"],
      [20480, 45056, "hole"],
    ])
    expect(await device.blockStatus(4096, 4096)).toEqual([{ offset: 4096, length: 4096, kind: "allocated" }])
  })

  it("end even if a hole comes and goes between two of them", async () => {
    await using device = await create(fakeLoader({ seek: (_fd, at) => at }), { blockSize: 4096, size: KIB64 })
    expect(await device.blockStatus(0, KIB64)).toEqual([{ offset: 0, length: KIB64, kind: "allocated" }])
  })

  it("may refuse: zeroes are then written, a discard is UNSUPPORTED, and a status is allocated", async () => {
    const seek = () => {
      throw systemError("EINVAL")
    }
    for (const io of ["sync", "threads"] as const) {
      await using device = await create(
        fakeLoader({ seek, allocate: () => Promise.reject(systemError("EOPNOTSUPP")) }),
        { io },
      )
      await device.write(0, new Uint8Array(device.size).fill(1))
      await device.writeZeroes(512, device.size - 512, { mayDiscard: true })
      const buffer = new Uint8Array(device.size)
      await device.read(0, buffer)
      expect(buffer.reduce((sum, byte) => sum + byte, 0)).toBe(512)
      const place = { code: "UNSUPPORTED", operation: "discard", offset: 0, length: 512 }
      await expect(device.discard(0, 512)).rejects.toMatchObject(place)
      expect(await device.blockStatus(0, 512)).toMatchObject([{ kind: "allocated" }])
    }
  })

  it("discard nothing any more once a flush has failed", async () => {
    const host = { ...linux, syncData: () => Promise.reject(systemError("EIO")) }
    const device = await create(fakeLoader({ allocate: async () => {} }), {}, host)
    await device.discard(0, 512)
    await expect(device.flush()).rejects.toMatchObject({ code: "IO" })
    await expect(device.discard(0, 512)).rejects.toMatchObject({ code: "IO", operation: "discard" })
    await expect(device.writeZeroes(0, 512)).rejects.toMatchObject({ code: "IO", operation: "writeZeroes" })
    await expect(device.close()).rejects.toMatchObject({ code: "IO" })
  })

  it.each([
    ["ENOSPC", "NO_SPACE"],
    ["EIO", "IO"],
  ])("that fail with %s fail the request", async (errno, code) => {
    await using device = await create(fakeLoader({ allocate: () => Promise.reject(systemError(errno)) }))
    await expect(device.discard(512, 512)).rejects.toMatchObject({ code, offset: 512, length: 512 })
    await expect(device.writeZeroes(512, 512)).rejects.toMatchObject({ code, cause: { code: errno } })
  })
})
