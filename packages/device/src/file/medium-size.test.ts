import { execFileSync } from "node:child_process"
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { nodeFileHost } from "./file-host.ts"
import { koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"
import { openFileDevice } from "./index.ts"
import { mediumSizeBytes, splitDeviceNumber } from "./medium-size.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-size-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a tool prints, or undefined where it is missing or may not. */
function run(tool: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(tool, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return undefined
  }
}

/** A block special file that this process may read. */
function findBlockSpecial(): string | undefined {
  if (!existsSync("/sys/class/block")) return undefined
  const paths = readdirSync("/sys/class/block").map((name) => join("/dev", name))
  return paths.find((path) => {
    try {
      accessSync(path, constants.R_OK)
      return statSync(path).isBlockDevice() && run("blockdev", "--getsize64", path) !== undefined
    } catch {
      return false
    }
  })
}

function attachLoop(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined
  const image = join(folder, "loop.img")
  writeFileSync(image, "")
  truncateSync(image, 10 * 1024 * 1024)
  return run("losetup", "--show", "--find", image)
}

describe("mediumSizeBytes", () => {
  const blockSpecial = { isBlockDevice: () => true, rdev: 0x1234_5678_9abc_def0n } as Parameters<
    typeof mediumSizeBytes
  >[1]

  it("asks the system for a block special file, in sectors of 512 bytes", async () => {
    const paths: string[] = []
    const readText = async (path: string) => {
      paths.push(path)
      return "8589934592\n"
    }
    const host = { ...nodeFileHost, platform: "linux", readText }
    expect(await mediumSizeBytes(host, blockSpecial, "/dev/x")).toBe(4 * 1024 ** 4)
    const { major, minor } = splitDeviceNumber(blockSpecial.rdev)
    expect(paths).toEqual([`/sys/dev/block/${major}:${minor}/size`])
    await expect(
      mediumSizeBytes({ ...host, readText: async () => "many" }, blockSpecial, "/dev/x"),
    ).rejects.toMatchObject({ code: "UNSUPPORTED" })
  })

  it("is UNSUPPORTED by name where the system does not tell", async () => {
    const darwin = mediumSizeBytes({ ...nodeFileHost, platform: "darwin" }, blockSpecial, "/dev/disk1")
    await expect(darwin).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringMatching(/disk1.*darwin/) })
    const readText = () => Promise.reject(Object.assign(new Error("ENOENT"), { code: "ENOENT", errno: -2 }))
    const bare = mediumSizeBytes({ ...nodeFileHost, platform: "linux", readText }, blockSpecial, "/dev/x")
    await expect(bare).rejects.toMatchObject({ code: "UNSUPPORTED", cause: { code: "ENOENT" } })
  })

  it("splits device numbers as glibc does", () => {
    expect(splitDeviceNumber(0x0801n)).toEqual({ major: 8n, minor: 1n })
    expect(splitDeviceNumber(0x10_3_00n)).toEqual({ major: 259n, minor: 0n })
    expect(splitDeviceNumber(0x0010_08f2n)).toEqual({ major: 8n, minor: 0x1f2n })
    expect(splitDeviceNumber(0x1234_5678_9abc_def0n)).toEqual({ major: 0x12345cden, minor: 0x6789abf0n })
  })
})

describe("a block special file", () => {
  it("has the size that blockdev says", async (context) => {
    const path = findBlockSpecial()
    if (path === undefined) return context.skip("no block special file that blockdev may read")
    await using device = await openFileDevice(path, { readOnly: true })
    expect(String(device.size)).toBe(run("blockdev", "--getsize64", path))
  })

  it("is read, written and claimed", async (context) => {
    const path = attachLoop()
    if (path === undefined) return context.skip("loop devices need root, losetup and Linux")
    try {
      const device = await openFileDevice(path, { blockSize: 4096 })
      expect(device).toMatchObject({ size: 10 * 1024 * 1024, features: { write: true, discard: false } })
      const data = new Uint8Array(8192).fill(5)
      await device.write(4096, data, { fua: true })
      await expect(openFileDevice(path)).rejects.toMatchObject({ code: "BUSY" })
      const reader = await openFileDevice(path, { readOnly: true })
      const buffer = new Uint8Array(8192)
      await reader.read(4096, buffer)
      expect(Buffer.compare(buffer, data)).toBe(0)
      expect(await reader.blockStatus(0, 4096)).toEqual([{ offset: 0, length: 4096, kind: "allocated" }])
      await reader.close()
      await device.close()
      const elsewhere = openOnHost({ ...nodeFileHost, platform: "freebsd" }, koffiHoleLoader, path, {})
      await expect(elsewhere).rejects.toMatchObject({ code: "UNSUPPORTED" })
      await (await openFileDevice(path)).close()
    } finally {
      run("losetup", "--detach", path)
    }
  })
})
