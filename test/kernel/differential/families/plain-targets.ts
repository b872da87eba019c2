import type { SeededRandom } from "@blockstrata/testkit"
import { type Draft, type Family, isChance, type Medium, type Setup } from "../case.ts"

const STRIPE_COUNTS = [1, 2, 3, 5]

/** The targets without parameters of their own. */
export const plainFamily: Family = {
  name: "plain targets",
  weight: 3,
  coverage: [
    ...["linear", "striped", "zero", "error", "linear on 4096", "striped on 4096"],
    ...STRIPE_COUNTS.map((count) => `${count} stripes`),
  ],
  draw(random) {
    return DRAWS[random.pick(Object.keys(DRAWS))]!(random)
  },
}

const DRAWS: Readonly<Record<string, (random: SeededRandom) => Draft>> = { linear, striped, zero, error }

function medium(random: SeededRandom, name: string, blockSize: number, size: number): Medium {
  return { name, blockSize, content: random.bytes(Math.ceil(size / 4096) * 4096) }
}

function linear(random: SeededRandom): Draft {
  const blockSize = isChance(random, 1, 3) ? 4096 : 512
  const start = random.below(20) * blockSize
  const size = (1 + random.below(65536 / blockSize)) * blockSize
  const build = async (): Promise<Setup> => ({
    line: `0 ${size / 512} linear m0 ${start / 512}`,
    media: [medium(random, "m0", blockSize, start + size)],
    size,
    blockSize,
    canDiscard: true,
  })
  return { words: ["linear", ...(blockSize === 4096 ? ["linear on 4096"] : [])], build }
}

function striped(random: SeededRandom): Draft {
  const blockSize = isChance(random, 1, 3) ? 4096 : 512
  const count = random.pick(STRIPE_COUNTS)
  const chunk = (1 + random.below(9)) * blockSize
  const width = (1 + random.below(Math.floor(32768 / chunk) + 1)) * chunk
  const starts = Array.from({ length: count }, () => random.below(9) * blockSize)
  const build = async (): Promise<Setup> => ({
    line: `0 ${(width * count) / 512} striped ${count} ${chunk / 512} ${starts.map((start, index) => `m${index} ${start / 512}`).join(" ")}`,
    media: starts.map((start, index) => medium(random, `m${index}`, blockSize, start + width)),
    size: width * count,
    blockSize,
    canDiscard: true,
  })
  return { words: ["striped", `${count} stripes`, ...(blockSize === 4096 ? ["striped on 4096"] : [])], build }
}

function zero(random: SeededRandom): Draft {
  const size = (1 + random.below(64)) * 512
  return { words: ["zero"], build: async () => ({ line: `0 ${size / 512} zero`, media: [], size, blockSize: 512 }) }
}

function error(random: SeededRandom): Draft {
  const size = (1 + random.below(32)) * 512
  const args = random.pick(["", "", " a b"])
  return {
    words: ["error"],
    build: async () => ({ line: `0 ${size / 512} error${args}`, media: [], size, blockSize: 512 }),
  }
}
