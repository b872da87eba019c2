import { memoryDevice } from "@blockstrata/device"
import {
  decodeSuperblock,
  type FormatIntegrityOptions,
  formatIntegrity,
  freshSuperblock,
  type InternalHash,
  internalHashSizes,
  type JournalAlgorithm,
  layoutOf,
  openIntegrity,
} from "@blockstrata/integrity"
import { type SeededRandom, seededRuntime } from "@blockstrata/testkit"
import {
  FLAG_FIELDS,
  MODES as LINE_MODES,
  NUMBER_FIELDS,
  parseIntegrityLine,
} from "../../../../packages/integrity/src/table-line.ts"
import { type Draft, type Family, flipIn, isChance, pickSome, type Setup } from "../case.ts"
import { drawRange } from "../steps.ts"

/** Linux 6.1 has no mode I. */
const NOT_DRAWN = ["I"]
/** Not for modes that only read here, nor for R, where Linux writes. */
const RECALCULATING = ["recalculate", "reset_recalculate"]
const MODES = LINE_MODES.filter((mode) => !NOT_DRAWN.includes(mode))
const HASHES = Object.keys(internalHashSizes) as InternalHash["name"][]
const BLOCK_SIZES = [256, 512, 1024, 2048, 4096, 8192].filter((size) => {
  try {
    parseIntegrityLine(["m0", "0", "4", "D", "1", `block_size:${size}`])
    return true
  } catch {
    return false
  }
})
const NUMBER_WORDS = Object.keys(NUMBER_FIELDS).filter((word) => word !== "block_size") as NumberWord[]
const FLAG_WORDS = Object.keys(FLAG_FIELDS).filter((word) => !NOT_DRAWN.includes(word))
const STATES = ["formatted by the opening", "written here", "wiped here"] as const

/** Bytes of the keys that a MAC and a cipher of the journal take; a new one there is to be added here. */
const JOURNAL_MACS: Readonly<Record<string, readonly number[]>> = {
  "hmac(sha1)": [20],
  "hmac(sha256)": [1, 32, 100],
  "hmac(sha512)": [64],
  crc32c: [0],
  sha256: [0],
}
const JOURNAL_CIPHERS: Readonly<Record<string, readonly number[]>> = {
  "ctr(aes)": [16, 24, 32],
  "cbc(aes)": [16, 32],
  "ecb(aes)": [16],
  "xts(aes)": [32, 64],
  "lrw(aes)": [32, 48],
  chacha20: [32],
}

/**
 * Field, place and length in the superblock. Not the flags, which start work in Linux; not the size and what decides it
 * (interleave, journal): Linux writes the size that the device has room for.
 */
const SUPERBLOCK_FIELDS = [
  ["signature", 0, 8],
  ["version", 8, 1],
  ["tag size", 10, 2],
  ["block size", 28, 1],
  ["salt", 48, 16],
] as const

type NumberWord = Exclude<keyof typeof NUMBER_FIELDS, "block_size">

/** Values of the words with a number; a new word fails the build here. */
const NUMBERS: Readonly<Record<NumberWord, (random: SeededRandom) => number>> = {
  journal_sectors: (random) => 1 + random.below(200),
  interleave_sectors: (random) => random.pick([8, 16, 100, 128, 256, 512, 1024, 4096, 40000]),
  buffer_sectors: (random) => random.pick([1, 8, 9, 32, 128, 1000]),
  journal_watermark: (random) => random.below(101),
  commit_time: (random) => 1 + random.below(20000),
  sectors_per_bit: (random) => 1 + random.below(5000),
  // Linux keeps timer ticks of 4 ms.
  bitmap_flush_interval: (random) => 4 * (1 + random.below(5000)),
}

export const integrityFamily: Family = {
  name: "integrity",
  weight: 8,
  coverage: [
    ...MODES.map((mode) => `mode ${mode}`),
    ...HASHES,
    "a hash in mode D",
    ...["a longer tag", "a shorter tag", "a longer tag of an HMAC", "a shorter tag of an HMAC"],
    ...BLOCK_SIZES.map((size) => `block_size:${size}`),
    ...NUMBER_WORDS,
    ...FLAG_WORDS,
    ...Object.keys(JOURNAL_MACS).map((name) => `journal_mac:${name}`),
    ...Object.keys(JOURNAL_CIPHERS).map((name) => `journal_crypt:${name}`),
    ...STATES,
    ...["changed data or tags", "changed superblock"],
    ...[
      "no hash",
      "tag size -",
      "start",
      "on 4096",
      "meta_device",
      "legacy padding on the medium",
      "legacy HMAC on the medium",
    ],
  ],
  draw,
}

interface IntegrityDraw {
  readonly state: (typeof STATES)[number]
  readonly mode: string
  readonly hash: InternalHash | undefined
  readonly tagSize: number
  readonly isTagSizeSaid: boolean
  readonly blockSize: number
  readonly mediumBlockSize: number
  /** Everything but the data on a device of its own. */
  readonly isApart: boolean
  readonly startSectors: number
  readonly flags: readonly string[]
  readonly journalMac: JournalAlgorithm | undefined
  readonly journalCrypt: JournalAlgorithm | undefined
  readonly numbers: Partial<Readonly<Record<NumberWord, number>>>
  readonly legacyPadding: boolean
  readonly legacyHmac: boolean
  readonly change: "data or tags" | "superblock" | undefined
}

function draw(random: SeededRandom): Draft {
  const mode = random.pick([...MODES, "D", "D", "D"])
  const name = isChance(random, 1, 5) && mode !== "B" ? undefined : random.pick(HASHES)
  const hash = name === undefined ? undefined : hashOf(name, random)
  const digestSize = name === undefined ? 0 : internalHashSizes[name]
  const isTagSizeSaid = name === undefined || isChance(random, 3, 4)
  const isOdd = name === undefined || isChance(random, 1, 2)
  const recalculates = (mode === "B" || mode === "D") && name !== undefined && isChance(random, 1, 3)
  const flags = pickSome(random, FLAG_WORDS, 1, 2)
    .filter((flag) => flag !== "allow_discards" || name !== undefined)
    .filter((flag) => !RECALCULATING.includes(flag) || recalculates)
  const journalMac = journalAlgorithm(JOURNAL_MACS, random)
  const isKeyed = name?.startsWith("hmac(") === true || journalMac !== undefined
  const isRefused = isKeyed && flags.some((flag) => RECALCULATING.includes(flag))
  if (isRefused && !flags.includes("legacy_recalculate")) flags.push("legacy_recalculate")
  const isFresh = mode === "D" && isChance(random, 1, 4)
  // A tag of one byte fits once in 256 blocks, another one for each salt: Linux and this library draw their own.
  const smallest = isFresh && flags.includes("fix_hmac") ? 4 : 1
  const blockSize = random.pick(BLOCK_SIZES)
  const isOn4096 = isChance(random, 1, 5) && (blockSize === 4096 || (blockSize === 512 && name !== undefined))
  const numberWords = pickSome(random, NUMBER_WORDS, 1, 3)
  const choice: IntegrityDraw = {
    state: isFresh ? STATES[0] : random.pick(STATES.slice(1)),
    mode,
    hash,
    tagSize: isTagSizeSaid && isOdd ? smallest + random.below(Math.max(16, 2 * digestSize)) : digestSize,
    isTagSizeSaid,
    blockSize,
    mediumBlockSize: isOn4096 ? 4096 : 512,
    isApart: isChance(random, 1, 4),
    startSectors: isChance(random, 1, 4) ? 8 * (1 + random.below(6)) : 0,
    flags,
    journalMac,
    journalCrypt: journalAlgorithm(JOURNAL_CIPHERS, random),
    numbers: Object.fromEntries(numberWords.map((word) => [word, NUMBERS[word](random)])),
    legacyPadding: isFresh ? !flags.includes("fix_padding") : isChance(random, 1, 4),
    legacyHmac: isFresh ? !flags.includes("fix_hmac") : isChance(random, 1, 4),
    change: isFresh || isChance(random, 2, 3) ? undefined : random.pick(["data or tags", "data or tags", "superblock"]),
  }
  return { words: wordsOf(choice, digestSize), build: () => build(choice, random) }
}

function hashOf(name: InternalHash["name"], random: SeededRandom): InternalHash {
  return (name.startsWith("hmac(") ? { name, key: random.bytes(1 + random.below(160)) } : { name }) as InternalHash
}

function journalAlgorithm(
  sizes: Readonly<Record<string, readonly number[]>>,
  random: SeededRandom,
): JournalAlgorithm | undefined {
  if (isChance(random, 2, 3)) return undefined
  const [name, keySizes] = random.pick(Object.entries(sizes))
  return { name, key: random.bytes(random.pick(keySizes)) }
}

function algorithmWord(option: string, algorithm: JournalAlgorithm | undefined): string[] {
  if (algorithm === undefined) return []
  const { name, key } = algorithm
  return [`${option}:${name}${key.length === 0 ? "" : `:${Buffer.from(key).toString("hex")}`}`]
}

function wordsOf(choice: IntegrityDraw, digestSize: number): string[] {
  const { state, mode, hash, tagSize, blockSize, flags, numbers } = choice
  const length = tagSize > digestSize ? "longer" : tagSize < digestSize ? "shorter" : undefined
  return [
    `mode ${mode}`,
    state,
    ...(hash === undefined ? ["no hash"] : [hash.name]),
    ...(hash !== undefined && mode === "D" ? ["a hash in mode D"] : []),
    ...(hash !== undefined && length !== undefined
      ? [`a ${length} tag${hash.name.startsWith("hmac") ? " of an HMAC" : ""}`]
      : []),
    `block_size:${blockSize}`,
    ...flags,
    ...(choice.journalMac ? [`journal_mac:${choice.journalMac.name}`] : []),
    ...(choice.journalCrypt ? [`journal_crypt:${choice.journalCrypt.name}`] : []),
    ...Object.keys(numbers),
    ...(choice.isTagSizeSaid ? [] : ["tag size -"]),
    ...(choice.startSectors > 0 ? ["start"] : []),
    ...(choice.mediumBlockSize === 4096 ? ["on 4096"] : []),
    ...(choice.isApart ? ["meta_device"] : []),
    ...(choice.change === undefined ? [] : [`changed ${choice.change}`]),
    ...(choice.legacyPadding ? ["legacy padding on the medium"] : []),
    ...(choice.legacyHmac && hash !== undefined ? ["legacy HMAC on the medium"] : []),
  ]
}

async function build(choice: IntegrityDraw, random: SeededRandom): Promise<Setup> {
  const { hash, mode, state, startSectors, blockSize, mediumBlockSize, flags, isApart } = choice
  const areaBytes = choice.legacyPadding && !isApart ? 400 : 128
  const kib = areaBytes + 4 * random.below(64)
  const media: Media = isApart
    ? {
        data: new Uint8Array((8 + 4 * random.below(64)) * 1024),
        metadata: new Uint8Array(startSectors * 512 + kib * 1024),
      }
    : oneMedium(startSectors * 512 + kib * 1024)
  const { providedSectors } = freshSuperblock(
    {
      ...formatOf(choice),
      dataBytes: isApart ? media.data.length : undefined,
      hasInternalHash: hash !== undefined,
      hasJournalMac: choice.journalMac !== undefined,
      legacyPadding: choice.legacyPadding,
      legacyHmac: choice.legacyHmac,
      isBitmapMode: mode === "B",
    },
    media.metadata.length,
    startSectors * 512,
    seededRuntime(1),
  )
  const unit = Math.max(blockSize, mediumBlockSize)
  const unitCount = Math.floor((providedSectors * 512) / unit)
  const size = (isChance(random, 1, 2) ? unitCount : 1 + random.below(unitCount)) * unit
  if (state !== STATES[0]) await writeVolume(choice, media, size, random)
  else if (isChance(random, 1, 2)) random.fill(media.metadata.subarray(startSectors * 512 + 4096))
  const damage = changeMedium(choice, media, random)
  return {
    line: lineOf(choice, size, random),
    media: [
      { name: "m0", blockSize: mediumBlockSize, content: media.data },
      ...(isApart ? [{ name: "m1", blockSize: mediumBlockSize, content: media.metadata }] : []),
    ],
    size,
    blockSize: unit,
    damage,
    // Somewhere else there may be no volume yet: one is made, with a salt.
    isSpoiltToRandom: (line) =>
      line.includes("fix_hmac") &&
      (isApart !== line.includes("meta_device:m1") || line.split(" ")[4] !== String(startSectors)),
    // Which entries share a section of the journal, a clock decides; a fresh volume with a hash or a MAC has a salt.
    isRandomized: mode === "J" || (state === STATES[0] && isSalted(choice)),
    canDiscard: flags.includes("allow_discards"),
  }
}

function isSalted({ hash, journalMac, legacyHmac }: IntegrityDraw): boolean {
  return (hash !== undefined || journalMac !== undefined) && !legacyHmac
}

/** The same bytes twice where one medium holds all. */
interface Media {
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

function oneMedium(length: number): Media {
  const bytes = new Uint8Array(length)
  return { data: bytes, metadata: bytes }
}

function formatOf({
  tagSize,
  blockSize,
  numbers,
}: IntegrityDraw): Pick<
  FormatIntegrityOptions,
  "tagSize" | "blockSize" | "interleaveSectors" | "journalSectors" | "sectorsPerBit" | "bufferSectors"
> {
  return {
    tagSize,
    blockSize,
    interleaveSectors: numbers.interleave_sectors,
    journalSectors: numbers.journal_sectors,
    sectorsPerBit: numbers.sectors_per_bit,
    bufferSectors: numbers.buffer_sectors,
  }
}

/** A volume with some blocks written: the others of a hashed one match no tag. */
async function writeVolume(choice: IntegrityDraw, media: Media, size: number, random: SeededRandom): Promise<void> {
  const { hash: internalHash, state, startSectors, mode, mediumBlockSize } = choice
  const start = startSectors * 512
  const lower = memoryDevice({ bytes: media.data, blockSize: mediumBlockSize })
  const metadata = choice.isApart ? memoryDevice({ bytes: media.metadata, blockSize: mediumBlockSize }) : undefined
  if (isChance(random, 1, 2)) random.fill(media.metadata.subarray(start + 4096))
  await formatIntegrity({
    ...formatOf(choice),
    lower,
    metadata,
    start,
    internalHash,
    legacyPadding: choice.legacyPadding,
    legacyHmac: choice.legacyHmac,
    journalMac: choice.journalMac,
    journalCrypt: choice.journalCrypt,
    mode: mode === "B" ? "B" : "J",
    wipe: state === STATES[2],
    runtime: seededRuntime(random.nextUint32()),
  })
  const { bufferSectors } = formatOf(choice)
  const { journalMac, journalCrypt } = choice
  const journal = { journalMac, journalCrypt }
  const device = await openIntegrity({
    lower,
    metadata,
    start,
    size,
    mode: "D",
    internalHash,
    bufferSectors,
    ...journal,
  })
  for (let count = random.below(4); count > 0; count--) {
    const { offset, length } = drawRange(random, size, device.blockSize)
    await device.write(offset, random.bytes(length))
  }
  await device.close()
}

/** What of the superblock was changed, in words; changed blocks only fail to be read. */
function changeMedium(
  { change, mode, startSectors, isApart }: IntegrityDraw,
  { data, metadata }: Media,
  random: SeededRandom,
): string | undefined {
  const start = startSectors * 512
  if (change === "superblock") {
    // Without a signature, Linux comes up in mode R by mistake: it looks for the data at wrong places.
    const [what, at, length] = random.pick(SUPERBLOCK_FIELDS.slice(mode === "R" ? 1 : 0))
    flipIn(random, metadata, start + at, start + at + length)
    return `another ${what} in the superblock`
  }
  if (change === undefined) return undefined
  const superblock = decodeSuperblock(metadata.subarray(start))
  const { firstAreaOffset } = layoutOf(superblock, metadata.length, start, data.length)
  for (let count = 1 + random.below(4); count > 0; count--) {
    if (isApart && isChance(random, 1, 2)) flipIn(random, data, 0, data.length)
    else flipIn(random, metadata, firstAreaOffset, metadata.length)
  }
  return undefined
}

function lineOf(choice: IntegrityDraw, size: number, random: SeededRandom): string {
  const { hash, blockSize, flags, numbers, startSectors, mode } = choice
  const key = hash !== undefined && "key" in hash ? `:${Buffer.from(hash.key).toString("hex")}` : ""
  const options = random.shuffle([
    ...flags,
    ...(choice.isApart ? ["meta_device:m1"] : []),
    ...algorithmWord("journal_mac", choice.journalMac),
    ...algorithmWord("journal_crypt", choice.journalCrypt),
    ...(blockSize === 512 && isChance(random, 1, 2) ? [] : [`block_size:${blockSize}`]),
    ...Object.entries(numbers).map(([word, value]) => `${word}:${value}`),
    ...(hash === undefined ? [] : [`internal_hash:${hash.name}${key}`]),
  ])
  const tagSize = choice.isTagSizeSaid ? choice.tagSize : "-"
  return ["0", size / 512, "integrity", "m0", startSectors, tagSize, mode, options.length, ...options].join(" ")
}
