import { type BlockDevice, hostRuntime, memoryDevice, type TableWord } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { errorWord, linearWord, stripedWord, zeroWord } from "./index.ts"

const WORDS: Readonly<Record<string, TableWord>> = {
  linear: linearWord,
  striped: stripedWord,
  zero: zeroWord,
  error: errorWord,
}

function parse(text: string, sectors: number): { word: TableWord; line: unknown } {
  const [name = "", ...args] = text.split(" ")
  const word = WORDS[name] as TableWord
  return { word, line: word.parse(args, sectors * 512) }
}

async function open(text: string, sectors: number, blockSize = 512): Promise<BlockDevice> {
  const { word, line } = parse(text, sectors)
  return word.open(line, {
    size: sectors * 512,
    device: () => memoryDevice({ size: 2048 * 512, blockSize }),
    readOnly: false,
    runtime: hostRuntime,
  })
}

/** As the kernel took them. */
const ACCEPTED: readonly (readonly [string, number, string])[] = [
  ["linear a 0", 8, "linear a 0"],
  ["linear a 010", 8, "linear a 10"],
  ["linear a 2040", 8, "linear a 2040"],
  ["striped 2 8 a 0 b 0", 16, "striped 2 8 a 0 b 0"],
  ["striped 2 3 a 0 b 5", 6, "striped 2 3 a 0 b 5"],
  ["striped +2 +3 a 0 b 5", 6, "striped 2 3 a 0 b 5"],
  ["striped 02 03 a 0 b 5", 6, "striped 2 3 a 0 b 5"],
  ["striped 1 3 a 0", 6, "striped 1 3 a 0"],
  ["striped 2 3 a 2045 b 5", 6, "striped 2 3 a 2045 b 5"],
  ["zero", 8, "zero"],
  ["error", 8, "error"],
  ["error a b", 8, "error"],
]

/** As the kernel refused them, when it read the line or when it met the devices (of 2048 sectors). */
const REFUSED: readonly (readonly [string, number])[] = [
  ["linear", 8],
  ["linear a", 8],
  ["linear a 0 0", 8],
  ["linear a +0", 8],
  ["linear a -0", 8],
  ["linear a 0x8", 8],
  ["linear a 8s", 8],
  ["linear a 2041", 8],
  ["linear a 2048", 8],
  ["linear a 18446744073709551615", 8],
  ["striped", 6],
  ["striped 2", 6],
  ["striped 2 8 a 0 b 0", 8],
  ["striped 2 3 a 0", 6],
  ["striped 2 3 a 0 b", 6],
  ["striped 2 3 a 0 b 5 6", 6],
  ["striped 0 3 a 0 b 5", 6],
  ["striped 2 0 a 0 b 5", 6],
  ["striped -2 3 a 0 b 5", 6],
  ["striped 0x2 3 a 0 b 5", 6],
  ["striped 2 3 a +0 b 5", 6],
  ["striped 2 3s a 0 b 5", 6],
  ["striped 2 3 a 0 b 5", 7],
  ["striped 2 3 a 0 b 5", 8],
  ["striped 4294967298 3 a 0 b 5", 6],
  ["striped 2 4294967299 a 0 b 5", 6],
  ["striped 2 3 a 2046 b 5", 6],
  ["zero a", 8],
]

describe("lines as Linux 6.1 reads them", () => {
  test.each(ACCEPTED)("%s, %i sectors", async (text, sectors, printed) => {
    const { word, line } = parse(text, sectors)
    expect([word.word, ...word.print(line, { showKeys: false })].join(" ")).toBe(printed)
    expect((await open(text, sectors)).size).toBe(sectors * 512)
  })

  test.each(REFUSED)("not %s, %i sectors", async (text, sectors) => {
    const opened = async () => open(text, sectors)
    await expect(opened()).rejects.toMatchObject({ name: "BlockError", code: "INVALID" })
  })
})

test("what Linux takes to mean something else is refused by name", () => {
  expect(() => parse("linear a 18446744073709551624", 8)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  expect(() => parse(`linear a ${"9".repeat(1000)}`, 8)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
})

test("lines that do not fit the blocks below", async () => {
  await expect(open("linear a 4", 8, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("linear a 0", 4, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("striped 2 8 a 4 b 0", 16, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("striped 2 4 a 0 b 0", 16, 4096)).rejects.toMatchObject({ code: "UNSUPPORTED" })
})

test("any line is read and printed, or refused with a code", () => {
  const args = fc.array(fc.oneof(fc.constantFrom("a", "0", "1", "2", "+3", "8", ""), fc.string()), { maxLength: 8 })
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(WORDS)), args, fc.nat(64), (word, texts, sectors) => {
      try {
        const line = word.parse(texts, sectors * 512)
        const printed = word.print(line, { showKeys: true })
        expect(word.parse(printed, sectors * 512)).toEqual(line)
      } catch (error) {
        expect(error).toMatchObject({ name: "BlockError", code: expect.stringMatching(/^(INVALID|UNSUPPORTED)$/) })
      }
    }),
  )
})
