import { standardWords } from "blockstrata"
import { describe, expect, inject, test } from "vitest"
import { differenceOf } from "./differential/comparison.ts"
import { FAMILIES } from "./differential/families/all.ts"
import { cryptFamily } from "./differential/families/crypt.ts"
import { runInLinux } from "./differential/guest.ts"
import { runHere } from "./differential/here.ts"
import { drawLines, type LineSet, type TriedCase } from "./differential/lines.ts"
import { ORACLE, ORACLE_NEEDS, withFolder } from "./oracle.ts"

const LINE_COUNT = 1000
/** How often each word that the parsers take occurs at least, in lines that are not spoilt. */
const WORD_COUNT = 5
const CANARY_COUNT = 12
/** Targets whose lines and requests `faults.test.ts` and `fault-requests.test.ts` compare. */
const FAULTS = ["flakey", "delay", "dust", "log-writes"]

/** What differs, in words: one text for each line that does. */
async function mismatchesOf(tried: readonly TriedCase[], pool: Uint8Array): Promise<string[]> {
  return await withFolder(async (folder) => {
    const cases = tried.map(({ each }) => each)
    const outcomes = await runInLinux(folder, cases, pool)
    const mismatches: string[] = []
    for (const [index, { each, here }] of tried.entries()) {
      const difference = await differenceOf(each, outcomes[index]!, here)
      if (difference === undefined) continue
      const origin = each.mutation === undefined ? each.family : `${each.family}, spoilt: ${each.mutation}`
      mismatches.push(`SEED=${inject("seed")}, line ${each.index} (${origin}):\n${each.line}\n${difference}`)
    }
    return mismatches
  })
}

/** How often each target that a table may name is taken. */
function targetCounts(lines: readonly TriedCase[]): [string, number][] {
  const taken = lines.filter(({ here }) => here.verdict === "taken").map(({ each }) => each.line.split(" ")[2])
  const words = standardWords.map(({ word }) => word).filter((word) => !FAULTS.includes(word))
  return words.map((word) => [`target ${word}`, taken.filter((other) => other === word).length])
}

function report({ lines, unbuiltCount, counts }: LineSet, refusedCount: number): void {
  const rows = [...targetCounts(lines), ...counts].map(([word, count]) => `${String(count).padStart(5)}  ${word}`)
  const extra = `${unbuiltCount} spoilt ones beside them are not built here`
  console.log(`${lines.length} lines, of which ${refusedCount} are refused; ${extra}\n${rows.join("\n")}`)
}

describe.skipIf(ORACLE === undefined)(`random table lines in Linux 6.1 and here (${ORACLE_NEEDS})`, () => {
  test("the same bytes, and the same refusals", { timeout: 900_000 }, async () => {
    const set = await drawLines(FAMILIES, LINE_COUNT, WORD_COUNT, inject("seed"))
    const refusedCount = set.lines.filter(({ here }) => here.verdict === "refused").length
    report(set, refusedCount)
    const counts = [...set.counts, ...targetCounts(set.lines)]
    expect(counts.filter(([, count]) => count < WORD_COUNT)).toEqual([])
    expect(set.lines.length).toBe(LINE_COUNT)
    expect(refusedCount).toBeLessThanOrEqual(LINE_COUNT / 4)
    // Two machines at a time, one for each half.
    const half = Math.ceil(LINE_COUNT / 2)
    const parts = [set.lines.slice(0, half), set.lines.slice(half)]
    const mismatches = (await Promise.all(parts.map((part) => mismatchesOf(part, set.pool)))).flat()
    expect(mismatches.join("\n\n")).toBe("")
  })

  test("another IV offset here is seen in every line", { timeout: 300_000 }, async () => {
    const { lines, pool } = await drawLines([cryptFamily], CANARY_COUNT, 0, inject("seed"))
    const taken = lines.filter(({ here }) => here.verdict === "taken")
    const moved: TriedCase[] = []
    for (const { each } of taken) {
      const words = each.line.split(" ")
      const offset = BigInt.asUintN(64, BigInt(words[5]!) + 8n)
      moved.push({ each, here: await runHere({ ...each, line: words.with(5, String(offset)).join(" ") }, pool) })
    }
    expect(await mismatchesOf(moved, pool)).toHaveLength(taken.length)
  })
})
