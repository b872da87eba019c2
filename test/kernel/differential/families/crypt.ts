import { type CipherSpec, cryptWord, parseCipherSpec } from "@blockstrata/crypt"
import { BlockError, memoryDevice } from "@blockstrata/device"
import { decodeSuperblock, formatIntegrity, layoutOf } from "@blockstrata/integrity"
import { type SeededRandom, seededRuntime } from "@blockstrata/testkit"
import { ADIANTUM_STREAMS, AEADS, HASHES, MODES } from "../../../../packages/crypt/src/cipher-family.ts"
import { IV_NAMES } from "../../../../packages/crypt/src/cipher-spec.ts"
import { keyLayout, volumeKeySizes } from "../../../../packages/crypt/src/key-layout.ts"
import { FLAGS as ALL_FLAGS, NEWER_WORDS } from "../../../../packages/crypt/src/line-options.ts"
import { type Draft, type Family, flipIn, isChance, type KeyringKey, pickSome, type Setup } from "../case.ts"
import { openHere } from "../here.ts"
import { drawRange } from "../steps.ts"

interface Spelling {
  readonly text: string
  readonly spec: CipherSpec
  /** Of the `integrity:` option; undefined if there is none. */
  readonly kind: "aead" | "none" | undefined
  /** What the line is made of: what has to occur. */
  readonly words: readonly string[]
}

/** Words of newer kernels are refused by the one that is asked. */
const FLAGS: readonly string[] = [...ALL_FLAGS.keys()].filter((word) => !NEWER_WORDS.includes(word))
const IV_WORDS = [...IV_NAMES, ...[...HASHES.keys()].map((hash) => `essiv:${hash}`)]

/** Every combination of a mode and an IV, plain and over an AEAD, in each way to spell it, that is taken here. */
const FORMS: readonly (readonly Spelling[])[] = [
  ...[...MODES.keys()].flatMap((mode) => [
    spellings((iv) => `aes-${mode}-${iv}`, [`aes-${mode}`]),
    spellings((iv) => `capi:${mode}(aes)-${iv}`, [`capi:${mode}(aes)`]),
    [2, 8, 64].flatMap((count) => spellings((iv) => `aes:${count}-${mode}-${iv}`, [`aes:${count}`, `aes:N-${mode}`])),
    hashed(
      (hash, iv) => `capi:essiv(${mode}(aes),${hash})-${iv}`,
      (hash) => [`essiv(${mode})`, hash],
    ),
    hashed(
      (hash, iv) => `capi:authenc(hmac(${hash}),${mode}(aes))-${iv}`,
      (hash) => [`authenc ${mode}`, hash],
    ),
  ]),
  ...ADIANTUM_STREAMS.flatMap((stream) => [
    spellings((iv) => `${stream},aes-adiantum-${iv}`, [`${stream},aes-adiantum`]),
    spellings((iv) => `capi:adiantum(${stream},aes)-${iv}`, [`capi:adiantum(${stream},aes)`]),
  ]),
  ...[...AEADS.keys()].map((expression) => spellings((iv) => `capi:${expression}-${iv}`, [expression])),
  [
    ...["aes", "aes-plain", "aes-ecb", "aes:4", "capi:ecb(aes)"].flatMap((text) => oneSpelling(text, [text])),
    ...oneSpelling("capi:essiv(essiv(cbc(aes),sha256),sha256)-plain64be", ["essiv(essiv())"]),
    ...oneSpelling("aes-cbc-plain64:ignored", ["an option of an IV"]),
  ],
].filter((form) => form.length > 0)

function spellings(textOf: (iv: string) => string, words: readonly string[]): Spelling[] {
  return IV_WORDS.flatMap((iv) => {
    const [name = "", hash] = iv.split(":")
    return oneSpelling(textOf(iv), words, [`IV ${name}`, ...(hash === undefined ? [] : [hash])])
  })
}

function hashed(textOf: (hash: string, iv: string) => string, namesOf: (hash: string) => string[]): Spelling[] {
  return [...HASHES.keys()].flatMap((hash) => spellings((iv) => textOf(hash, iv), namesOf(hash)))
}

/** Empty if it is refused here, or with every key: `test/kernel/crypt-lines.ts` has the refusals. A mode may have no IV. */
function oneSpelling(text: string, words: readonly string[], ivWords: readonly string[] = []): Spelling[] {
  for (const kind of ["aead", undefined, "none"] as const) {
    try {
      const spec = parseCipherSpec(text, kind)
      if (volumeKeySizes(spec).length === 0) return []
      return [{ text, spec, kind, words: spec.iv === "none" ? words : [...words, ...ivWords] }]
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
    }
  }
  return []
}

const SECTOR_SIZES = [256, 512, 1024, 2048, 4096, 8192].filter((size) => {
  const args = `aes-xts-plain64 ${"00".repeat(64)} 0 m0 0 1 sector_size:${size}`.split(" ")
  try {
    cryptWord.parse(args, 65536)
    return true
  } catch {
    return false
  }
})
/** Types that a process can add by itself: the others' bytes come from the kernel. */
const KEY_TYPES = ["logon", "user"]
const TAG_STORE_TAIL = 512 * 1024

export const cryptFamily: Family = {
  name: "crypt",
  weight: 9,
  coverage: [
    ...new Set(
      FORMS.flat().flatMap(({ spec, words }) => [
        ...words,
        ...volumeKeySizes(spec).flatMap((size) => keyWords(spec, size)),
      ]),
    ),
    ...SECTOR_SIZES.map((size) => `sector_size:${size}`),
    ...FLAGS,
    ...KEY_TYPES.map((type) => `key of type ${type}`),
    ...[
      "integrity:N:aead",
      "integrity:N:none",
      "a cut tag",
      "iv_offset",
      "iv_offset near 2^32",
      "iv_offset near 2^64",
      "start",
      "on 4096",
    ],
  ],
  draw,
}

/** The key size of a kind of cipher: one word for all the ciphers of a kind; and whether the IV has a part of it. */
function keyWords(spec: CipherSpec, volumeKeySize: number): string[] {
  const { algorithm, iv } = spec
  const { cipherKeySize, ivKeySize } = keyLayout(volumeKeySize, spec)
  const kind =
    algorithm.kind === "sector" ? algorithm.mode : algorithm.kind === "aead" ? algorithm.name : algorithm.kind
  return [
    kind === "authenc" ? "key of an authenc" : `${kind} key ${cipherKeySize}`,
    ...(iv === "lmk" ? [`lmk ${ivKeySize > 0 ? "with" : "without"} a seed`] : []),
  ]
}

/** Whether something is stored beside each sector. */
function isTagged(spec: CipherSpec): boolean {
  return spec.isAead || spec.iv === "random"
}

interface CryptDraw extends Spelling {
  /** Bytes of the AEAD's tag, and of the IV if that is stored. */
  readonly tagSize: number
  /** Bytes of the whole key. */
  readonly keySize: number
  readonly sectorSize: number
  readonly mediumBlockSize: number
  readonly ivOffset: bigint
  readonly startSectors: number
  readonly size: number
  readonly flags: readonly string[]
  readonly keyType: string | undefined
}

function draw(random: SeededRandom): Draft {
  const spelling = random.pick(random.pick(FORMS))
  const { spec } = spelling
  const sectorSize = spec.iv === "lmk" || spec.iv === "tcw" ? 512 : random.pick(SECTOR_SIZES)
  const isOn4096 = isChance(random, 1, 5) && (!isTagged(spec) || sectorSize === 4096)
  const unit = Math.max(sectorSize, isOn4096 ? 4096 : 512)
  const choice: CryptDraw = {
    ...spelling,
    tagSize: drawAuthTagSize(spec, random) + (spec.iv === "random" ? spec.ivSize : 0),
    keySize: random.pick(volumeKeySizes(spec)),
    sectorSize,
    mediumBlockSize: isOn4096 ? 4096 : 512,
    ivOffset: drawIvOffset(random, sectorSize),
    startSectors: isChance(random, 1, 2) ? 0 : (random.below(5) * unit) / 512,
    size: (1 + random.below(random.pick([2, 16, 65536 / unit]))) * unit,
    flags: pickSome(random, FLAGS, 1, 4),
    keyType: isChance(random, 1, 8) ? random.pick(KEY_TYPES) : undefined,
  }
  return { words: wordsOf(choice), build: () => build(choice, random) }
}

function drawIvOffset(random: SeededRandom, sectorSize: number): bigint {
  const unit = BigInt(sectorSize / 512)
  const near = random.pick([0n, 0n, 0n, 2n ** 32n, 2n ** 64n])
  const distance = BigInt(random.below(70)) * unit
  if (near === 0n) return isChance(random, 1, 3) ? 0n : distance
  return BigInt.asUintN(64, near - distance - unit)
}

function wordsOf({
  words,
  kind,
  spec,
  tagSize,
  keySize,
  sectorSize,
  mediumBlockSize,
  flags,
  ...rest
}: CryptDraw): string[] {
  const { ivOffset, startSectors, keyType } = rest
  const near = ivOffset > 2n ** 63n ? " near 2^64" : ivOffset > 2n ** 31n ? " near 2^32" : ""
  return [
    ...words,
    ...keyWords(spec, keySize),
    `sector_size:${sectorSize}`,
    ...flags,
    ...(ivOffset > 0n ? [`iv_offset${near}`] : []),
    ...(startSectors > 0 ? ["start"] : []),
    ...(keyType === undefined ? [] : [`key of type ${keyType}`]),
    ...(mediumBlockSize === 4096 ? ["on 4096"] : []),
    ...(kind === undefined ? [] : [`integrity:N:${kind}`]),
    ...(tagSize < spec.authTagSize + (spec.iv === "random" ? spec.ivSize : 0) ? ["a cut tag"] : []),
  ]
}

async function build(choice: CryptDraw, random: SeededRandom): Promise<Setup> {
  const { text, spec, kind, keySize, sectorSize, mediumBlockSize, startSectors, size, flags } = choice
  const bytes = random.bytes(keySize)
  const key = keyringKey(choice.keyType, bytes, random)
  const options = random.shuffle([
    ...flags,
    ...(sectorSize === 512 && isChance(random, 1, 2) ? [] : [`sector_size:${sectorSize}`]),
    ...(kind === undefined ? [] : [`integrity:${choice.tagSize}:${kind}`]),
  ])
  const word = key === undefined ? Buffer.from(bytes).toString("hex") : `:${keySize}:${key.type}:${key.description}`
  const operand = isTagged(spec) ? "t" : "m0"
  const start = [text, word, choice.ivOffset, operand, startSectors].join(" ")
  const end = options.length > 0 ? ` ${options.length} ${options.join(" ")}` : isChance(random, 1, 3) ? " 0" : ""
  const shared = {
    line: `0 ${size / 512} crypt ${start}${end}`,
    keys: key === undefined ? [] : [key],
    size,
    blockSize: Math.max(sectorSize, mediumBlockSize),
    canDiscard: flags.includes("allow_discards"),
  }
  if (isTagged(spec)) return await overTagStore(shared, choice, random)
  const content = random.bytes(startSectors * 512 + size + random.below(3) * 4096)
  return { ...shared, media: [{ name: "m0", blockSize: mediumBlockSize, content }] }
}

/** Tags of authenc can be cut. */
function drawAuthTagSize({ algorithm, authTagSize }: CipherSpec, random: SeededRandom): number {
  const isCut = algorithm.kind === "authenc" && isChance(random, 1, 3)
  return isCut ? 16 + random.below(authTagSize - 15) : authTagSize
}

function keyringKey(type: string | undefined, bytes: Uint8Array, random: SeededRandom): KeyringKey | undefined {
  if (type === undefined) return undefined
  return { type, description: `${type === "logon" ? "d:" : ""}${random.nextUint32()}`, bytes }
}

/** A volume that was written here, in places: what never was has no tag that fits. */
async function overTagStore(
  shared: Omit<Setup, "media">,
  { spec, tagSize, sectorSize, mediumBlockSize, startSectors, size }: CryptDraw,
  random: SeededRandom,
): Promise<Setup> {
  const lowerSize = startSectors * 512 + size
  const content = new Uint8Array(lowerSize + TAG_STORE_TAIL)
  await formatIntegrity({
    lower: memoryDevice({ bytes: content, blockSize: mediumBlockSize }),
    tagSize,
    blockSize: sectorSize,
    interleaveSectors: 256,
    journalSectors: 8,
    internalHash: undefined,
    wipe: false,
    runtime: seededRuntime(random.nextUint32()),
  })
  const line = `0 ${lowerSize / 512} integrity m0 0 ${tagSize} D 1 block_size:${sectorSize}`
  const setup: Setup = {
    ...shared,
    media: [{ name: "m0", blockSize: mediumBlockSize, content }],
    lowers: [{ name: "t", line }],
    isRandomized: spec.iv === "random",
    canDiscard: false,
  }
  const { device } = await openHere(setup, [content])
  for (let count = 1 + random.below(3); count > 0; count--) {
    const { offset, length } = drawRange(random, size, device.blockSize)
    await device.write(offset, random.bytes(length))
  }
  await device.close()
  const { firstAreaOffset, tagRunBytes } = layoutOf(decodeSuperblock(content), content.length, 0)
  const end = Math.min(content.length, firstAreaOffset + tagRunBytes + lowerSize)
  // A sector, a tag, or nothing that counts.
  for (let count = random.below(3); count > 0; count--) flipIn(random, content, firstAreaOffset, end)
  return setup
}
