import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { fileFlush } from "./file-flush.ts"
import { type FileHost, nodeFileHost } from "./file-host.ts"
import { koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-flush-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Syncs that end when told to. */
function heldHost(): { host: FileHost; pending: { resolve: () => void; reject: (error: Error) => void }[] } {
  const pending: { resolve: () => void; reject: (error: Error) => void }[] = []
  const syncData = () => new Promise<void>((resolve, reject) => pending.push({ resolve, reject }))
  return { host: { ...nodeFileHost, syncData }, pending }
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const eio = () => Object.assign(new Error("EIO"), { code: "EIO", errno: -5, syscall: "fdatasync" })

describe("a failed flush", () => {
  it("is final: everything but reading fails with it, though the system would now say yes", async () => {
    let syncCount = 0
    const syncData = async () => {
      syncCount += 1
      if (syncCount === 2) throw eio()
    }
    const host = { ...nodeFileHost, syncData }
    const device = await openOnHost(host, koffiHoleLoader, join(folder, "final.img"), { create: true, size: 4096 })
    const block = new Uint8Array(512)
    await device.write(0, block, { fua: true })
    const failure = { code: "IO", device: "file", cause: { code: "EIO" } }
    await expect(device.flush()).rejects.toMatchObject({ ...failure, operation: "flush" })
    await expect(device.flush()).rejects.toMatchObject({ ...failure, operation: "flush" })
    await expect(device.write(0, block)).rejects.toMatchObject({ ...failure, operation: "write" })
    await expect(device.write(0, block, { fua: true })).rejects.toMatchObject(failure)
    for (const mayDiscard of [false, true]) {
      await expect(device.writeZeroes(0, 512, { mayDiscard })).rejects.toMatchObject({
        ...failure,
        operation: "writeZeroes",
      })
    }
    await device.read(0, block)
    await expect(device.close()).rejects.toMatchObject({ ...failure, operation: "close" })
    expect(syncCount).toBe(2)
  })

  it("reaches the callers that joined it and those that waited behind it", async () => {
    const { host, pending } = heldHost()
    const { flush, check } = fileFlush(host, 0)
    const first = flush()
    await turn()
    const second = flush()
    const outcomes = Promise.allSettled([first, second])
    pending[0]?.reject(eio())
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(["rejected", "rejected"])
    expect(pending).toHaveLength(1)
    expect(check).toThrow(/fdatasync/)
  })
})

describe("flushes", () => {
  it("run one at a time, and one serves all who called before it began", async () => {
    const { host, pending } = heldHost()
    const { flush } = fileFlush(host, 0)
    const first = flush()
    await turn()
    expect(pending).toHaveLength(1)
    let settledCount = 0
    const later = [flush(), flush(), flush()].map((flushed) => flushed.then(() => (settledCount += 1)))
    await turn()
    expect(pending).toHaveLength(1)
    pending[0]?.resolve()
    await first
    await turn()
    // What they had written may be later than the sync that has just ended.
    expect(pending).toHaveLength(2)
    expect(settledCount).toBe(0)
    pending[1]?.resolve()
    for (const flushed of later) await flushed
    expect(settledCount).toBe(3)
  })

  it("of a read-only device ask the system for nothing", async () => {
    const path = join(folder, "read-only.img")
    await (await openOnHost(nodeFileHost, koffiHoleLoader, path, { create: true, size: 512 })).close()
    let syncCount = 0
    const syncData = async () => {
      syncCount += 1
    }
    const device = await openOnHost({ ...nodeFileHost, syncData }, koffiHoleLoader, path, { readOnly: true })
    await device.flush()
    await device.close()
    expect(syncCount).toBe(0)
  })
})
