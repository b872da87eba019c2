import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import { scratchFolder, strata } from "./strata.ts"

const scratch = scratchFolder()
afterAll(scratch.remove)

const CONTENT = Buffer.alloc(1024 * 1024, "plain text\n")

function place(name: string, content: string | Uint8Array = CONTENT): string {
  writeFileSync(scratch.path(name), content)
  return scratch.path(name)
}

describe("strata read --output", () => {
  it.each(["itself", "a link", "a symbolic link"])("does not empty what it reads from, named by %s", async (kind) => {
    const image = place(`medium ${kind}`.replaceAll(" ", "-"))
    const output = kind === "itself" ? image : `${image}-link`
    if (kind === "a link") linkSync(image, output)
    if (kind === "a symbolic link") symlinkSync(image, output)
    expect(await strata(["read", "--table", `0 2048 linear ${image} 0`, "--output", output])).toMatchObject({
      status: 5,
      error: `${output} is what the volume is read from\n`,
    })
    expect(readFileSync(image).equals(CONTENT)).toBe(true)
  })

  it("leaves a file alone when there is nothing to read", async () => {
    const output = place("kept", "kept")
    expect(await strata(["read", "--table", "0 8 zero", "--offset", "1M", "--output", output])).toMatchObject({
      status: 1,
    })
    expect(readFileSync(output, "utf8")).toBe("kept")
  })
})

describe("strata write", () => {
  it("writes nothing of a file that is too long, and says how much of stdin went in", async () => {
    const image = place("target", new Uint8Array(4096))
    const table = ["--table", `0 8 linear ${image} 0`]
    expect((await strata(["write", ...table, "--offset", "1", "--input", place("long", CONTENT)])).status).toBe(1)
    expect(readFileSync(image).every((byte) => byte === 0)).toBe(true)
    const run = await strata(["write", ...table, "--offset", "4000"], [CONTENT.subarray(0, 90), CONTENT])
    expect(run).toMatchObject({ status: 1, error: expect.stringContaining("; 90 bytes were written before") as string })
  })
})

describe("strata verity format", () => {
  it.each([
    ["--data-block-size", "0"],
    ["--data-block-size", "1000"],
    ["--hash-block-size", "256"],
    ["--hash-offset", "3"],
    ["--hash-offset", "9007199254740991"],
    ["--data-blocks", "0"],
    ["--data-blocks", "999999999"],
    ["--data-blocks", "9007199254740991"],
    ["--uuid", "nonsense"],
    ["--salt", "ab".repeat(257)],
  ])("refuses %s %s before it touches the hash file", async (option, value) => {
    const hash = place("hash", "kept")
    const { status, error } = await strata(["verity", "format", option, value, place("data"), hash])
    expect(status).toBe(1)
    expect(error).toMatch(/expected|multiple|digits/)
    expect(readFileSync(hash, "utf8")).toBe("kept")
  })

  it.each([[], ["--hash-offset", "4096"], ["--data-blocks", "256", "--hash-offset", "1044480"]])(
    "does not write a tree over its own data: %j",
    async (...options) => {
      const image = place("own")
      symlinkSync(image, `${image}-${options.length}`)
      const { status, error } = await strata(["verity", "format", ...options, image, `${image}-${options.length}`])
      expect([status, error]).toEqual([1, "Data area overlaps with hash area.\n"])
      expect(readFileSync(image).equals(CONTENT)).toBe(true)
    },
  )

  it("without superblock, verifies all of the data if no count of blocks is given", async () => {
    const [data, hash] = [place("data"), scratch.path("bare-hash")]
    const { text } = await strata(["verity", "format", "--no-superblock", "--salt", "-", data, hash])
    const root = /Root hash:\s+(\w+)/.exec(text)?.[1] ?? ""
    const verify = ["verity", "verify", "--no-superblock", "--salt", "-"]
    expect(await strata([...verify, data, hash, root])).toMatchObject({ status: 0, error: "" })
    expect((await strata([...verify, "--data-blocks", "255", data, hash, root])).status).not.toBe(0)
  })
})

describe("strata integrity format", () => {
  it("takes no empty key, and journal sizes as integritysetup takes them", async () => {
    const image = place("integrity", CONTENT)
    const format = ["integrity", "format", "--batch-mode", image]
    const withKey = ["--integrity", "hmac-sha256", "--integrity-key-file", place("empty-key", "")]
    expect(await strata([...format, ...withKey])).toMatchObject({
      status: 1,
      error: expect.stringContaining("expected a key, got an empty file") as string,
    })
    expect(readFileSync(image).equals(CONTENT)).toBe(true)
    expect((await strata([...format, "--journal-size", "100001"])).status).toBe(0)
    expect((await strata(["check", image, ...withKey])).status).toBe(1)
    const unused = ["--integrity", "none", "--integrity-key-file", place("key", "key")]
    expect(await strata(["check", image, ...unused])).toMatchObject({
      status: 1,
      error: expect.stringContaining("a key without an algorithm") as string,
    })
  })
})

describe("options that would have no effect", () => {
  const table = ["--table", "0 8 zero"]
  it.each([
    [[...table, "--hash-device", "h"], "--hash-device goes with an IMAGE"],
    [[...table, "--integrity", "sha256"], "--integrity goes with an IMAGE"],
    [["image", "--root-hash", "ab"], "--root-hash goes with --hash-device"],
    [["image", "--no-superblock"], "--no-superblock goes with --hash-device"],
    [["image", "--hash-device", "h", "-D"], "--integrity-no-journal does not go with --hash-device"],
  ])("%j is refused", async (args, error) => {
    expect(await strata(["check", ...args])).toMatchObject({ status: 1, error: `${error}\n` })
  })
})

describe("a dash", () => {
  it("is stdin for keys and data, once, and stdout for what is read", async () => {
    const image = place("dashed", new Uint8Array(4096))
    const table = ["--table", `0 8 crypt aes-xts-plain64 :64:logon:k 0 ${image} 0`]
    const key = new Uint8Array(64).map((_, index) => index)
    const write = ["write", ...table, "--key", "k=-"]
    expect(await strata([...write, "--input", "-"], [key])).toMatchObject({
      status: 1,
      error: "stdin is asked for twice\n",
    })
    expect((await strata([...write, "--input", place("text", "in cipher")], [key.slice()])).status).toBe(0)
    const pieces = [key.slice(0, 3), key.slice(3)]
    const read = await strata(["read", ...table, "--key", "k=-", "--length", "9", "--output", "-"], pieces)
    expect([read.status, read.text]).toEqual([0, "in cipher"])
  })
})

describe("what cannot be a device", () => {
  it("ends with status 4, wherever it is named", async () => {
    mkdirSync(scratch.path("folder"))
    for (const path of [scratch.path("folder"), scratch.path("absent"), "/dev/null"]) {
      for (const args of [
        ["read", path],
        ["inspect", path],
        ["read", "--table", `0 8 linear ${path} 0`],
      ])
        expect([args, (await strata(args)).status]).toEqual([args, 4])
    }
  })

  it("says each thing once", async () => {
    const { error } = await strata(["read", "--table", "0 8 zero extra"])
    expect(error).toBe("table: line 1: zero: expected no arguments, got 1 [INVALID]\n")
  })
})

describe("tables made to hurt", () => {
  const device = (index: number, lines: readonly string[]) => `d${index},,,rw,${lines.join(",")}`
  const tower = (height: number, lines: (below: string) => readonly string[]) =>
    Array.from({ length: height }, (_, index) =>
      device(index, index === 0 ? ["0 16 linear mem:8k 0"] : lines(`d${index - 1}`)),
    ).join(";")

  it("a tower of devices is refused by its height, and stands up to there", async () => {
    const line = (below: string) => [`0 16 linear ${below} 0`]
    expect(await strata(["read", "--table", tower(2000, line)])).toMatchObject({
      status: 1,
      error: "table: more than 64 devices on top of each other [UNSUPPORTED]\n",
    })
    const { status, out } = await strata(["read", "--table", tower(64, line)])
    expect([status, out.length]).toEqual([0, 8192])
  })

  it("devices that use each other twice take no more than they are to draw and to search", async () => {
    const twice = tower(40, (below) => [`0 8 linear ${below} 0`, `8 8 linear ${below} 8`])
    const { status, error } = await strata(["table", "--table", twice])
    expect([status, error.split("\n").length < 400]).toEqual([0, true])
    expect((await strata(["read", "--table", twice, "--output", scratch.path("copy")])).status).toBe(0)
  })
})
