import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type BenchRecord, benches, drawRecord, svgReport } from "@blockstrata/bench"
import { beforeAll, describe, expect, test } from "vitest"
import { runProcess } from "./process.ts"

const ROOT = fileURLToPath(new URL("..", import.meta.url))
const STRATA = join(ROOT, "packages/cli/bin/strata.js")

/** What is wrong with one record. */
function findings(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return ["not an object"]
  const record = value as Record<string, unknown>
  const { bench, case: name, value: rate, unit, ratios } = record
  const isRate = (number: unknown): boolean => typeof number === "number" && Number.isFinite(number) && number > 0
  return [
    ...(Object.keys(record).sort().join() === "bench,case,ratios,unit,value" ? [] : ["other keys"]),
    ...(typeof bench === "string" && typeof name === "string" && name !== "" ? [] : ["no name"]),
    ...(isRate(rate) ? [] : [`value ${String(rate)}`]),
    ...(["MiB/s", "MiB/CPU-s", "reads/s", "joints/s"].includes(String(unit)) ? [] : [`unit ${String(unit)}`]),
    ...(typeof ratios === "object" && ratios !== null && Object.values(ratios).every(isRate) ? [] : ["ratios"]),
    ...(typeof ratios === "object" && ratios !== null && "limit" in ratios ? [] : ["no limit"]),
    ...(typeof ratios === "object" && ratios !== null && ("naive" in ratios || bench === "layers") ? [] : ["no naive"]),
  ]
}

async function benchJson(...args: readonly string[]): Promise<{ records: BenchRecord[]; notes: string }> {
  const built = await runProcess(process.execPath, [join(ROOT, "scripts", "build.mjs")], ROOT)
  expect(built.status, built.stdout + built.stderr).toBe(0)
  const { status, stdout, stderr } = await runProcess(process.execPath, [STRATA, "bench", "--json", ...args], ROOT)
  expect(status, stderr).toBe(0)
  return { records: JSON.parse(stdout) as BenchRecord[], notes: stderr }
}

describe("strata bench --small --json", () => {
  let records: BenchRecord[] = []
  let notes = ""
  beforeAll(async () => {
    ;({ records, notes } = await benchJson("--small"))
  }, 120_000)

  test("every record is { bench, case, value, unit, ratios }", () => {
    expect(records.filter((record) => findings(record).length > 0)).toEqual([])
  })

  test.each(benches.map(({ name }) => name))("%s answers, and tells what memory it took", (name) => {
    expect(records.filter(({ bench }) => bench === name).length).toBeGreaterThan(0)
    expect(notes).toMatch(new RegExp(`${name}: memory [+-]\\d+ MiB at most`))
  })

  test("no case has the name of another", () => {
    const names = records.map((record) => `${record.bench}: ${record.case}`)
    expect(new Set(names).size).toBe(names.length)
  })

  test("both engines are measured", () => {
    for (const engine of ["node", "portable"]) {
      expect(records.some((record) => record.case.startsWith(`${engine}: aes-xts`))).toBe(true)
    }
  })

  test("a rival is compared or named as missing", () => {
    const hasQemu = records.some(({ ratios }) => "qemu-img" in ratios)
    expect(hasQemu || /qemu-img: not compared: .* not installed/.test(notes)).toBe(true)
    const hasSpeed = records.some(({ ratios }) => "openssl-speed" in ratios)
    expect(hasSpeed || notes.includes("openssl is not installed")).toBe(true)
  })

  test("each can be drawn", () => {
    for (const record of records) expect(drawRecord(record)).toContain(record.case)
    const picture = svgReport(records, "a < b")
    expect(picture).toContain("a &lt; b")
    expect(picture.match(/<rect/g)?.length).toBe(records.length + 1)
  })
})

test("--layers measures every layer, from the bottom up", async () => {
  const key = "00".repeat(31) + "01".repeat(33)
  const table = `a,,,rw,0 8192 linear mem:4M 0;b,,,rw,0 8192 crypt aes-xts-plain64 ${key} 0 a 0`
  const { records } = await benchJson("--small", "--engine", "node", "--layers", table)
  expect(records.flatMap(findings)).toEqual([])
  const names = records.map((record) => /\d (\w+),/.exec(record.case)?.[1])
  expect(names).toEqual(["memory", "linear", "crypt", "memory", "linear", "crypt"])
  const compared = ["limit", "limit,below", "limit,below"]
  expect(records.map(({ ratios }) => Object.keys(ratios).join())).toEqual([...compared, ...compared])
})

test.each([
  ["a bench that there is not", ["no-such-bench"], /no-such-bench: expected sector-ciphers/],
  ["an engine that there is not", ["--engine", "steam"], /engine steam: expected node or portable/],
])("%s is refused by name", async (_, args, message) => {
  const { status, stderr } = await runProcess(process.execPath, [STRATA, "bench", ...args], ROOT)
  expect(stderr).toMatch(message)
  expect(status).toBe(1)
})

test("CI runs every bench", () => {
  expect(readFileSync(join(ROOT, ".ci/run"), "utf8")).toContain("npm run bench -- --small")
})
