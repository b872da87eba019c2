import { BlockError } from "@blockstrata/device"
import { expect, test } from "vitest"
import { parseKey, printKey, quoteWord, resolveKey } from "./key.ts"
import type { KeyRule } from "./key-layout.ts"

const HEX = "00112233445566778899aabbccddeeff"

function keyOf(size: number): KeyRule {
  return { keySizes: [size], keyCount: 1, iv: "plain64" }
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return "none"
  } catch (error) {
    expect(error).toBeInstanceOf(BlockError)
    expect(String(error)).not.toMatch(/00112233|aabbcc/i)
    return (error as BlockError).code
  }
}

test("hexadecimal keys are read in any case and printed as zeros or in small letters", () => {
  const key = parseKey(HEX.toUpperCase(), keyOf(16))
  expect(printKey(key, false)).toBe("0".repeat(32))
  expect(printKey(key, true)).toBe(HEX)
  expect(printKey(parseKey("-", keyOf(0)), true)).toBe("-")
})

test.each([
  ["one digit short, and so one byte", HEX.slice(1), "INVALID"],
  ["a digit too many, which Linux drops", `${HEX}0`, "UNSUPPORTED"],
  ["other letters", HEX.replace("aa", "zz"), "INVALID"],
  ["a prefix", `0x${HEX.slice(2)}`, "INVALID"],
  ["another size", HEX + HEX, "INVALID"],
  ["none", "-", "INVALID"],
  ["nothing", "", "INVALID"],
])("a key with %s", (_what, word, code) => expect(codeOf(() => parseKey(word, keyOf(16)))).toBe(code))

test.each([":16:logon:volume", ":16:user:with:colons", ":16:encrypted:x", ":16:trusted:x"])(
  "the keyring key %s is read and printed",
  (word) => expect(printKey(parseKey(word, keyOf(16)), false)).toBe(word),
)

test("leading zeros of a keyring key's size go", () => {
  expect(printKey(parseKey(":016:logon:x", keyOf(16)), false)).toBe(":16:logon:x")
})

test.each([
  ":",
  ":16",
  ":16:logon",
  ":16:logon:",
  ":16:bogus:x",
  ":16::x",
  "::logon:x",
  ":x:logon:x",
  ":32:logon:x",
  ":0:logon:x",
])("Linux refuses the keyring key %s", (word) => expect(codeOf(() => parseKey(word, keyOf(16)))).toBe("INVALID"))

test("a keyring key comes from the resolver, as a copy", () => {
  const stored = new Uint8Array(16).fill(7)
  const key = parseKey(":16:logon:x", keyOf(16))
  resolveKey(key, (description) => (description === "x" ? stored : undefined)).fill(0)
  expect(stored[0]).toBe(7)
  // A Buffer's own `slice` would have given a view of what is wiped here.
  const buffer = Buffer.from(stored)
  resolveKey(key, () => buffer).fill(0)
  expect([...buffer]).toEqual([...stored])
  expect(codeOf(() => resolveKey(key, undefined))).toBe("INVALID")
  expect(codeOf(() => resolveKey(key, () => undefined))).toBe("INVALID")
  expect(codeOf(() => resolveKey(key, () => new Uint8Array(15)))).toBe("INVALID")
})

test("a key in the wrong place does not reach a message", () => {
  expect(quoteWord("allow_discards")).toBe('"allow_discards"')
  expect(quoteWord(HEX)).not.toContain("0011")
  expect(quoteWord("x".repeat(300)).length).toBeLessThan(100)
})
