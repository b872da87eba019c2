import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { memoryDevice } from "@blockstrata/device"
import { type FormatIntegrityOptions, formatIntegrity, printSuperblock } from "@blockstrata/integrity"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { findTool } from "../../bench/src/harness/tool.ts"

const tool = findTool("integritysetup")
const sha256 = { name: "sha256" } as const
const FORMATS: readonly Partial<FormatIntegrityOptions>[] = [
  { internalHash: sha256, tagSize: 32, blockSize: 512 },
  { internalHash: sha256, tagSize: 16, blockSize: 4096, journalSectors: 4000, interleaveSectors: 256 },
  { internalHash: { name: "crc32c" }, tagSize: 4, blockSize: 2048, sectorsPerBit: 64 },
  { internalHash: sha256, tagSize: 32, blockSize: 1024, legacyHmac: true },
  { internalHash: sha256, tagSize: 32, blockSize: 1024, legacyHmac: true, legacyPadding: true, mode: "B" },
  { internalHash: undefined, tagSize: 28, blockSize: 4096 },
  { internalHash: undefined, tagSize: 28, blockSize: 512, legacyPadding: true },
]

describe.skipIf(tool === undefined)("integritysetup dump (skipped where it is not installed)", () => {
  let folder = ""
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "integritysetup-"))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(FORMATS)("reads what was formatted here: %o", async (format) => {
    const image = new Uint8Array(4 * 1024 * 1024)
    const lower = memoryDevice({ bytes: image })
    const superblock = await formatIntegrity({
      lower,
      tagSize: 4,
      blockSize: 512,
      internalHash: undefined,
      wipe: true,
      ...format,
    })
    const path = join(folder, "disk.img")
    writeFileSync(path, image)
    const { status, stdout, stderr } = spawnSync(tool!, ["dump", path], { encoding: "utf8" })
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.trimEnd()),
    ).toEqual(printSuperblock(superblock))
  })
})
