import { BlockError } from "@blockstrata/device"
import { errorWord, linearWord, stripedWord, zeroWord } from "@blockstrata/targets"
import fc from "fast-check"
import { expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { parseTable } from "./parse-table.ts"
import { printTable } from "./print-table.ts"

const WORDS = [linearWord, stripedWord, zeroWord, errorWord]

const token = fc.constantFrom(
  ...["0", "8", "16", "1", "2", "-1", "0x8", "18446744073709551615", "99999999999999999999999"],
  ...["linear", "striped", "zero", "error", "crypt", "nosuch", "a", "b", "/dev/mapper/a", "mem:1M", "mem:x", "nbd://h"],
  ...[
    " ",
    " ",
    " ",
    " ",
    ",",
    ",",
    ",",
    ",,,,",
    ";",
    "\\",
    "\n",
    "#",
    "ro",
    "rw",
    "\t",
    "\0",
    "é",
    "8:0",
    "x,tagsize=4",
  ],
)
const texts = fc.oneof(
  fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join("")),
  fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(" ")),
  fc.string({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 100 }),
)

/** A good text with a few characters put in, taken out or replaced. */
const mutated = fc
  .record({
    text: fc.constantFrom<string[]>(
      "0 8 linear a 0\n8 16 striped 2 4 a 16 b 0\n24 8 zero # end",
      "a,u,1,ro,0 8 linear x 0,8 8 error;b,,,rw,0 16 striped 2 8 /dev/mapper/a 0 mem:1M 0",
    ),
    edits: fc.array(fc.tuple(fc.nat(90), fc.nat(2), token), { minLength: 1, maxLength: 4 }),
  })
  .map(({ text, edits }) =>
    edits.reduce(
      (before, [at, removed, inserted]) => before.slice(0, at) + inserted + before.slice(at + removed),
      text,
    ),
  )

test("any text is a table that prints and reads back, or is refused with a code", () => {
  let acceptedCount = 0
  fc.assert(
    fc.property(fc.oneof(texts, mutated), (text) => {
      try {
        const table = parseTable(text, WORDS)
        const printed = printTable(table, { showKeys: true })
        expect(parseTable(printed, WORDS)).toEqual(table)
        acceptedCount += 1
      } catch (error) {
        if (!(error instanceof BlockError)) throw error
        expect(["INVALID", "UNSUPPORTED"]).toContain(error.code)
      }
    }),
    { numRuns: runCount(20_000) },
  )
  expect(acceptedCount).toBeGreaterThan(100)
})

test("a long text takes no long time", () => {
  const lines = Array.from({ length: 50_000 }, (_, index) => `${index} 1 zero`).join("\n")
  expect(parseTable(lines, WORDS).devices[0]?.lines).toHaveLength(50_000)
  const devices = Array.from({ length: 20_000 }, (_, index) => `d${index},,,,0 1 linear d${index - 1} 0`).join(";")
  expect(parseTable(devices, WORDS).devices).toHaveLength(20_000)
  for (const text of [
    ",".repeat(100_000),
    ";".repeat(100_000),
    "\\".repeat(100_001),
    " ".repeat(100_000),
    "#".repeat(100_000),
  ]) {
    expect(() => parseTable(text, WORDS)).toThrow(BlockError)
  }
})
