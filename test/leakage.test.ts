import { readFileSync } from "node:fs"
import { type LeakageReport, printLeakage } from "@blockstrata/testkit"
import { describe, expect, it } from "vitest"
import { EXPECTED_OBSERVERS } from "./leakage-expectation.ts"
import { drawLeakage, leakageReport, observersOf } from "./leakage-report.ts"
import { casesOf, type LeakageCase, type LeakageStack, leakageStacks } from "./leakage-stack.ts"

/** The seed is fixed: the tables of the page are these. The slow run takes many. */
const THOROUGHNESS = { seed: 1, runs: 12 }
const PAGE_TIMEOUT_MS = 300_000

const stacks = leakageStacks()
const reports = new Map<LeakageStack, Map<LeakageCase, LeakageReport>>(stacks.map((stack) => [stack, new Map()]))

/** Each is measured once, whichever test asks first. */
async function reportOf(stack: LeakageStack, leakageCase: LeakageCase): Promise<LeakageReport> {
  const own = reports.get(stack)
  const report = own?.get(leakageCase) ?? (await leakageReport(stack, leakageCase, THOROUGHNESS))
  own?.set(leakageCase, report)
  return report
}

describe.each(stacks)("$name: who sees it below", (stack) => {
  it.each(casesOf(stack))("$threat: $secret", async (leakageCase) => {
    const report = await reportOf(stack, leakageCase)
    expect(report.controls.areSound).toBe(true)
    expect(observersOf(report)).toBe(EXPECTED_OBSERVERS[leakageCase.secret]?.[stack.name])
  })
})

it("finds a linear and an XTS stack with every meter, where addresses differ", async () => {
  for (const stack of stacks.filter(({ name }) => name === "linear" || name === "XTS")) {
    const report = await leakageReport(stack, "control", THOROUGHNESS)
    for (const { entropy, overlap, information, game } of report.observers)
      for (const meter of [entropy, overlap, information, game]) expect(meter.verdict).toBe("leaks")
  }
})

// `vitest run test/leakage.test.ts -u` writes the page anew.
it(
  "docs/leakage.md has these tables",
  async () => {
    const all: LeakageReport[] = []
    for (const stack of stacks) for (const leakageCase of casesOf(stack)) all.push(await reportOf(stack, leakageCase))
    const single = (name: string) => printLeakage(all.find((report) => report.name === name) as LeakageReport)
    const tables = {
      "who-sees-it": drawLeakage(all),
      xts: single("XTS: which 16 bytes of a sector change"),
      aead: single("AEAD over integrity: which 16 bytes of a sector change"),
    }
    let page = readFileSync(new URL("../docs/leakage.md", import.meta.url), "utf8")
    for (const [name, table] of Object.entries(tables)) {
      const place = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`)
      expect(page).toMatch(place)
      page = page.replace(place, (_, start: string, end: string) => `${start}${table}\n${end}`)
    }
    await expect(page).toMatchFileSnapshot("../docs/leakage.md")
  },
  PAGE_TIMEOUT_MS,
)
