import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { computeAttackTable, printAttackTable } from "../packages/tour/src/attack-table.ts"
import { tourStacks } from "../packages/tour/src/stacks.ts"
import { tellStory } from "../packages/tour/src/story.ts"

it("the tour ends well, and its table is the README's", async () => {
  const lines: string[] = []
  expect(await tellStory((line) => lines.push(...line.split("\n")))).toBe(true)
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  const [, table = ""] = /<!-- tour -->\n([\s\S]*?)\n<!-- \/tour -->/.exec(readme) ?? []
  expect(
    lines
      .map((line) => line.trim())
      .filter((line) => line.startsWith("|"))
      .join("\n"),
  ).toBe(table)
})

it("the cells are the stacks': two that change places change them", async () => {
  const [xts, aead, above, below] = await tourStacks()
  const table = await computeAttackTable([xts, aead, above, below])
  const swapped = await computeAttackTable([{ ...aead, name: xts.name }, { ...xts, name: aead.name }, above, below])
  expect(printAttackTable(swapped)).not.toBe(printAttackTable(table))
  for (const [index, { outcomes }] of table.rows.entries()) {
    const [first, second, ...rest] = outcomes
    expect(swapped.rows[index]?.outcomes).toEqual([second, first, ...rest])
  }
})
