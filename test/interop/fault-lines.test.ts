import { delayWord, dustWord, flakeyWord, logWritesWord } from "@blockstrata/targets/faults"
import fc from "fast-check"
import { describe, expect, inject, test } from "vitest"
import { runCount } from "../run-count.ts"
import { FAULT_LINES, UNSUPPORTED_LINES, verdictHere } from "./fault-lines.ts"

describe("lines that go wrong on purpose, as Linux 6.1 takes, refuses and prints them", () => {
  test.each(FAULT_LINES)("%s", async (line, printed) => {
    expect(await verdictHere(line)).toBe(UNSUPPORTED_LINES.has(line) ? "UNSUPPORTED" : printed)
  })
})

test("any arguments are read and printed, or refused with a code", () => {
  const words = ["drop_writes", "error_writes", "corrupt_bio_byte", "r", "w", "a", "", "+3", "512", "4294967296"]
  const args = fc.array(fc.oneof(fc.constantFrom(...words), fc.nat(7).map(String), fc.string()), { maxLength: 12 })
  const word = fc.constantFrom(flakeyWord, delayWord, dustWord, logWritesWord)
  let readCount = 0
  fc.assert(
    fc.property(word, args, ({ parse, print }, texts) => {
      try {
        const line = parse(texts, 4096)
        readCount += 1
        const printed = print(line as never, { showKeys: true })
        expect(parse(printed, 4096)).toEqual(line)
      } catch (error) {
        expect(error).toMatchObject({ name: "BlockError", code: expect.stringMatching(/^(INVALID|UNSUPPORTED)$/) })
      }
    }),
    { seed: inject("seed"), numRuns: runCount(2000) },
  )
  expect(readCount).toBeGreaterThan(20)
})
