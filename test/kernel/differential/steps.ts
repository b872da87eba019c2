import type { SeededRandom } from "@blockstrata/testkit"
import { isChance, POOL_SIZE, type Setup, type Step } from "./case.ts"

/** Reads all, writes here and there in several sizes, reads all again. */
export function drawSteps(random: SeededRandom, { size, blockSize, isReadOnly, canDiscard }: Setup): Step[] {
  if (isReadOnly) return [{ kind: "read" }]
  const steps: Step[] = [{ kind: "read" }]
  const count = 2 + random.below(4)
  for (let index = 0; index < count; index++) {
    const range = drawRange(random, size, blockSize)
    const kind = isChance(random, 1, 8) ? "zero" : canDiscard && isChance(random, 1, 4) ? "discard" : "write"
    steps.push(
      kind === "write" ? { kind, ...range, poolOffset: drawPoolOffset(random, range.length) } : { kind, ...range },
    )
  }
  return [...steps, { kind: "flush" }, { kind: "read" }]
}

/** Blocks of a device of `size` bytes: often one, often few, sometimes all. */
export function drawRange(
  random: SeededRandom,
  size: number,
  blockSize: number,
): { readonly offset: number; readonly length: number } {
  const blockCount = size / blockSize
  const longest = random.pick([1, 4, 16, blockCount])
  const count = 1 + random.below(Math.min(longest, blockCount))
  return { offset: random.below(blockCount - count + 1) * blockSize, length: count * blockSize }
}

/** Aligned to the memory that direct I/O asks for. */
export function drawPoolOffset(random: SeededRandom, length: number): number {
  return random.below(Math.floor((POOL_SIZE - length) / 4096) + 1) * 4096
}
