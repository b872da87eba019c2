import type { SeededRandom } from "@blockstrata/testkit"

/** How a good line is spoilt: what was done, and the words that are left. */
type Mutation = (random: SeededRandom, words: string[], at: number) => readonly [what: string, words: string[]]

const BAD_NUMBERS: readonly ((value: string) => string)[] = [
  (value) => `-${value}`,
  (value) => `+${value}`,
  (value) => `${value}x`,
  (value) => `0x${value}`,
  (value) => `${value}.5`,
  (value) => `${BigInt(value) + 1n}`,
  (value) => `${BigInt(value) * 2n + 1n}`,
  (value) => `${BigInt(value) + 2n ** 20n}`,
  (value) => `${BigInt(value) + 2n ** 54n}`,
  () => "0",
  () => "x",
]
const EXTRA_WORDS = ["x", "0", "1", "nosuch", "sector_size:4096", "block_size:512", "m0", "-"]

/** Arguments begin behind `start length word`. */
const ARGUMENTS = 3

const MUTATIONS: readonly Mutation[] = [
  (_random, words, at) => [`without word ${at}`, words.toSpliced(at, 1)],
  (_random, words, at) => [`word ${at} twice`, words.toSpliced(at, 0, words[at]!)],
  (random, words, at) => [`a word more, at ${at}`, words.toSpliced(at, 0, random.pick(EXTRA_WORDS))],
  (random, words) => ["a word more", [...words, random.pick(EXTRA_WORDS)]],
  (random, words, at) => [
    `word ${at} made longer`,
    words.with(at, `${words[at]}${random.pick(["x", "0", ":", ":1"])}`),
  ],
  (_random, words, at) => [`word ${at} made shorter`, words.with(at, words[at]!.slice(0, -1) || "-")],
  (_random, words, at) => [`word ${at} in capitals`, words.with(at, words[at]!.toUpperCase())],
  (random, words, at) => {
    const other = ARGUMENTS + random.below(words.length - ARGUMENTS)
    return [`words ${at} and ${other} for each other`, words.with(at, words[other]!).with(other, words[at]!)]
  },
  (random, words, at) => [`another number in word ${at}`, words.with(at, badNumber(random, words[at]!))],
  (random, words, at) => [`another number in word ${at}`, words.with(at, badNumber(random, words[at]!))],
  (random, words) => {
    const length = Number(words[1])
    return [
      "another length",
      words.with(1, String(random.pick([length + 1, length + 8, length * 1000, length + 2 ** 40]))),
    ]
  },
]

/** A line that differs from `line` in one place: mostly one that Linux refuses. */
export function mutate(random: SeededRandom, line: string): readonly [what: string, line: string] {
  const words = line.split(" ")
  // Without arguments there is only the length, and what is too much.
  const at = Math.min(ARGUMENTS + random.below(Math.max(1, words.length - ARGUMENTS)), words.length - 1)
  const fitting = words.length > ARGUMENTS ? MUTATIONS : [MUTATIONS[3]!, MUTATIONS.at(-1)!]
  const [what, changed] = random.pick(fitting)(random, words, at)
  return [what, changed.join(" ")]
}

/** The first number of a word that is one or ends in one, changed. */
function badNumber(random: SeededRandom, word: string): string {
  const [, before = "", digits = "", after = ""] = /^(|[a-z_]+:)(\d{1,20})(|:.*)$/.exec(word) ?? []
  return digits === "" ? `${word}0` : `${before}${random.pick(BAD_NUMBERS)(digits)}${after}`
}
