import { type BlockDevice, BlockError, memoryDevice } from "@blockstrata/device"
import { describe, expect, it } from "vitest"
import type { OpenFile } from "./file-opener.ts"
import { openVolume } from "./open-volume.ts"
import { drawStack } from "./stack-drawing.ts"

/** Opens every path as memory but `absent`, and keeps what it opened. */
function recordingOpener(): { openFile: OpenFile; opened: BlockDevice[]; writableCount: () => number } {
  const opened: BlockDevice[] = []
  const openFile: OpenFile = async (path, { readOnly }) => {
    if (path === "absent") throw new BlockError("INVALID", "file: absent", { operation: "open" })
    const device = memoryDevice({ size: 65536, readOnly })
    opened.push(device)
    return device
  }
  return { openFile, opened, writableCount: () => opened.filter((device) => device.features.write).length }
}

async function isClosed(device: BlockDevice): Promise<boolean> {
  const failure: unknown = await device.read(0, new Uint8Array(512)).catch((error: unknown) => error)
  return failure instanceof BlockError && failure.code === "CLOSED"
}

describe("openVolume", () => {
  it.each([
    ["a file that is absent", { table: "0 8 striped 2 4 here 0 absent 0" }],
    ["a range that does not fit", { table: "a,,,rw,0 8 linear here 0;b,,,rw,0 8 linear a 8" }],
    ["a key that is not there", { table: "0 8 crypt aes-xts-plain64 :64:logon:none 0 here 0" }],
    ["no superblock", { table: "0 8 integrity here 0 4 R 1 internal_hash:crc32c" }],
    ["an image that is none", { image: "here" }],
    ["a hash image that is none", { image: "here", verity: { hashImage: "there", rootHash: new Uint8Array(32) } }],
  ])("that fails leaves nothing open: %s", async (_what, source) => {
    const { openFile, opened } = recordingOpener()
    await expect(openVolume({ ...source, openFile, readOnly: true })).rejects.toBeInstanceOf(BlockError)
    expect(opened.length).toBeGreaterThan(0)
    expect(await Promise.all(opened.map(isClosed))).not.toContain(false)
  })

  it("opens nothing for writing that is to be read only", async () => {
    const { openFile, opened, writableCount } = recordingOpener()
    const table = "a,,,rw,0 8 linear one 0;b,,,rw,0 8 linear a 0,8 8 linear two 0"
    const { device } = await openVolume({ table, openFile, readOnly: true })
    await expect(device.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: "READ_ONLY" })
    await device.close()
    expect([opened.length, writableCount()]).toEqual([2, 0])
  })
})

describe("drawStack", () => {
  it("draws what stands twice in full only once", async () => {
    const table = "a,,,rw,0 8 linear mem:4k 0;b,,,rw,0 8 linear a 0,8 8 linear a 0"
    const { device } = await openVolume({ table })
    expect(drawStack(device).split("\n")).toEqual([
      "table  8 KiB in blocks of 512",
      "├─ range0: linear  4 KiB in blocks of 512",
      "│  └─ data: linear  4 KiB in blocks of 512",
      "│     └─ data: memory  4 KiB in blocks of 512",
      "└─ range1: linear  4 KiB in blocks of 512",
      "   └─ data: linear  4 KiB in blocks of 512, drawn above",
    ])
    await device.close()
  })
})
