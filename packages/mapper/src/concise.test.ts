import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { joinConcise, splitConcise } from "./concise.ts"

describe("as dmsetup splits it", () => {
  test.each([
    ["a,,,,0 8 zero", [["a", "", "", "", "0 8 zero"]]],
    ["a,u,5,ro,0 8 zero,8 8 zero", [["a", "u", "5", "ro", "0 8 zero", "8 8 zero"]]],
    [
      "a,,,,0 8 zero;b,,,,0 8 error",
      [
        ["a", "", "", "", "0 8 zero"],
        ["b", "", "", "", "0 8 error"],
      ],
    ],
    ["a,,,,0 8 zero;", [["a", "", "", "", "0 8 zero"]]],
    [
      "a,,,,0 8 zero;\n b,,,,0 8 error\n",
      [
        ["a", "", "", "", "0 8 zero"],
        ["b", "", "", "", "0 8 error\n"],
      ],
    ],
    ["a,,,,,0 8 zero", [["a", "", "", "", "", "0 8 zero"]]],
    [" a ,,, ro,\t0 8 zero", [["a ", "", "", "ro", "0 8 zero"]]],
    ["a\\,b,,,,0 8 zero", [["a,b", "", "", "", "0 8 zero"]]],
    ["a\\;b\\\\c\\d,,,,0 8 zero", [["a;b\\cd", "", "", "", "0 8 zero"]]],
    ["\\ a,,,,0 8 zero", [[" a", "", "", "", "0 8 zero"]]],
    [
      "a,,,,0 8 crypt capi:rfc7539(chacha20\\,poly1305)-random",
      [["a", "", "", "", "0 8 crypt capi:rfc7539(chacha20,poly1305)-random"]],
    ],
  ])("%j", (text, devices) => expect(splitConcise(text)).toEqual(devices))

  test.each([
    "",
    "a",
    "a,,",
    "a,,,rw",
    "a,,,rw,",
    "a,,,rw,0 8 zero,",
    "a,,,rw,0 8 zero;;",
    ";a,,,rw,0 8 zero",
    "a,,,rw,0 8 zero\\",
  ])("not %j", (text) => expect(() => splitConcise(text)).toThrow(expect.objectContaining({ code: "INVALID" })))
})

test("what is joined is split again", () => {
  const field = fc.stringMatching(/^[a, ;\\#0-9\t]*$/)
  const device = fc
    .array(field, { minLength: 5, maxLength: 8 })
    .filter((fields) => fields.at(-1) !== "" && fields[0] !== "")
  fc.assert(
    fc.property(fc.array(device, { minLength: 1, maxLength: 4 }), (devices) => {
      expect(splitConcise(devices.map(joinConcise).join(";"))).toEqual(devices)
    }),
  )
})
