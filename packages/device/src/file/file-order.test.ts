import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { settleAll } from "../settle-all.ts"
import { type FileHost, nodeFileHost } from "./file-host.ts"
import { koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"

const folder = mkdtempSync(join(tmpdir(), "blockstrata-order-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Both end inside a block, so that a block is moved in two calls; a write catches up with the read before it. */
const READ_PIECE_BYTES = 9_900
const WRITE_PIECE_BYTES = 50_100
const MIB = 1024 * 1024

/** A system that moves little at a time, so that requests side by side are sure to meet in the middle of a block. */
const piecewise =
  (transfer: FileHost["readSync"], pieceBytes: number): FileHost["readSync"] =>
  (fd, bytes, start, length, position) =>
    transfer(fd, bytes, start, Math.min(length, pieceBytes), position)
const readSync = piecewise(nodeFileHost.readSync, READ_PIECE_BYTES)
const writeSync = piecewise(nodeFileHost.writeSync, WRITE_PIECE_BYTES)
const host: FileHost = {
  ...nodeFileHost,
  readSync,
  writeSync,
  read: async (...call) => readSync(...call),
  write: async (...call) => writeSync(...call),
}

/** Where blocks begin that are not the same byte throughout, their tag included. */
function listMixedBlocks(data: Uint8Array, tags: Uint8Array, tagSize: number): number[] {
  const indexes = Array.from({ length: data.length / 512 }, (_, index) => index)
  return indexes.filter((index) => {
    const block = [
      ...data.subarray(index * 512, index * 512 + 512),
      ...tags.subarray(index * tagSize, (index + 1) * tagSize),
    ]
    return block.some((byte) => byte !== block[0])
  })
}

describe.each(["auto", "sync", "threads"] as const)("with io %s", (io) => {
  it.each([0, 16])("overlapping readers see each block old or new, with its own tag of %i bytes", async (tagSize) => {
    const path = join(folder, `${io}-${tagSize}.img`)
    await using device = await openOnHost(host, koffiHoleLoader, path, { create: true, size: MIB, tagSize, io })
    const requests: Promise<void>[] = []
    const seen: { data: Uint8Array; tags: Uint8Array }[] = []
    for (let round = 1; round <= 10; round++) {
      const tagged = { tags: new Uint8Array((MIB / 512) * tagSize).fill(round) }
      requests.push(device.write(0, new Uint8Array(MIB).fill(round), tagged))
      const data = new Uint8Array(MIB / 2)
      const tags = new Uint8Array((MIB / 1024) * tagSize)
      seen.push({ data, tags })
      requests.push(device.read((round % 2) * data.length, data, tags))
    }
    await settleAll(requests)
    expect(seen.flatMap(({ data, tags }) => listMixedBlocks(data, tags, tagSize))).toEqual([])
  })
})
