import { readFileSync, writeFileSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import { loadVector, sha256 } from "../vector.ts"
import { scratchFolder, strata } from "./strata.ts"

const KEY =
  "d2c7c039c0ff262a7b12c20001188872d0f5987df11548e5d6bce00d7b778326a29b9b541b17efcaf1a68e61377903102f821223fdfaa113d1a56eb45b12c457"
const scratch = scratchFolder()
afterAll(scratch.remove)

/** Unpacks the images of a vector and returns its table over them. */
function place(name: string): string {
  const vector = loadVector(name)
  const lines = vector.stack.map(({ name: device, line }) => {
    const placed = line.replace(/img:(\S+)/g, (_, image: string) => {
      writeFileSync(scratch.path(image), vector.image(image))
      return scratch.path(image)
    })
    return `${device},,,rw,${placed.replace(/[\\,;]/g, "\\$&")}`
  })
  return lines.join(";")
}

describe("strata read and write", () => {
  it("reads a kernel's volume whole, in part, and into a file", async () => {
    const table = place("crypt-integrity-aes-gcm-random")
    const whole = await strata(["read", "--table", table])
    expect([whole.status, sha256(whole.out)]).toEqual([
      0,
      loadVector("crypt-integrity-aes-gcm-random").manifest.expect.sha256,
    ])
    const part = await strata(["read", "--table", table, "--offset", "1000", "--length", "5k"])
    expect(sha256(part.out)).toBe(sha256(whole.out.slice(1000, 1000 + 5120)))
    writeFileSync(scratch.path("table"), `${table}\n`)
    expect(
      (await strata(["read", "--table", `@${scratch.path("table")}`, "--output", scratch.path("plain")])).status,
    ).toBe(0)
    expect(sha256(new Uint8Array(readFileSync(scratch.path("plain"))))).toBe(sha256(whole.out))
  })

  it("writes at any offset, and refuses what does not fit or cannot be written", async () => {
    const table = place("crypt-aes-xts-tcg")
    const text = new TextEncoder().encode("hello, device")
    expect(
      await strata(["write", "--table", table, "--offset", "4090"], [text.slice(0, 5), text.slice(5)]),
    ).toMatchObject({ status: 0 })
    expect((await strata(["read", "--table", table, "--offset", "4090", "--length", "13"])).text).toBe("hello, device")
    expect(await strata(["write", "--table", table, "--offset", "65530"], [text])).toMatchObject({ status: 1 })
    expect(await strata(["write", "--read-only", "--table", table], [text])).toMatchObject({
      status: 4,
      error: expect.stringContaining("READ_ONLY") as string,
    })
  })

  it("takes a key from a file, by its description", async () => {
    const table = place("crypt-aes-xts-tcg").replace(KEY, ":64:logon:volume")
    writeFileSync(scratch.path("key"), Buffer.from(KEY, "hex"))
    const { out, status } = await strata(["read", "--table", table, "--key", `volume=${scratch.path("key")}`])
    expect([status, sha256(out)]).toEqual([0, loadVector("crypt-aes-xts-tcg").manifest.expect.sha256])
  })
})

describe("strata check", () => {
  it("is silent about a good volume and lists the bad ranges of a damaged one", async () => {
    const table = place("integrity-sha256-4k")
    expect(await strata(["check", "--table", table])).toMatchObject({ status: 0, text: "" })
    const image = readFileSync(scratch.path("disk.img"))
    image[344164] = (image[344164] ?? 0) ^ 0xff
    writeFileSync(scratch.path("disk.img"), image)
    expect(await strata(["check", "--table", table])).toMatchObject({ status: 2, text: "73728 4096 INTEGRITY\n" })
    const json = JSON.parse((await strata(["check", "--json", "--table", table])).text) as {
      bad: unknown[]
      sizeText: string
    }
    expect(json).toMatchObject({
      size: 3923968,
      sizeText: "3923968",
      bad: [{ offset: 73728, offsetText: "73728", length: 4096, code: "INTEGRITY" }],
    })
  })

  it("opens images by their superblocks", async () => {
    place("integrity-sha256-4k")
    expect((await strata(["check", scratch.path("disk.img"), "--integrity", "sha256"])).status).toBe(0)
    expect((await strata(["check", scratch.path("disk.img"), "--integrity", "crc32c"])).status).toBe(2)
    place("verity-sha256")
    const root = loadVector("verity-sha256").manifest.expect.root_hash ?? ""
    const verity = ["check", scratch.path("data.img"), "--hash-device", scratch.path("hash.img"), "--root-hash"]
    expect((await strata([...verity, root])).status).toBe(0)
    expect((await strata([...verity, root.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))])).status).toBe(2)
  })
})

describe("strata inspect and table", () => {
  it("tells what images are", async () => {
    place("integrity-sha256-4k")
    place("verity-sha256")
    const { text, status } = await strata([
      "inspect",
      scratch.path("disk.img"),
      scratch.path("hash.img"),
      scratch.path("data.img"),
    ])
    expect(status).toBe(0)
    for (const part of [
      "dm-integrity volume",
      "dm-verity hash device",
      "no signature",
      "integrity_tag_size: 32",
      "dataBlockCount: 256",
      "└─ data: file  4 MiB",
    ])
      expect(text).toContain(part)
    const json = JSON.parse((await strata(["inspect", "--json", scratch.path("hash.img")])).text) as {
      images: unknown[]
    }
    expect(json.images).toMatchObject([{ format: "verity", fields: { algorithm: "sha256" } }])
  })

  it("prints the table without keys, and with them only when asked", async () => {
    const table = place("crypt-aes-xts-tcg")
    const hidden = await strata(["table", "--table", table])
    expect(hidden.text).toContain(` ${"0".repeat(KEY.length)} `)
    expect(hidden.error).toContain("└─ data: file")
    expect((await strata(["table", "--table", table, "--showkeys"])).text).toContain(KEY)
  })
})

describe("misuse", () => {
  it.each([
    [[], 1],
    [["read"], 1],
    [["read", "--table", "0 8 nonsense"], 1],
    [["read", "--table", "0 8 snapshot a b P 8"], 1],
    [["read", "--offset", "x", "--table", "0 8 zero"], 1],
    [["read", "/nonexistent"], 4],
    [["--help"], 0],
  ])("%j ends with status %i", async (args, status) => {
    expect((await strata(args)).status).toBe(status)
  })
})
