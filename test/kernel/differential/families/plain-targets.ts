import type { SeededRandom } from "@blockstrata/testkit"
import { type Draft, type Family, isChance, type Medium, type Setup } from "../case.ts"

const STRIPE_COUNTS = [1, 2, 3, 5]
const MIRROR_FEATURES = ["", "1 handle_errors", "2 handle_errors keep_log", "2 keep_log handle_errors"]

/** The targets without parameters of their own. */
export const plainFamily: Family = {
  name: "plain targets",
  weight: 3,
  coverage: [
    ...["linear", "striped", "mirror", "zero", "error", "linear on 4096", "striped on 4096", "mirror on 4096"],
    ...MIRROR_FEATURES.filter((features) => features !== ""),
    ...STRIPE_COUNTS.map((count) => `${count} stripes`),
  ],
  draw(random) {
    return DRAWS[random.pick(Object.keys(DRAWS))]!(random)
  },
}

const DRAWS: Readonly<Record<string, (random: SeededRandom) => Draft>> = { linear, striped, mirror, zero, error }

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

/** Legs that differ: what is read tells which one was asked. A copy, Linux would still be making when it is closed. */
function mirror(random: SeededRandom): Draft {
  const blockSize = isChance(random, 1, 3) ? 4096 : 512
  const features = random.pick(MIRROR_FEATURES)
  const size = (2 + random.below(65536 / blockSize)) * blockSize
  const legs = Array.from({ length: 2 + random.below(3) }, (_, index) => ({
    name: `m${index}`,
    start: random.below(9) * blockSize,
  }))
  // A region smaller than a block, Linux takes and then reads nothing.
  const region = Math.max(2, blockSize / 512, 2 ** random.below(Math.floor(Math.log2(size / 512)) + 1))
  const build = async (): Promise<Setup> => ({
    line: [
      `0 ${size / 512} mirror core 2 ${region} nosync ${legs.length}`,
      ...legs.map(({ name, start }) => `${name} ${start / 512}`),
      ...(features === "" ? [] : [features]),
    ].join(" "),
    media: legs.map(({ name, start }) => medium(random, name, blockSize, start + size)),
    size,
    blockSize,
    canDiscard: true,
  })
  const words = ["mirror", ...(features === "" ? [] : [features]), ...(blockSize === 4096 ? ["mirror on 4096"] : [])]
  return { words, build }
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
