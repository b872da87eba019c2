import { type BlockDevice, BlockError, memoryDevice } from "@blockstrata/device"
import { readWriteLog, sendMessage } from "@blockstrata/targets/faults"
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

describe("targets that go wrong on purpose", () => {
  it("are words of a table, and what they log is read back", async () => {
    const media = new Map([
      ["data", new Uint8Array(32768)],
      ["log", new Uint8Array(65536)],
    ])
    const openFile: OpenFile = async (path) => memoryDevice({ bytes: media.get(path) ?? new Uint8Array(0) })
    const table =
      "bad,,,rw,0 64 dust data 0 4096;slow,,,rw,0 64 delay bad 0 0;" +
      "flaky,,,rw,0 64 flakey slow 0 1000 0 1 drop_writes;top,,,rw,0 64 log-writes flaky log"
    const { device, printTable } = await openVolume({ table, openFile })
    expect(printTable()).toBe(table)
    await device.write(512, new Uint8Array(512).fill(7))
    await sendMessage(device, "mark here")
    await device.close()
    const marks: string[] = []
    for await (const { mark, offset, length } of readWriteLog(memoryDevice({ bytes: media.get("log") }))) {
      marks.push(mark ?? `${offset}+${length}`)
    }
    expect(marks).toEqual(["here", "512+512", "0+0", "dm-log-writes-end"])
    expect(media.get("data")?.[512]).toBe(7)
  })

  it("answer messages that the kernel answers", async () => {
    const { device } = await openVolume({ table: "0 64 dust mem:64k 0 4096" })
    await sendMessage(device, "addbadblock 3")
    await sendMessage(device, "enable")
    expect(await sendMessage(device, "countbadblocks")).toBe("countbadblocks: 1 badblock(s) found")
    await expect(device.read(3 * 4096, new Uint8Array(512))).rejects.toMatchObject({ code: "IO", device: "dust" })
    await device.close()
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
