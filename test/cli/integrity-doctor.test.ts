import { readFileSync, writeFileSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import { loadVector } from "../vector.ts"
import { scratchFolder, strata } from "./strata.ts"

const scratch = scratchFolder()
afterAll(scratch.remove)

const SIZE = 2 * 1024 * 1024
const image = scratch.path("volume.img")
const KEY = new Uint8Array(32).fill(5)
writeFileSync(scratch.path("key"), KEY)
const WITH_KEY = ["--integrity", "hmac-sha256", "--integrity-key-file", scratch.path("key")]

async function format(...options: readonly string[]): Promise<Uint8Array> {
  writeFileSync(image, new Uint8Array(SIZE))
  expect(await strata(["integrity", "format", "--batch-mode", ...options, image])).toMatchObject({
    status: 0,
    error: "",
  })
  return new Uint8Array(readFileSync(image))
}

function change(bytes: Uint8Array, ...offsets: readonly number[]): void {
  const changed = bytes.slice()
  for (const offset of offsets) changed[offset]! ^= 1
  writeFileSync(image, changed)
}

describe("strata integrity format", () => {
  it("makes a volume with its data on a device of their own, and a journal that is authentic and secret", async () => {
    writeFileSync(scratch.path("meta.img"), new Uint8Array(SIZE))
    writeFileSync(scratch.path("data.img"), new Uint8Array(SIZE).fill(1))
    const journal = ["--journal-integrity", "hmac-sha256", "--journal-integrity-key-file", scratch.path("key")]
    const crypt = ["--journal-crypt", "ctr-aes", "--journal-crypt-key-file", scratch.path("key")]
    const devices = ["--data-device", scratch.path("data.img"), scratch.path("meta.img")]
    const volume = ["--integrity", "sha256", ...journal, ...crypt, ...devices]
    const options = ["--batch-mode", "--tag-size", "16", "--buffer-sectors", "8"]
    expect(await strata(["integrity", "format", ...options, ...volume])).toMatchObject({
      status: 0,
      text: "Formatted with tag size 16, internal integrity sha256.\nSector size 512.\n",
    })
    expect(readFileSync(scratch.path("data.img")).equals(new Uint8Array(SIZE))).toBe(true)
    expect(await strata(["integrity", "check", ...volume])).toMatchObject({ status: 0, text: "", error: "" })
    const { text } = await strata(["integrity", "dump", ...devices])
    expect(text).toContain("flags have_journal_mac fix_hmac \n")
    expect(text).toContain("log2_interleave_sectors 0\n")

    const key = Buffer.from(KEY).toString("hex")
    const words = `meta_device:${scratch.path("meta.img")} internal_hash:sha256 journal_mac:hmac(sha256):${key} journal_crypt:ctr(aes):${key}`
    const table = `0 ${SIZE / 512} integrity ${scratch.path("data.img")} 0 16 J 4 ${words}`
    const input = [new TextEncoder().encode("kept")]
    expect(await strata(["write", "--table", table, "--offset", "4096"], input)).toMatchObject({ status: 0, error: "" })
    expect((await strata(["read", "--table", table, "--offset", "4096", "--length", "4"])).text).toBe("kept")
    expect((await strata(["read", ...volume, "--offset", "4096", "--length", "4"])).text).toBe("kept")
    expect((await strata(["table", ...volume])).text).toContain(`meta_device:${scratch.path("meta.img")}`)
    expect(await strata(["integrity", "check", ...volume])).toMatchObject({ status: 0, text: "" })
    expect(await strata(["check", "--integrity", "sha256", ...devices])).toMatchObject({ status: 1 })
    expect(await strata(["check", ...volume.slice(0, 4), ...devices])).toMatchObject({
      status: 1,
      error: "--journal-integrity and --journal-integrity-key-file go together\n",
    })
  })

  it("makes a volume for mode B, whose bits stand for as many sectors as was asked", async () => {
    await format("--integrity-bitmap-mode", "--bitmap-sectors-per-bit", "4096")
    expect((await strata(["integrity", "dump", image])).text).toContain("log2_blocks_per_bitmap 12\n")
    const both = ["integrity", "format", "-q", "-D", "-B", image]
    expect(await strata(both)).toMatchObject({
      status: 1,
      error: expect.stringContaining("does not go with") as string,
    })
  })

  it("makes a store of tags of a size that is given", async () => {
    await format("--integrity", "none", "--tag-size", "28")
    expect((await strata(["integrity", "dump", image])).text).toContain("integrity_tag_size 28\n")
    const store = ["integrity", "format", "-q", "--integrity", "none", image]
    expect(await strata(store)).toMatchObject({ status: 1, error: "--integrity none wants --tag-size\n" })
    expect(await strata(["integrity", "format", "-q", "--integrity", "sha257", image])).toMatchObject({
      status: 1,
      error: "--integrity: sha257 is not supported\n",
    })
  })
})

describe("strata integrity check", () => {
  it("is silent about a sound volume, and says where a damaged one is damaged", async () => {
    const bytes = await format(...WITH_KEY)
    const check = ["integrity", "check", ...WITH_KEY, image]
    expect(await strata(check)).toMatchObject({ status: 0, text: "", error: "" })
    change(bytes, 29, (SIZE * 3) / 4)
    const { status, text, error } = await strata(check)
    expect([status, error]).toEqual([2, expect.stringMatching(/^1 damaged place/)])
    const lines = text.trimEnd().split("\n")
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^superblock-bitmap-bit \(notice\): .* \[data 29\+1\]$/)
    expect(lines[1]).toMatch(
      /^mismatch: 1 block at offset \d+: data and tag do not match \[data \d+\+512, data \d+\+32\]$/,
    )
    const json = JSON.parse((await strata([...check, "--json"])).text) as { findings: { kind: string }[] }
    expect(json).toMatchObject({ damageCount: 1, findingCount: 2, blocks: { mismatch: 1 } })
    expect(json.findings.map(({ kind }) => kind)).toEqual(["superblock-bitmap-bit", "mismatch"])
  })

  it("takes crc32c where the tags have its size, and asks for the hash elsewhere", async () => {
    await format()
    expect(await strata(["integrity", "check", image])).toMatchObject({ status: 0, text: "" })
    await format("--integrity", "sha256")
    const check = ["integrity", "check", image]
    expect(await strata(check)).toMatchObject({ status: 1, error: expect.stringContaining("--integrity") as string })
    expect(await strata([...check, "--integrity", "none"])).toMatchObject({ status: 0 })
    expect(await strata([...check, "--integrity", "sha257"])).toMatchObject({ status: 1 })
    expect(await strata([...check, "--integrity", "hmac-sha256"])).toMatchObject({ status: 1 })
    expect(
      await strata([...check, "--integrity", "sha256", "--integrity-key-file", scratch.path("key")]),
    ).toMatchObject({
      status: 1,
    })
  })

  it("tells of a wrong key, and of what is no volume", async () => {
    await format(...WITH_KEY)
    writeFileSync(scratch.path("other-key"), new Uint8Array(32))
    const other = ["--integrity", "hmac-sha256", "--integrity-key-file", scratch.path("other-key")]
    const wrong = await strata(["integrity", "check", ...other, image])
    expect([wrong.status, wrong.text.split(":")[0]]).toEqual([2, "salt-or-key"])
    writeFileSync(image, new Uint8Array(65536))
    const none = await strata(["integrity", "check", ...WITH_KEY, image])
    expect([none.status, none.text]).toEqual([2, "superblock-signature: superblock: no signature [data 0+8]\n"])
  })

  it("checks a volume of the kernel's whose data lie on a device of their own", async () => {
    const vector = loadVector("integrity-separate-meta")
    for (const name of ["disk.img", "data.img"]) writeFileSync(scratch.path(name), vector.image(name))
    const check = ["integrity", "check", "--integrity", "sha256", "--data-device", scratch.path("data.img")]
    expect(await strata([...check, scratch.path("disk.img")])).toMatchObject({ status: 0, text: "", error: "" })
  })
})

describe("strata integrity repair", () => {
  it("writes nothing unless the data are to be trusted, and then what it said", async () => {
    const bytes = await format(...WITH_KEY)
    change(bytes, (SIZE * 3) / 4, (SIZE * 3) / 4 + 4096)
    const before = readFileSync(image)
    const repair = ["integrity", "repair", ...WITH_KEY, image]
    const planned = await strata(repair)
    expect(planned).toMatchObject({ status: 0, error: expect.stringContaining("No tag was written") as string })
    expect(planned.text.match(/^\d+\+512: would get new tags \[data \d+\+512, data \d+\+32\]$/gm)).toHaveLength(2)
    expect(readFileSync(image).equals(before)).toBe(true)
    const first = Number(/^\d+/.exec(planned.text)?.[0])
    expect(await strata([...repair, "--trust-data", "--range", `${first}+512`])).toMatchObject({ status: 0, error: "" })
    expect((await strata(repair)).text.split("\n")).toHaveLength(2)
    expect(await strata([...repair, "--trust-data"])).toMatchObject({ status: 0, error: "" })
    expect(await strata(["integrity", "check", ...WITH_KEY, image])).toMatchObject({ status: 0, text: "" })
    expect(await strata([...repair, "--range", "7"])).toMatchObject({ status: 1 })
  })

  it("refuses a key with which nothing matches", async () => {
    await format(...WITH_KEY)
    const other = ["--integrity", "hmac-sha256", "--integrity-key-file", scratch.path("other-key")]
    const before = readFileSync(image)
    expect(await strata(["integrity", "repair", "--trust-data", ...other, image])).toMatchObject({
      status: 1,
      error: expect.stringContaining("REFUSED") as string,
    })
    expect(readFileSync(image).equals(before)).toBe(true)
  })
})

describe("strata integrity replay and dump --journal", () => {
  const vector = loadVector("integrity-dirty-journal")

  it("says what stands in a journal and what a replay would do, does that, and is then done", async () => {
    const before = vector.image("disk.img")
    writeFileSync(image, before)
    const dump = await strata(["integrity", "dump", "--journal", image])
    const [, sectionCount, entryCount, blockCount] =
      /^journal: (\d+) section\(s\), (\d+) entries; a replay would write (\d+) block\(s\)$/m.exec(dump.text) ?? []
    expect([dump.status, Number(sectionCount) > 0, Number(entryCount) >= Number(blockCount)]).toEqual([0, true, true])
    expect(
      dump.text.match(/^ {2}entry \d+: block at \d+, sound, newest \[data \d+\+\d+, data \d+\+512\]$/gm),
    ).toHaveLength(Number(blockCount))
    const planned = await strata(["integrity", "replay", "--dry-run", image])
    expect(planned.text).toMatch(
      new RegExp(`^${blockCount} block\\(s\\) .* would be written.*; the journal would be cleared$`, "m"),
    )
    expect(readFileSync(image).equals(before)).toBe(true)
    const done = await strata(["integrity", "replay", image])
    const shared = (text: string) => text.split("\n").slice(0, -2)
    expect([done.status, shared(done.text)]).toEqual([0, shared(planned.text)])
    expect(await strata(["integrity", "check", image])).toMatchObject({ status: 0, text: "" })
    expect((await strata(["integrity", "replay", image])).text).toMatch(/^0 block/)
  })

  it("refuses a damaged journal, and gives it up only when told to", async () => {
    const bytes = vector.image("disk.img")
    bytes[4096 + 512 - 1]! ^= 1
    writeFileSync(image, bytes)
    expect(await strata(["integrity", "replay", image])).toMatchObject({ status: 4 })
    const check = await strata(["integrity", "check", image])
    expect([check.status, check.text]).toEqual([2, expect.stringMatching(/^journal-commit-id: .* \[data 4600\+8\]\n/)])
    const repair = ["integrity", "repair", image]
    expect(await strata(repair)).toMatchObject({ error: expect.stringContaining("--discard-journal") as string })
    expect(readFileSync(image).equals(bytes)).toBe(true)
    expect(await strata([...repair, "--discard-journal"])).toMatchObject({ status: 0, error: "" })
    expect(await strata(["integrity", "check", image])).toMatchObject({ status: 0, text: "" })
  })

  it("tells of a bitmap", async () => {
    writeFileSync(image, loadVector("integrity-dirty-bitmap").image("disk.img"))
    const { status, text } = await strata(["integrity", "dump", "--journal", image])
    expect([status, text]).toEqual([0, expect.stringMatching(/^bitmap: 1 marked range\(s\)$/m)])
    expect(await strata(["integrity", "replay", image])).toMatchObject({ status: 1 })
  })
})
