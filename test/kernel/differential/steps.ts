import type { SeededRandom } from "@blockstrata/testkit"
import { isChance, POOL_SIZE, type Setup, type Step } from "./case.ts"

/** Reads all, writes and reads here and there in several sizes, reads all again. */
export function drawSteps(random: SeededRandom, setup: Setup): Step[] {
  const { size, blockSize, isReadOnly } = setup
  const all: Step = { kind: "read", offset: 0, length: size }
  const some = (): Step => ({ kind: "read", ...drawRange(random, size, blockSize) })
  if (isReadOnly) return [all, some(), some()]
  const changes = Array.from({ length: 2 + random.below(4) }, () => drawChange(random, setup))
  return [all, ...changes.flatMap((step) => (isChance(random, 1, 3) ? [step, some()] : [step])), { kind: "flush" }, all]
}

function drawChange(random: SeededRandom, { size, blockSize, canDiscard }: Setup): Step {
  const range = drawRange(random, size, blockSize)
  if (isChance(random, 1, 8)) return { kind: "zero", ...range }
  if (canDiscard && isChance(random, 1, 4)) return { kind: "discard", ...range }
  return { kind: "write", ...range, poolOffset: drawPoolOffset(random, range.length) }
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
