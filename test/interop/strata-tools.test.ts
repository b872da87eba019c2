import { randomBytes } from "node:crypto"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import { findTool } from "../../bench/src/harness/tool.ts"
import { scratchFolder, strata } from "../cli/strata.ts"
import { runProcess } from "../process.ts"

const veritysetup = findTool("veritysetup")
const integritysetup = findTool("integritysetup")
const { folder, path, remove } = scratchFolder()
afterAll(remove)

const UUID = "4c24530c-5697-4aa1-80e9-93c5db931920"
const dataPath = path("data.img")
writeFileSync(dataPath, randomBytes(300 * 4096))

const tool = (program: string | undefined, ...args: string[]) => runProcess(program ?? "", args, folder)
const rootOf = (text: string) => /^Root hash:\s+([0-9a-f]+)$/m.exec(text)?.[1] ?? ""
const damage = (name: string, offset: number) => {
  const bytes = readFileSync(path(name))
  bytes[offset] = (bytes[offset] ?? 0) ^ 1
  writeFileSync(path(name), bytes)
}

const FORMATS: readonly (readonly string[])[] = [
  ["--salt", "00ff"],
  ["--salt", "-"],
  ["--salt", "ab".repeat(256), "--format", "0"],
  ["--data-block-size", "512", "--hash-block-size", "1024", "--salt", "01"],
  ["--data-blocks", "1", "--salt", "01"],
  ["--data-blocks", "129", "--salt", "01", "--hash-offset", "8192"],
  ["--no-superblock", "--salt", "01"],
]

describe.skipIf(veritysetup === undefined)("strata verity and veritysetup (skipped where it is not installed)", () => {
  it.each(FORMATS)("format alike, to the byte and to the word: %s %s %s %s", async (...options) => {
    for (const name of ["ours.img", "theirs.img"]) rmSync(path(name), { force: true })
    const uuid = options.includes("--no-superblock") ? [] : ["--uuid", UUID]
    const ours = await strata(["verity", "format", dataPath, path("ours.img"), ...uuid, ...options])
    const theirs = await tool(veritysetup, "format", dataPath, path("theirs.img"), ...uuid, ...options)
    expect([ours.status, theirs.status]).toEqual([0, 0])
    expect(ours.text.replaceAll("ours.img", "")).toBe(theirs.stdout.replaceAll("theirs.img", ""))
    expect(readFileSync(path("ours.img")).equals(readFileSync(path("theirs.img")))).toBe(true)
    const geometry = options.includes("--no-superblock")
      ? [...options, "--data-blocks", "300"]
      : options.filter((_, index) => options[index - (index % 2)] === "--hash-offset")
    const verify = ["verify", dataPath, path("ours.img"), rootOf(ours.text), ...geometry]
    expect(await tool(veritysetup, ...verify)).toMatchObject({ status: 0, stdout: "", stderr: "" })
    expect(await strata(["verity", ...verify])).toMatchObject({ status: 0, text: "", error: "" })
  })

  it.each<[string, (root: string) => readonly string[]]>([
    ["bad data", (root) => [path("bad.img"), path("hash.img"), root]],
    ["a bad hash block", (root) => [dataPath, path("bad-hash.img"), root]],
    [
      "a wrong root",
      (root) => [dataPath, path("hash.img"), root.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))],
    ],
    ["no root at all", () => [dataPath, path("hash.img"), "zz"]],
    ["no superblock", (root) => [dataPath, dataPath, root]],
    ["no data file", (root) => [path("absent.img"), path("hash.img"), root]],
  ])("say the same of %s", async (_what, args) => {
    rmSync(path("hash.img"), { force: true })
    const root = rootOf((await strata(["verity", "format", dataPath, path("hash.img")])).text)
    writeFileSync(path("bad.img"), readFileSync(dataPath))
    damage("bad.img", 77 * 4096 + 5)
    writeFileSync(path("bad-hash.img"), readFileSync(path("hash.img")))
    damage("bad-hash.img", 3 * 4096 + 5)
    const ours = await strata(["verity", "verify", ...args(root)])
    const theirs = await tool(veritysetup, "verify", ...args(root))
    expect(ours.status).toBe(theirs.status)
    expect(ours.error).toBe(theirs.stderr)
  })

  it("dump alike", async () => {
    rmSync(path("hash.img"), { force: true })
    expect((await tool(veritysetup, "format", dataPath, path("hash.img"))).status).toBe(0)
    expect((await strata(["verity", "dump", path("hash.img")])).text).toBe(
      (await tool(veritysetup, "dump", path("hash.img"))).stdout,
    )
  })
})

describe.skipIf(integritysetup === undefined)(
  "strata integrity and integritysetup (skipped where it is not installed)",
  () => {
    it.each([
      ["-I", "crc32c"],
      ["-I", "sha256", "--sector-size", "4096", "--tag-size", "16"],
      ["-I", "sha256", "--integrity-legacy-padding", "--interleave-sectors", "1024"],
    ])("dump alike what strata formatted: %s %s %s %s", async (...options) => {
      writeFileSync(path("disk.img"), new Uint8Array(4 * 1024 * 1024))
      expect((await strata(["integrity", "format", "-q", path("disk.img"), ...options])).status).toBe(0)
      expect((await strata(["integrity", "dump", path("disk.img")])).text).toBe(
        (await tool(integritysetup, "dump", path("disk.img"))).stdout,
      )
      const volume = [path("disk.img"), "--integrity", options[1] ?? "", "--integrity-no-journal"]
      expect((await strata(["check", ...volume])).status).toBe(0)
      expect((await strata(["write", ...volume, "--offset", "5000"], [new TextEncoder().encode("kept")])).status).toBe(
        0,
      )
      expect((await strata(["read", ...volume, "--offset", "5000", "--length", "4"])).text).toBe("kept")
    })

    it("asks before it destroys, and says what is no volume", async () => {
      writeFileSync(path("disk.img"), new Uint8Array(4 * 1024 * 1024))
      expect((await strata(["integrity", "format", path("disk.img")])).status).toBe(1)
      const dump = await strata(["integrity", "dump", path("disk.img")])
      const theirs = await tool(integritysetup, "dump", path("disk.img"))
      expect([dump.status, dump.error]).toEqual([theirs.status, theirs.stderr])
    })
  },
)
