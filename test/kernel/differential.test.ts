import { describe, expect, inject, test } from "vitest"
import { differenceOf } from "./differential/comparison.ts"
import { FAMILIES } from "./differential/families/all.ts"
import { runInLinux } from "./differential/guest.ts"
import { drawLines, type LineSet, type TriedCase } from "./differential/lines.ts"
import { ORACLE, withFolder } from "./oracle.ts"

const LINE_COUNT = Number(process.env["LINES"] ?? 1000)
/** How often each word occurs at least, in lines that are taken. */
const WORD_COUNT = LINE_COUNT >= 1000 ? 5 : 0

async function mismatchesOf(tried: readonly TriedCase[], pool: Uint8Array): Promise<string[]> {
  return await withFolder(async (folder) => {
    const outcomes = await runInLinux(
      folder,
      tried.map(({ each }) => each),
      pool,
    )
    const mismatches: string[] = []
    for (const [index, { each, here }] of tried.entries()) {
      const difference = await differenceOf(each, outcomes[index]!, here)
      if (difference === undefined) continue
      const spoilt = each.mutation === undefined ? "" : ` (${each.mutation})`
      mismatches.push(
        `SEED=${inject("seed")}, line ${each.index}, ${each.family}${spoilt}:\n${each.line}\n${difference}`,
      )
    }
    return mismatches
  })
}

function report({ lines, unbuilt, counts }: LineSet): void {
  const refused = lines.filter(({ here }) => here.verdict === "refused").length
  console.log(`${lines.length} lines, ${refused} of them refused; ${unbuilt.length} more that are not built here`)
  console.log([...counts].map(([word, count]) => `${count} ${word}`).join("\n"))
}

describe.skipIf(ORACLE === undefined)("random table lines in Linux 6.1 and here (needs BLOCKSTRATA_ORACLE)", () => {
  test("the same bytes and the same refusals", { timeout: 900_000 }, async () => {
    const set = await drawLines(FAMILIES, LINE_COUNT, WORD_COUNT, inject("seed"))
    report(set)
    const tried = [...set.lines, ...set.unbuilt]
    const half = Math.ceil(tried.length / 2)
    const parts = [tried.slice(0, half), tried.slice(half)]
    const mismatches = (await Promise.all(parts.map((part) => mismatchesOf(part, set.pool)))).flat()
    if (mismatches.length > 0) console.log(`${mismatches.length} MISMATCHES\n${mismatches.join("\n\n")}`)
    expect(mismatches.length).toBe(0)
  })
})
