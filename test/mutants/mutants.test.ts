import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { ROOT } from "../tidy/project-file.ts"
import { type Mutant, mutate, placeOf } from "./mutant.ts"
import { canaries, mutants } from "./mutant-list.ts"

const MUTANT_COUNT_MIN = 24
const every = [...mutants, ...canaries]

describe("the list of mutants", () => {
  it.each(every.map((mutant) => [placeOf(mutant), mutant] as const))("%s", (_place, mutant) => {
    const source = readFileSync(join(ROOT, mutant.file), "utf8")
    expect(mutate(source, mutant)).not.toBe(source)
    expect(mutant.tests.filter((test) => !existsSync(join(ROOT, test)))).toEqual([])
  })

  it("changes nothing but what ships", () => {
    const notShipped = every.filter(
      ({ file }) => !/^packages\/[^/]+\/src\/.+\.ts$/.test(file) || /\.test\.ts$/.test(file),
    )
    expect(notShipped).toEqual([])
  })

  it("names each bug once", () => {
    const keys = every.map(placeOf)
    expect(new Set(keys).size).toBe(keys.length)
    expect(new Set(every.map(({ file, find, replace }) => [file, find, replace].join("\n"))).size).toBe(keys.length)
  })

  it("has enough of them, spread over what carries the guarantees", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(MUTANT_COUNT_MIN)
    for (const name of ["device", "crypt", "integrity", "verity"]) {
      const inPackage = mutants.filter(({ file }) => file.startsWith(`packages/${name}/`))
      expect(inPackage.length, name).toBeGreaterThanOrEqual(MUTANT_COUNT_MIN / 4)
    }
  })
})

describe("mutate", () => {
  const mutant = (find: string, replace: string): Mutant => ({ bug: "b", file: "f", find, replace, tests: ["t"] })

  it("changes, removes or adds one line", () => {
    expect(mutate("a\nb\nc", mutant("b", "$&"))).toBe("a\n$&\nc")
    expect(mutate("a\nb\nb\n", mutant("a\nb\n", "a\n"))).toBe("a\nb\n")
    expect(mutate("a\nc", mutant("a", "a\nb"))).toBe("a\nb\nc")
  })

  it.each([
    ["a text that is gone", "x", "y"],
    ["a text that stands twice", "b", "y"],
    ["no change", "a", "a"],
    ["two lines", "a\nb", "c\nd"],
    ["two lines for one", "a", "c\nd"],
  ])("refuses %s", (_what, find, replace) => {
    expect(() => mutate("a\nb\nb", mutant(find, replace))).toThrow(/mutant/)
  })
})
