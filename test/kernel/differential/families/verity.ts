import { memoryDevice } from "@blockstrata/device"
import { type SeededRandom, seededRuntime } from "@blockstrata/testkit"
import { formatVerity, hashTree, type VerityParameters, verityWord } from "@blockstrata/verity"
import { algorithmFault, OPTIONS } from "../../../../packages/verity/src/table-words.ts"
import { type Draft, type Family, flipIn, isChance, type Medium, pickSome, type Setup } from "../case.ts"

const VERSIONS = [0, 1] as const
const SIZES = Array.from({ length: 13 }, (_, index) => 256 * 2 ** index)
/** Linux takes data blocks up to the page of the machine. */
const DATA_SIZES = SIZES.filter((size) => size <= 4096 && isTaken({ dataBlockSize: size }))
const HASH_SIZES = SIZES.filter((size) => isTaken({ hashBlockSize: size }))
const OPTION_WORDS = [...OPTIONS.keys()].filter((option) => isTaken({ options: ` 1 ${option}` }))
/** Linux's names, as far as they are built. */
const ALGORITHMS = "sha1 sha224 sha256 sha384 sha512 sha3-256 sha3-512 blake2b-256 blake2b-512 blake2s-256 sm3 rmd160"
  .split(" ")
  .filter((name): name is "sha256" => algorithmFault(name) === undefined)

export const verityFamily: Family = {
  name: "verity",
  weight: 5,
  coverage: [
    ...VERSIONS.map((version) => `version ${version}`),
    ...ALGORITHMS,
    ...DATA_SIZES.map((size) => `data blocks of ${size}`),
    ...HASH_SIZES.map((size) => `hash blocks of ${size}`),
    ...OPTION_WORDS,
    ...["no salt", "a salt", "one medium", "hash start", "no levels", "one level", "two levels", "on 4096"],
    ...["changed data", "changed tree", "a line that is shorter than the tree"],
  ],
  draw,
}

function isTaken({ dataBlockSize = 4096, hashBlockSize = 4096, options = "" }): boolean {
  const text = `1 m0 m1 ${dataBlockSize} ${hashBlockSize} 4096 0 sha256 ${"00".repeat(32)} -${options}`
  try {
    verityWord.parse(text.split(" "), dataBlockSize)
    return true
  } catch {
    return false
  }
}

interface VerityDraw extends Omit<VerityParameters, "salt"> {
  readonly saltSize: number
  readonly isOneMedium: boolean
  readonly mediumBlockSize: number
  readonly flips: readonly ("data" | "tree")[]
  readonly options: readonly string[]
  readonly lineBlockCount: number
}

function draw(random: SeededRandom): Draft {
  const isOn4096 = isChance(random, 1, 6)
  const dataBlockSize = isOn4096 ? 4096 : random.pick(DATA_SIZES)
  const hashSizes = HASH_SIZES.filter((size) => !isOn4096 || size >= 4096)
  const hashBlockSize = random.pick([random.pick(hashSizes.slice(0, 4)), random.pick(hashSizes)])
  const dataBlockCount = 1 + random.below(random.pick([2, 20, 131072 / dataBlockSize]))
  const isOneMedium = isChance(random, 1, 3)
  const firstHashBlock = isOneMedium ? Math.ceil((dataBlockCount * dataBlockSize) / hashBlockSize) : 0
  const isShort = dataBlockCount > 1 && isChance(random, 1, 6)
  const choice: VerityDraw = {
    version: random.pick(VERSIONS),
    algorithm: random.pick(ALGORITHMS),
    dataBlockSize,
    hashBlockSize,
    dataBlockCount,
    hashStart: (firstHashBlock + (isChance(random, 1, 3) ? random.below(3) : 0)) * hashBlockSize,
    saltSize: isChance(random, 1, 4) ? 0 : 1 + random.below(random.pick([8, 32, 256])),
    isOneMedium,
    mediumBlockSize: isOn4096 ? 4096 : 512,
    flips: isChance(random, 2, 5)
      ? Array.from({ length: 1 + random.below(3) }, () => random.pick(["data", "tree"]))
      : [],
    options: pickSome(random, OPTION_WORDS, 1, 3),
    lineBlockCount: isShort ? 1 + random.below(dataBlockCount - 1) : dataBlockCount,
  }
  return { words: wordsOf(choice), build: () => build(choice, random) }
}

function wordsOf(choice: VerityDraw): string[] {
  const { flips, lineBlockCount, dataBlockCount, hashStart, isOneMedium } = choice
  const levelCount = levelsOf(choice).length
  return [
    `version ${choice.version}`,
    choice.algorithm,
    `data blocks of ${choice.dataBlockSize}`,
    `hash blocks of ${choice.hashBlockSize}`,
    ...choice.options,
    choice.saltSize === 0 ? "no salt" : "a salt",
    `${["no", "one", "two"][levelCount] ?? "more"} level${levelCount === 1 ? "" : "s"}`,
    ...(isOneMedium ? ["one medium"] : []),
    ...(hashStart > 0 ? ["hash start"] : []),
    ...(choice.mediumBlockSize === 4096 ? ["on 4096"] : []),
    ...(flips.includes("data") ? ["changed data"] : []),
    ...(flips.includes("tree") && levelCount > 0 ? ["changed tree"] : []),
    ...(lineBlockCount < dataBlockCount ? ["a line that is shorter than the tree"] : []),
  ]
}

function levelsOf(choice: VerityDraw): readonly unknown[] {
  return hashTree({ ...choice, salt: new Uint8Array() }).levels
}

async function build(choice: VerityDraw, random: SeededRandom): Promise<Setup> {
  const { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, hashStart, mediumBlockSize } = choice
  const salt = random.bytes(choice.saltSize)
  const dataBytes = dataBlockCount * dataBlockSize
  // For Linux a tree without levels must begin on the device all the same.
  const hashBytes = hashStart + hashTree({ ...choice, salt }).size + hashBlockSize
  const data = random.bytes(aligned(choice.isOneMedium ? Math.max(dataBytes, hashBytes) : dataBytes))
  const hash = choice.isOneMedium ? data : random.bytes(aligned(hashBytes))
  const device = (bytes: Uint8Array) => memoryDevice({ bytes, blockSize: mediumBlockSize })
  const { rootHash } = await formatVerity({
    data: device(data),
    hash: device(hash),
    hashOffset: hashStart,
    dataBlockSize,
    hashBlockSize,
    dataBlockCount,
    version,
    algorithm,
    salt,
    superblock: false,
    runtime: seededRuntime(1),
  })
  for (const flip of choice.flips) {
    if (flip === "data") flipIn(random, data, 0, dataBytes)
    else flipIn(random, hash, hashStart, hashBytes - hashBlockSize)
  }
  const size = choice.lineBlockCount * dataBlockSize
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex") || "-"
  const options = choice.options.length === 0 ? [] : [choice.options.length, ...choice.options]
  const args = [dataBlockSize, hashBlockSize, dataBlockCount, hashStart / hashBlockSize, algorithm, hex(rootHash)]
  const medium = (name: string, content: Uint8Array): Medium => ({ name, blockSize: mediumBlockSize, content })
  return {
    line: `0 ${size / 512} verity ${[version, "m0", choice.isOneMedium ? "m0" : "m1", ...args, hex(salt), ...options].join(" ")}`,
    media: choice.isOneMedium ? [medium("m0", data)] : [medium("m0", data), medium("m1", hash)],
    isReadOnly: true,
    size,
    blockSize: Math.max(dataBlockSize, mediumBlockSize),
  }
}

function aligned(length: number): number {
  return Math.ceil(length / 4096) * 4096
}
