import type { TableWord } from "@blockstrata/device"
import { errorWord, linearWord, stripedWord, zeroWord } from "@blockstrata/targets"
import fc from "fast-check"
import { expect, test } from "vitest"
import { parseTable } from "./parse-table.ts"
import { printTable } from "./print-table.ts"
import type { Table, TableLine } from "./table.ts"

const WORDS = [linearWord, stripedWord, zeroWord, errorWord]

const operand = fc.stringMatching(/^[a-z][a-z.,;\\=/é]{0,7}$/).filter((text) => !text.includes("://"))
const body: fc.Arbitrary<{ word: TableWord; line: unknown }> = fc.oneof(
  fc.constant({ word: zeroWord, line: {} }),
  fc.constant({ word: errorWord, line: {} }),
  fc.record({
    word: fc.constant(linearWord),
    line: fc.record({ device: operand, startSectors: fc.nat() }),
  }),
  fc.record({
    word: fc.constant(stripedWord),
    line: fc.record({
      chunkSectors: fc.constant(1),
      stripes: fc.tuple(fc.record({ device: operand, startSectors: fc.nat() })),
    }),
  }),
)
const lines = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 100 }), body), { minLength: 1, maxLength: 4 })
  .map((parts): TableLine[] => {
    let startSectors = 0
    return parts.map(([lengthSectors, { word, line }]) => {
      const operands = word.operands(line)
      startSectors += lengthSectors
      return { startSectors: startSectors - lengthSectors, lengthSectors, word, line, operands }
    })
  })
const device = fc.record({
  // No lower case: no operand is a name by chance.
  name: fc.stringMatching(/^[A-Z,;\\ #0-9]{1,10}$/),
  uuid: fc.option(fc.stringMatching(/^[A-Z,;\\ ]{1,10}$/), { nil: undefined }),
  minor: fc.option(fc.nat(2 ** 20 - 1), { nil: undefined }),
  readOnly: fc.boolean(),
  lines,
})
const tables = fc
  .uniqueArray(device, { minLength: 1, maxLength: 4, selector: ({ name }) => name })
  .map((devices): Table => {
    const once = <Value>(values: readonly (Value | undefined)[], index: number) =>
      values.indexOf(values[index]) === index ? values[index] : undefined
    return {
      devices: devices.map((each, index) => ({
        ...each,
        uuid: once(
          devices.map(({ uuid }) => uuid),
          index,
        ),
        minor: once(
          devices.map(({ minor }) => minor),
          index,
        ),
      })),
    }
  })

test("what is printed is read back: the concise form", () => {
  fc.assert(
    fc.property(tables, (table) => {
      expect(parseTable(printTable(table, { showKeys: true }), WORDS)).toEqual(table)
    }),
  )
})

test("what is printed is read back: plain lines", () => {
  fc.assert(
    fc.property(lines, (deviceLines) => {
      const plain = { name: undefined, uuid: undefined, minor: undefined, readOnly: false, lines: deviceLines }
      const table: Table = { devices: [plain] }
      expect(parseTable(printTable(table, { showKeys: true }), WORDS)).toEqual(table)
      const named = { devices: [{ ...plain, name: "a" }] }
      expect(parseTable(printTable(named, { showKeys: true, form: "lines" }), WORDS)).toEqual(table)
    }),
  )
})

test("a later device that stands on an earlier one", () => {
  const text = "base,,,rw,0 8 zero;top,,,rw,0 8 linear base 0"
  expect(printTable(parseTable(text, WORDS), { showKeys: false })).toBe(text)
})

test("keys are shown on request only", () => {
  const keyWord: TableWord<string> = {
    word: "key",
    parse: ([key = ""]) => key,
    print: (key, { showKeys }) => [showKeys ? key : "0".repeat(key.length)],
    operands: () => [],
    open: async () => {
      throw new Error("not opened here")
    },
  }
  const table = parseTable("0 8 key 1234abcd", [keyWord])
  expect(printTable(table, { showKeys: true })).toBe("0 8 key 1234abcd")
  expect(printTable(table, { showKeys: false })).toBe("0 8 key 00000000")
})

test("refuses what the form cannot say", () => {
  const two = parseTable("a,,,,0 8 zero;b,,,,0 8 zero", WORDS)
  expect(() => printTable(two, { showKeys: false, form: "lines" })).toThrow(RangeError)
  const plain = parseTable("0 8 zero", WORDS)
  expect(() => printTable(plain, { showKeys: false, form: "concise" })).toThrow(RangeError)
  for (const path of ["my disk.img", "a#b", "", "a\nb"]) {
    const [line] = parseTable("0 8 linear a 0", WORDS).devices[0]!.lines
    const lineWith = { ...line!, line: { device: path, startSectors: 0 } }
    const table = { devices: [{ ...plain.devices[0]!, lines: [lineWith] }] }
    expect(() => printTable(table, { showKeys: false })).toThrow(expect.objectContaining({ code: "INVALID" }))
  }
})
