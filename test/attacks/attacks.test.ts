import { ATTACKS, type AttackMatrix, type AttackStack, attackFindings, attackMatrix } from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { runCount } from "../run-count.ts"
import { EXPECTED } from "./expectation.ts"
import { guaranteesPage } from "./guarantees.ts"
import { STACKS } from "./stacks.ts"

/** 200 in the slow run. */
const RUNS_PER_CELL = runCount(10)
/** Milliseconds; the typical time is under 3, and the machine may be busy. */
const OPENING_TIME_MAX = 2000
/** Bytes; scratch is at most 1 MiB a request, and these media are smaller. */
const OPENING_MEMORY_MAX = 8 * 1024 * 1024

const matrices = new Map<AttackStack, Promise<AttackMatrix>>()
let slowestOpening = 0
/** Bytes of buffers that were there after an opening and not before. */
let largestGrowth = 0

/** The column of a stack, computed once for all tests. */
async function columnOf(stack: AttackStack): Promise<AttackMatrix> {
  const column =
    matrices.get(stack) ?? attackMatrix([measured(stack)], { seed: inject("seed"), runsPerCell: RUNS_PER_CELL })
  matrices.set(stack, column)
  return await column
}

/** The same stack, and what it costs its reader to open it, or to refuse. */
function measured(stack: AttackStack): AttackStack {
  return {
    ...stack,
    async create(wish) {
      if (wish.party !== "reader") return await stack.create(wish)
      const held = process.memoryUsage().arrayBuffers
      const started = performance.now()
      try {
        return await stack.create(wish)
      } finally {
        slowestOpening = Math.max(slowestOpening, performance.now() - started)
        largestGrowth = Math.max(largestGrowth, process.memoryUsage().arrayBuffers - held)
      }
    },
  }
}

describe(`every attack on every stack, ${RUNS_PER_CELL} seeds a cell`, () => {
  it.each(STACKS)("$name", async (stack) => {
    const expected = Object.entries(EXPECTED).map(([attack, row]) => [attack, { [stack.name]: row[stack.name] ?? "" }])
    expect(attackFindings(await columnOf(stack), Object.fromEntries(expected))).toEqual([])
  })

  it("no header, however hostile, holds an opening up, or has it take much memory", async () => {
    for (const stack of STACKS) await columnOf(stack)
    expect(slowestOpening).toBeGreaterThan(0)
    expect(slowestOpening).toBeLessThan(OPENING_TIME_MAX)
    expect(largestGrowth).toBeGreaterThan(0)
    expect(largestGrowth).toBeLessThan(OPENING_MEMORY_MAX)
  })

  it("docs/guarantees.md says what was found (-u rewrites it)", async () => {
    const columns: AttackMatrix[] = []
    for (const stack of STACKS) columns.push(await columnOf(stack))
    const matrix: AttackMatrix = {
      attacks: ATTACKS,
      stacks: STACKS.map(({ name }) => name),
      cells: columns.flatMap(({ cells }) => cells),
    }
    await expect(guaranteesPage(matrix)).toMatchFileSnapshot("../../docs/guarantees.md")
  })
})
