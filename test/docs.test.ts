import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it, vi } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const scratch = `${root}.cache/docs/`
mkdirSync(scratch, { recursive: true })
afterAll(() => rmSync(scratch, { recursive: true }))

const pages = [
  "README.md",
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  "bench/README.md",
  ...readdirSync(`${root}packages`).map((name) => `packages/${name}/README.md`),
]

function examplesOf(page: string): string[] {
  return [...readFileSync(root + page, "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code ?? "")
}

const examples = pages.flatMap((page) => examplesOf(page).map((code, index) => ({ page, index, code })))
/** An example that declares tests of its own stands among the suites, not inside a test. */
const isSuite = ({ code }: (typeof examples)[number]) => code.includes('from "vitest"')

/** Writes an example where its imports resolve as those of a test do. */
function place({ page, index, code }: (typeof examples)[number]): string {
  const file = `${scratch}${page.replace(/\W/g, "-")}-${index}.ts`
  writeFileSync(file, code)
  return file
}

describe("code in the docs runs", () => {
  it.each(examples.filter((example) => !isSuite(example)))("$page, example $index", async (example) => {
    // A comment behind a `console.log` on its line is what it prints.
    const printed: string[] = []
    const log = vi
      .spyOn(console, "log")
      .mockImplementation((...values: unknown[]) => void printed.push(values.map(show).join(" ")))
    try {
      await import(/* @vite-ignore */ place(example))
    } finally {
      log.mockRestore()
    }
    for (const [, promised = ""] of example.code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm))
      expect(printed).toContain(promised)
  })

  for (const example of examples.filter(isSuite)) {
    describe(`${example.page}, as it stands`, async () => {
      await import(/* @vite-ignore */ place(example))
    })
  }

  it("there is some in the README", () => {
    expect(examples.some(({ page }) => page === "README.md")).toBe(true)
  })
})

/** As Node prints values in a console, for what examples print. */
function show(value: unknown): string {
  if (typeof value === "string") return value
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[ ${value.map(show).join(", ")} ]`
  return String(value)
}
