import { type BlockDevice, hostRuntime, memoryDevice } from "@blockstrata/device"
import { describe, expect, test } from "vitest"
import { verityWord } from "./table-line.ts"

const root = "7024d74fbc0ccb19472998d67d91844551eac416df8cafd67f93e06199224322"
const line = `1 data hash 4096 4096 256 0 sha256 ${root} aabb`
const SIZE = 1048576
const parse = (text: string, size = SIZE) => verityWord.parse(text.split(" "), size)
const change = (index: number, value: string) => line.split(" ").with(index, value).join(" ")

describe("what Linux 6.1 takes and prints", () => {
  test.each([
    ["as it is", line, line],
    ["leading zeroes", change(0, "01"), line],
    ["upper case", change(8, root.toUpperCase()).replace("aabb", "AABB"), line],
    ["no salt", change(9, "-"), change(9, "-")],
    ["256 bytes of salt", change(9, "ab".repeat(256)), change(9, "ab".repeat(256))],
    ["no options", `${line} 0`, line],
    ["words behind the options", `${line} 0 extra`, line],
    ["version 0", change(0, "0"), change(0, "0")],
    ["large hash blocks", change(4, "524288"), change(4, "524288")],
    ["more blocks than the line", change(5, "512"), change(5, "512")],
  ])("%s", (_, text, printed) => {
    const parsed = parse(text)
    expect(verityWord.print(parsed, { showKeys: false }).join(" ")).toBe(printed)
    expect(verityWord.operands(parsed)).toEqual(["data", "hash"])
  })

  test("a line shorter than the tree", () => {
    expect(parse(line, 524288).dataBlockCount).toBe(256)
  })
})

test.each([
  ["too few arguments", line.split(" ").slice(0, 9).join(" ")],
  ["version 2", change(0, "2")],
  ["a sign", change(0, "+1")],
  ["hexadecimal", change(3, "0x1000")],
  ["data blocks of 256", change(3, "256")],
  ["data blocks of 1 MiB", change(3, "1048576")],
  ["hash blocks of 256", change(4, "256")],
  ["hash blocks of 3000", change(4, "3000")],
  ["no data blocks", change(5, "0")],
  ["fewer blocks than the line", change(5, "255")],
  ["2^64 blocks", change(5, "18446744073709551616")],
  ["a hash start out of reach", change(6, "9223372036854775807")],
  ["a hash start where no device is", change(6, "2251799813685248")],
  ["an upper-case algorithm", change(7, "SHA256")],
  ["an unknown algorithm", change(7, "sha999")],
  ["a long root hash", change(8, `${root}aa`)],
  ["a root hash that is not hexadecimal", change(8, `${root.slice(1)}z`)],
  ["no root hash", change(8, "-")],
  ["half a byte of salt", change(9, "aab")],
  ["data blocks of 2^32 bytes", change(3, "4294967296")],
  ["a version above 32 bits and 2", change(0, "4294967298")],
  ["an option count above 32 bits and 1", `${line} 4294967297`],
  ["no count of options", `${line} x ignore_corruption`],
  ["an option missing", `${line} 1`],
  ["an unknown option", `${line} 1 bogus`],
  ["two modes", `${line} 2 ignore_corruption restart_on_corruption`],
  ["an option without its value", `${line} 1 fec_roots 2`],
])("INVALID: %s", (_, text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: "INVALID" }))
})

test("INVALID: a line that is longer than the tree, or no whole number of blocks", () => {
  expect(() => parse(line, SIZE + 4096)).toThrow(expect.objectContaining({ code: "INVALID" }))
  expect(() => parse(line, SIZE - 512)).toThrow(expect.objectContaining({ code: "INVALID" }))
})

test.each<readonly [string, string]>([
  ["sha1", change(7, "sha1").replace(root, "00".repeat(20))],
  ["sha512", change(7, "sha512").replace(root, "00".repeat(64))],
  ["blake2b-256", change(7, "blake2b-256")],
  ["sha256-generic", change(7, "sha256-generic")],
  ["salt", change(9, "ab".repeat(257))],
  ["hash block size", change(4, "1048576")],
  ["2^53", change(5, "4503599627370496")],
  ["version", change(0, "4294967297")],
  ["data block size", change(3, "4294971392")],
  ["hash block size", change(4, "18446744073709555712")],
  ["data block count", change(5, "18446744073709551872")],
  ["hash start", change(6, "18446744073709551616")],
  ["hash start", change(6, `1${"0".repeat(90)}`)],
  ["option count", `${line} 4294967296`],
  ...["ignore_corruption", "restart_on_corruption", "panic_on_corruption", "restart_on_error", "panic_on_error"].map(
    (option) => [option, `${line} 1 ${option}`] as const,
  ),
  ["ignore_zero_blocks", `${line} 1 IGNORE_ZERO_BLOCKS`],
  ["check_at_most_once", `${line} 1 check_at_most_once`],
  ["try_verify_in_tasklet", `${line} 1 try_verify_in_tasklet`],
  ["use_fec_from_device", `${line} 8 use_fec_from_device fec fec_blocks 319 fec_start 0 fec_roots 2`],
  ["root_hash_sig_key_desc", `${line} 2 root_hash_sig_key_desc key`],
])("UNSUPPORTED, by name: %s", (name, text) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(name) as string }),
  )
})

describe("building", () => {
  const context = (devices: Record<string, BlockDevice>, size = SIZE) => ({
    size,
    device: (operand: string) => devices[operand] ?? memoryDevice({ size: 65536 }),
    readOnly: true,
    runtime: hostRuntime,
  })

  test("a device of the line's length, which is read-only", async () => {
    await using device = await verityWord.open(parse(line), context({ data: memoryDevice({ size: SIZE }) }))
    expect(device).toMatchObject({ size: SIZE, blockSize: 4096, features: { write: false } })
    expect(device.layer.lowers.map((lower) => lower.role)).toEqual(["data", "hash"])
  })

  test("the data device need only hold the line", async () => {
    const data = memoryDevice({ size: 524288 })
    await using device = await verityWord.open(parse(line, 524288), context({ data }, 524288))
    expect(device.size).toBe(524288)
  })

  test.each([
    ["data too small", { data: memoryDevice({ size: 524288 }) }],
    ["tree too large", { data: memoryDevice({ size: SIZE }), hash: memoryDevice({ size: 8192 }) }],
    ["larger blocks below the data", { data: memoryDevice({ size: SIZE, blockSize: 8192 }) }],
    [
      "larger blocks below the tree",
      { data: memoryDevice({ size: SIZE }), hash: memoryDevice({ size: 65536, blockSize: 8192 }) },
    ],
  ])("INVALID: %s", async (_, devices) => {
    await expect(verityWord.open(parse(line), context(devices))).rejects.toMatchObject({ code: "INVALID" })
  })
})
