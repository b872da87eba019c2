import { errorWord, linearWord, stripedWord, zeroWord } from "@blockstrata/targets"
import { describe, expect, test } from "vitest"
import { parseTable } from "./parse-table.ts"
import { printTable } from "./print-table.ts"

const WORDS = [linearWord, stripedWord, zeroWord, errorWord]
const parse = (text: string) => parseTable(text, WORDS)
const withCode = (code: string) => expect.objectContaining({ name: "BlockError", code })

describe("texts that dmsetup takes", () => {
  test("plain lines with comments, blanks and odd spacing", () => {
    const text = "# c\n\n  0   8\tlinear\ta   0 # comment\n  # other\n8 8 striped 2 4 a 16 b 0#more\n16 8 zero # x\n"
    const { devices } = parse(text)
    expect(devices).toMatchObject([
      {
        name: undefined,
        uuid: undefined,
        minor: undefined,
        readOnly: false,
        lines: [
          { startSectors: 0, lengthSectors: 8, word: linearWord, operands: ["a"] },
          { startSectors: 8, lengthSectors: 8, word: stripedWord, operands: ["a", "b"] },
          { startSectors: 16, lengthSectors: 8, word: zeroWord, operands: [] },
        ],
      },
    ])
    expect(printTable({ devices }, { showKeys: false })).toBe("0 8 linear a 0\n8 8 striped 2 4 a 16 b 0\n16 8 zero")
  })

  test.each([
    ["a,u,5,ro,0 8 linear x 0,8 8 zero", "a,u,5,ro,0 8 linear x 0,8 8 zero"],
    ["a,,06,,0 8 zero", "a,,6,rw,0 8 zero"],
    ["a,,,,,0 8 zero,,8 8 zero", "a,,,rw,0 8 zero,8 8 zero"],
    ["a,,,rw,# c,0 8 zero # d\n8 8 zero;\n", "a,,,rw,0 8 zero,8 8 zero"],
    ["a b,,,,0 8 zero", "a b,,,rw,0 8 zero"],
    ["a\\,b\\;c,\\,u,,,0 8 linear x\\,y 0", "a\\,b\\;c,\\,u,,rw,0 8 linear x\\,y 0"],
    ["a,,,,0 8 linear b\\\\d 0", "a,,,rw,0 8 linear b\\\\d 0"],
    ["a,,,,0 8 zero;b,,,ro,0 8 linear /dev/mapper/a 0", "a,,,rw,0 8 zero;b,,,ro,0 8 linear /dev/mapper/a 0"],
    ["\\0 8 x,,,,0 8 zero", "\\0 8 x,,,rw,0 8 zero"],
    ["\\#x,,,,0 8 zero", "\\#x,,,rw,0 8 zero"],
    ["é,,,,0 8 zero", "é,,,rw,0 8 zero"],
    [`${"x".repeat(127)},,1048575,,0 8 zero`, `${"x".repeat(127)},,1048575,rw,0 8 zero`],
  ])("%j", (text, printed) => expect(printTable(parse(text), { showKeys: false })).toBe(printed))

  test("a comma in an operand of a plain line needs no backslash, and a backslash is itself", () => {
    expect(parse("0 8 linear a\\b,blocksize=512 0").devices[0]?.lines[0]?.operands).toEqual(["a\\b,blocksize=512"])
  })
})

describe("INVALID, as in Linux", () => {
  test.each([
    "",
    "\n# only\n",
    "0 8",
    "0 0 zero",
    "1 8 zero",
    "-0 8 zero",
    "0 -8 zero",
    "0 0x8 zero",
    "0 8s zero",
    "0 18446744073709551616 zero",
    "0 18014398509481984 zero",
    "0 8 zero\n8 18446744073709551608 zero",
    "0 8 nosuch a",
    "0 8 ZERO",
    "0 8 zero#x",
    "0 8 lin#ear a 0",
    "0 8 # linear a 0",
    "0 8 zero\n9 8 zero",
    "0 8 zero\n7 8 zero",
    "0 8 zero\n0 8 zero",
    "8 8 zero\n0 8 zero",
    "0 8 linear a",
    "0 8 linear a b c 0",
    "0 8 zero; 8 8 zero",
    "hello",
    "a,,,rw,",
    ",,,,0 8 zero",
    "a,,,xx,0 8 zero",
    "a,,,RO,0 8 zero",
    "a,,,ro ,0 8 zero",
    "a/b,,,,0 8 zero",
    "a,,,,0 8 zero,b,,,,0 8 zero",
    `${"x".repeat(128)},,,,0 8 zero`,
    `a,${"x".repeat(129)},,,0 8 zero`,
    "a,,,,0 8 zero;a,,,,0 8 zero",
    "a,U,,,0 8 zero;b,U,,,0 8 zero",
    "a,,7,,0 8 zero;b,,7,,0 8 zero",
    "a,,,,0 8 linear /dev/mapper/b 0;b,,,,0 8 zero",
    "a,,,,0 8 linear /dev/mapper/a 0",
  ])("%j", (text) => expect(() => parse(text)).toThrow(withCode("INVALID")))

  // dmsetup overlooks these; they can only be mistakes.
  test.each(["a,,x,,0 8 zero", "a,,-1,,0 8 zero", "a,,1048576,,0 8 zero", "a\n,,,,0 8 zero", "a,,,,# c", "+0 +8 zero"])(
    "%j, though dmsetup looks away",
    (text) => expect(() => parse(text)).toThrow(withCode("INVALID")),
  )

  test("names without their folder are ours, and so is their order", () => {
    expect(parse("a,,,,0 8 zero;b,,,,0 8 linear a 0").devices).toHaveLength(2)
    expect(() => parse("a,,,,0 8 linear b 0;b,,,,0 8 zero")).toThrow(withCode("INVALID"))
    expect(() => parse("a,,,,0 8 linear a 0")).toThrow(withCode("INVALID"))
    expect(parse("a,,,,0 8 linear ./a 0").devices).toHaveLength(1)
  })

  test("a message names the line, and no argument", () => {
    const message = (text: string) => {
      try {
        return String(parse(text))
      } catch (error) {
        return String(error)
      }
    }
    expect(message("0 8 zero\n8 8 linear secretsecretsecret")).toContain("line 2")
    for (const text of ["0 8 linear secretsecretsecret", "0 8 secretsecretsecret", "0 secretsecretsecret zero"]) {
      expect(message(text)).toMatch(/^BlockError/)
      expect(message(text)).not.toContain("secretsecret")
    }
  })
})

describe("UNSUPPORTED, naming the word", () => {
  test.each([
    ["0 8 snapshot a b P 8", "snapshot"],
    ["0 8 thin-pool a b 128 0", "thin-pool"],
    ["0 8 delay a 0 5", "delay"],
    ["0 8 crypt aes-xts-plain64 00 0 a 0", "crypt"],
    ["a,,,,0 8 mirror core 1 8 2 a 0 b 0", "mirror"],
    ["0 8 vdo x", "vdo"],
    ["0 8 linear 254:0 0", "254:0"],
    ["0 9007199254740992 zero", "length"],
    ["0 17592186044416 zero", "length"],
  ])("%s", (text, word) => {
    expect(() => parse(text)).toThrow(withCode("UNSUPPORTED"))
    expect(() => parse(text)).toThrow(word)
  })

  test("the longest device", () => {
    expect(parse("0 17592186044415 zero").devices[0]?.lines[0]?.lengthSectors).toBe(17592186044415)
  })
})
