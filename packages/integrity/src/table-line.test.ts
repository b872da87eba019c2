import { BlockError, hostRuntime, memoryDevice, share, type TableContext } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readIntegritySuperblock } from "./inspect-integrity.ts"
import { integrityWord } from "./integrity-word.ts"
import { completeIntegrityLine } from "./print-line.ts"

const SIZE = 2 * 1024 * 1024
const parse = (text: string) => integrityWord.parse(text.split(" "), 4096)
const KEY = "00112233445566778899aabbccddeeff"

/** What Linux 6.1 said to `0 8 integrity DEV ...` over 2 MiB of zeroes; absent: it printed this. */
const KERNEL = [
  [
    "0 - D 1 internal_hash:sha256",
    "0 32 D 4 journal_sectors:88 interleave_sectors:32768 buffer_sectors:128 internal_hash:sha256",
  ],
  [
    "0 - D 1 internal_hash:hmac(sha256):",
    "0 32 D 4 journal_sectors:88 interleave_sectors:32768 buffer_sectors:128 internal_hash:hmac(sha256):",
  ],
  [
    "0 4 D 3 internal_hash:crc32c buffer_sectors:4294967295 interleave_sectors:1024",
    "0 4 D 4 journal_sectors:176 interleave_sectors:1024 buffer_sectors:256 internal_hash:crc32c",
  ],
  [
    "0 4 D 2 internal_hash:crc32c journal_sectors:0",
    "0 4 D 4 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128 internal_hash:crc32c",
  ],
  [
    "0 4 D 4 internal_hash:crc32c fix_hmac fix_padding journal_sectors:500",
    "0 4 D 6 journal_sectors:352 interleave_sectors:32768 buffer_sectors:128 fix_padding fix_hmac internal_hash:crc32c",
  ],
  [
    "0 4 D 3 internal_hash:crc32c interleave_sectors:1 buffer_sectors:8",
    "0 4 D 4 journal_sectors:176 interleave_sectors:8 buffer_sectors:8 internal_hash:crc32c",
  ],
  [
    "0 4 D 2 internal_hash:crc32c interleave_sectors:1000",
    "0 4 D 4 journal_sectors:176 interleave_sectors:512 buffer_sectors:128 internal_hash:crc32c",
  ],
  [
    "0 4 D 2 internal_hash:crc32c buffer_sectors:3",
    "0 4 D 4 journal_sectors:176 interleave_sectors:32768 buffer_sectors:2 internal_hash:crc32c",
  ],
  [
    "0 4 D 2 internal_hash:crc32c buffer_sectors:0",
    "0 4 D 4 journal_sectors:176 interleave_sectors:32768 buffer_sectors:1 internal_hash:crc32c",
  ],
  [
    "00 04 D 1 internal_hash:crc32c",
    "0 4 D 4 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128 internal_hash:crc32c",
  ],
  [
    "1 4 D 1 internal_hash:crc32c",
    "1 4 D 4 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128 internal_hash:crc32c",
  ],
  [
    "0 16 D 2 fix_padding block_size:512",
    "0 16 D 4 journal_sectors:128 interleave_sectors:32768 buffer_sectors:128 fix_padding",
  ],
  ["0 4 D 1 fix_hmac", "0 4 D 3 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128"],
] as const

describe("integrity line", () => {
  const context = (readOnly: boolean, lower = memoryDevice({ size: SIZE }), size = 4096): TableContext => {
    return { size, device: () => share(lower), readOnly, runtime: hostRuntime }
  }

  it.each(KERNEL)("formats and prints as Linux: %s", async (given, printed) => {
    const line = parse(`dev ${given}`)
    const lower = memoryDevice({ size: SIZE })
    const device = await integrityWord.open(line, context(false, lower))
    const superblock = await readIntegritySuperblock(lower, line.startSectors * 512)
    expect(integrityWord.print(completeIntegrityLine(line, superblock), { showKeys: true })).toEqual(
      `dev ${printed}`.split(" "),
    )
    await device.write(0, new Uint8Array(4096).fill(7))
    await device.read(0, new Uint8Array(4096))
  })

  it.each([
    [37, 200, 38],
    [100, 200, 100],
    [99, 4, 99],
    [1, 4, 1],
    [0, 4, 0],
  ])("rounds a watermark of %i as Linux, tags of %i bytes", async (given, tagSize, printed) => {
    const blockSize = tagSize === 200 ? 4096 : 512
    const line = parse(`dev 0 ${tagSize} J 3 internal_hash:crc32c journal_watermark:${given} block_size:${blockSize}`)
    const lower = memoryDevice({ size: SIZE })
    await integrityWord.open({ ...line, mode: "D" }, context(false, lower))
    expect(completeIntegrityLine(line, await readIntegritySuperblock(lower)).journalWatermark).toBe(printed)
  })

  it.each([
    "dev 0 0 D 0",
    "dev 0 256 D 0",
    "dev 0 - D 0",
    "dev 0 4 X 1 internal_hash:crc32c",
    "dev 0 4 B 0",
    "dev 0 4 D 1 allow_discards",
    "dev 0 4 D 3 internal_hash:crc32c",
    "dev 0 4 D",
    "dev 0 4 D 1 foo",
    "dev 0 - D 1 internal_hash:hmac(sha256)",
    "dev 0 - D 1 internal_hash:hmac(sha256):abc",
    "dev 0 - D 1 internal_hash:hmac(sha256):xy",
    "dev 0 - D 1 internal_hash:sha256:abcd",
    "dev 0 - D 1 internal_hash:sha256:",
    "dev 0 - D 1 internal_hash:md5:00",
    "dev 0 - D 1 internal_hash:crc32:0011",
    "dev 0 - D 1 internal_hash:xxhash64:00112233",
    "dev 0 - D 1 internal_hash:blake2b-256:",
    `dev 0 - D 1 internal_hash:blake2b-512:${"00".repeat(65)}`,
    "dev 0 - D 1 internal_hash:hmac(crc32):00",
    "dev 0 - D 1 internal_hash:hmac(crc32c):00",
    "dev 0 - D 1 internal_hash:hmac(nosuch):00",
    "dev 0 - D 1 internal_hash:crc32c:abcd",
    "dev 0 4 D 1 internal_hash:",
    "dev 0 4 D 1 internal_hash:nosuch",
    "dev 0 4 D 2 internal_hash:crc32c block_size:1000",
    "dev 0 4 D 2 internal_hash:crc32c block_size:8192",
    "dev 0 4 D 2 internal_hash:crc32c block_size:256",
    "dev 0 4 J 2 internal_hash:crc32c journal_watermark:101",
    "dev 0x8 4 J 1 internal_hash:crc32c",
    "dev +0 4 J 1 internal_hash:crc32c",
    "dev 0 -4 J 1 internal_hash:crc32c",
    "dev 0 4 J 19 internal_hash:crc32c",
    "dev 0 4 J 4294967298 internal_hash:crc32c",
    "dev 0 4 J 2 internal_hash:crc32c journal_watermark:4294967397",
    "dev 0 4294967296 J 1 internal_hash:crc32c",
    "dev 18014398509481984 4 J 1 internal_hash:crc32c",
    "dev 0 4 D 1 recalculate",
    "dev 0 4 D 2 meta_device:x unknown",
    "dev 0 4 J 2 internal_hash:crc32c meta_device:",
    "dev 0 4 J 2 internal_hash:crc32c journal_mac:hmac(sha256):0",
    "dev 0 4 J 2 internal_hash:crc32c journal_mac:hmac(sha256)",
    "dev 0 4 J 2 internal_hash:crc32c journal_mac:sha256:",
    "dev 0 4 J 2 internal_hash:crc32c journal_mac:nosuch",
    "dev 0 4 J 1 journal_mac:nosuch",
    "dev 0 4 J 2 internal_hash:crc32c journal_crypt:ctr(aes):xy",
  ])("refuses what Linux refuses: %s", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "INVALID" }))
  })

  it.each([
    ["dev 0 4 D 1 internal_hash:crc32c fix_hmac", "fix_hmac"],
    ["dev 0 4 J 2 internal_hash:crc32c interleave_sectors:4294967297", "interleave_sectors"],
    ["dev 0 4 J 4294967297 internal_hash:crc32c", "number of options"],
    ["dev 18446744073709551624 4 J 1 internal_hash:crc32c", "start"],
    [`dev 1${"0".repeat(90)} 4 J 1 internal_hash:crc32c`, "start"],
    ["dev 0 4294967300 J 1 internal_hash:crc32c", "tag size"],
    ["dev 0 4 J 2 internal_hash:crc32c sectors_per_bit:18446744073709551615", "sectors_per_bit"],
    ["dev 0 - J 1 internal_hash:crc32c:00112233", "crc32c"],
    ["dev 0 - J 1 internal_hash:crc32:00112233", "crc32 with a key"],
    ["dev 0 4 J 1 journal_mac:crc32:00112233", "journal_mac crc32 with a key"],
    ["dev 0 4 J 1 journal_mac:md4", "journal_mac md4"],
    ["dev 0 - J 1 internal_hash:xxhash64:0011223344556677", "xxhash64 with a key"],
    ["dev 0 - J 1 internal_hash:blake2b-256:00", "blake2b-256 with a key"],
    [`dev 0 - J 1 internal_hash:hmac(xxhash64):${KEY}`, "hmac(xxhash64)"],
    [`dev 0 - J 1 internal_hash:hmac(md4):${KEY}`, "hmac(md4)"],
    ...["md4", "sm3", "crct10dif", "blake2b-384", "sha256-generic", "poly1305"].map((name) => [
      `dev 0 - J 1 internal_hash:${name}`,
      name,
    ]),
  ])("refuses by name what Linux takes: %s", (text, name) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(name) }),
    )
  })

  it("takes the last of several hashes, and looks at no other but for its key", () => {
    const hashes = (first: string) => parse(`dev 0 4 D 2 internal_hash:${first} internal_hash:crc32c`).internalHash
    for (const first of ["nosuch", "sha512", "hmac(sha256)", "sha256:00"]) expect(hashes(first)?.name).toBe("crc32c")
    expect(() => hashes("hmac(sha256):0")).toThrow(expect.objectContaining({ code: "INVALID" }))
    expect(() => parse("dev 0 4 D 2 internal_hash:crc32c internal_hash:nosuch")).toThrow(BlockError)
  })

  it("refuses a size above what it provides, before it formats", async () => {
    const lower = memoryDevice({ size: SIZE })
    const line = parse("dev 0 4 D 1 internal_hash:crc32c")
    await expect(integrityWord.open(line, context(false, lower, SIZE))).rejects.toMatchObject({ code: "INVALID" })
    expect(await lower.blockStatus(0, SIZE)).toMatchObject([{ kind: "hole" }])
    await expect(integrityWord.open(line, context(true, lower))).rejects.toMatchObject({ code: "CORRUPT" })
    await lower.write(0, new Uint8Array(512).fill(1))
    await expect(integrityWord.open(line, context(false, lower))).rejects.toMatchObject({ code: "CORRUPT" })
  })

  it.each([
    `dev 8 32 B 11 block_size:4096 allow_discards journal_sectors:88 interleave_sectors:1024 buffer_sectors:64 sectors_per_bit:4096 bitmap_flush_interval:5 fix_padding fix_hmac legacy_recalculate internal_hash:hmac(sha256):${KEY}`,
    `dev 0 32 J 8 meta_device:other recalculate reset_recalculate journal_watermark:40 commit_time:100 internal_hash:hmac(sha256):${KEY} journal_crypt:ctr(aes):${KEY} journal_mac:hmac(sha256):${KEY}`,
    "dev 0 4 I 1 internal_hash:crc32c",
  ])("parses what it prints: %s", (text) => {
    const line = parse(text)
    expect(integrityWord.print(line, { showKeys: true }).join(" ")).toBe(text)
    expect(integrityWord.print(line, { showKeys: false }).join(" ")).toBe(text.replaceAll(KEY, "0".repeat(32)))
    expect(integrityWord.operands(line)).toEqual(text.includes("meta_device") ? ["dev", "other"] : ["dev"])
  })

  it("answers any words with a line or a typed error, and never shows a value", () => {
    const word = fc.oneof(
      fc.constantFrom(
        "J",
        "D",
        "0",
        "4",
        "-",
        "1",
        "2",
        "internal_hash:crc32c",
        "fix_hmac",
        "allow_discards",
        "recalculate",
      ),
      fc.constantFrom(
        "journal_sectors:1",
        "block_size:512",
        "internal_hash:hmac(sha256):5ec7e7",
        "journal_mac:x:5ec7e7",
      ),
      fc.string({ maxLength: 12 }).filter((text) => !text.includes("5ec7e7")),
      fc.constant("5ec7e7"),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 10 }), (words) => {
        try {
          integrityWord.parse(words, 4096)
        } catch (error) {
          expect(error).toBeInstanceOf(BlockError)
          expect(["INVALID", "UNSUPPORTED"]).toContain((error as BlockError).code)
          expect((error as BlockError).message).not.toContain("5ec7e7")
        }
      }),
      { numRuns: 2000 },
    )
  })
})
