import { BlockError } from "@blockstrata/device"
import { quoteWord } from "./key.ts"

/** `integrity:N:kind`. */
export interface LineIntegrity {
  /** Bytes. */
  readonly tagSize: number
  readonly kind: "aead" | "none"
  /** As it was spelled: Linux takes any case, and prints what it took. */
  readonly kindWord: string
}

/** The optional words of a crypt line. */
export interface CryptLineOptions {
  readonly allowDiscards: boolean
  /** Words about the kernel's threads: no meaning here; kept, and printed again. */
  readonly sameCpuCrypt: boolean
  /** Not in Linux 6.1. */
  readonly highPriority: boolean
  readonly submitFromCryptCpus: boolean
  readonly noReadWorkqueue: boolean
  readonly noWriteWorkqueue: boolean
  readonly integrity: LineIntegrity | undefined
  /** Bytes. */
  readonly sectorSize: number
  readonly ivLargeSectors: boolean
  /** Bytes of MAC key in an authenc key, if that is not a digest's size. Not in Linux 6.1. */
  readonly integrityKeySize: number | undefined
}

type Flag = {
  [Name in keyof CryptLineOptions]: CryptLineOptions[Name] extends boolean ? Name : never
}[keyof CryptLineOptions]

/** One more where a word stands that Linux 6.1 does not have. */
const OPTION_COUNT_MAX = 8
const INTEGRITY_KEY_SIZE = "integrity_key_size:"

/** Words that came after Linux 6.1. */
export const NEWER_WORDS: readonly string[] = ["high_priority", INTEGRITY_KEY_SIZE]

/** In the order in which the kernel prints them; `integrity` and `sector_size` stand before `iv_large_sectors`. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ["allow_discards", "allowDiscards"],
  ["same_cpu_crypt", "sameCpuCrypt"],
  ["high_priority", "highPriority"],
  ["submit_from_crypt_cpus", "submitFromCryptCpus"],
  ["no_read_workqueue", "noReadWorkqueue"],
  ["no_write_workqueue", "noWriteWorkqueue"],
  ["iv_large_sectors", "ivLargeSectors"],
])

/**
 * Reads `count word word ...`. A word that comes twice counts once, the last value wins, as in the kernel.
 *
 * @param size bytes: the length of the line, which each sector size that is named has to divide.
 * @param refusals gets what Linux takes and is not built, for the caller to throw after all that Linux refuses.
 * @throws BlockError `INVALID`.
 */
export function parseLineOptions(args: readonly string[], size: number, refusals: BlockError[]): CryptLineOptions {
  const [countWord = "0", ...words] = args
  const count = /^\d+$/.test(countWord)
    ? Number(wrappedNumber(countWord, 32, "number of options", refusals))
    : Number.POSITIVE_INFINITY
  const hasNewer = words.some((word) => NEWER_WORDS.some((newer) => word.toLowerCase().startsWith(newer)))
  const countMax = hasNewer ? OPTION_COUNT_MAX + 1 : OPTION_COUNT_MAX
  if (count > countMax || count > words.length) {
    throw new BlockError("INVALID", `crypt: number of options: expected 0 ... ${countMax} and as many words`)
  }
  const options: { -readonly [Name in keyof CryptLineOptions]: CryptLineOptions[Name] } = {
    allowDiscards: false,
    sameCpuCrypt: false,
    highPriority: false,
    submitFromCryptCpus: false,
    noReadWorkqueue: false,
    noWriteWorkqueue: false,
    integrity: undefined,
    sectorSize: 512,
    ivLargeSectors: false,
    integrityKeySize: undefined,
  }
  for (const word of words.slice(0, count)) {
    // The kernel compares these without case, but not the two that have a value.
    const flag = FLAGS.get(word.toLowerCase())
    if (flag !== undefined) options[flag] = true
    else if (word.startsWith("sector_size:")) options.sectorSize = parseSectorSize(word, size, refusals)
    else if (word.startsWith(INTEGRITY_KEY_SIZE)) options.integrityKeySize = parseKeySize(word, refusals)
    else if (word.startsWith("integrity:")) {
      options.integrity = joinIntegrity(options.integrity, parseIntegrity(word, refusals), refusals)
    } else throw new BlockError("INVALID", `crypt: option ${quoteWord(word)} is not known to Linux`)
  }
  const extra = words[count]
  if (extra !== undefined) refusals.push(unsupported(`${quoteWord(extra)} after the options, which Linux ignores`))
  return options
}

/**
 * A decimal number as the kernel reads it, modulo 2^`bits`: where that is not what the line says, a refusal.
 *
 * @param digits nothing else; the last 64 decide, for 2^64 divides 10^64.
 */
export function wrappedNumber(digits: string, bits: 16 | 32 | 64, what: string, refusals: BlockError[]): bigint {
  const value = BigInt.asUintN(bits, BigInt(digits.slice(-64)))
  if (digits.replace(/^0+(?=\d)/, "") !== String(value)) {
    refusals.push(unsupported(`${what}: a number of more than ${bits} bits, of which Linux drops the upper part`))
  }
  return value
}

/** The words as the kernel prints them; none if all is as if not said. */
export function printLineOptions(options: CryptLineOptions): string[] {
  const flag = (name: string) => (options[FLAGS.get(name) ?? "allowDiscards"] ? [name] : [])
  const { integrity, sectorSize, integrityKeySize } = options
  const words = [
    ...[...FLAGS.keys()].filter((name) => name !== "iv_large_sectors").flatMap(flag),
    ...(integrity === undefined ? [] : [`integrity:${integrity.tagSize}:${integrity.kindWord}`]),
    ...(sectorSize === 512 ? [] : [`sector_size:${sectorSize}`]),
    ...flag("iv_large_sectors"),
    ...(integrityKeySize === undefined ? [] : [`${INTEGRITY_KEY_SIZE}${integrityKeySize}`]),
  ]
  return words.length === 0 ? [] : [String(words.length), ...words]
}

function parseSectorSize(word: string, size: number, refusals: BlockError[]): number {
  const digits = word.slice("sector_size:".length)
  if (!/^\d+$/.test(digits)) throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected a number of bytes`)
  const sectorSize = Number(wrappedNumber(digits, 16, quoteWord(word), refusals))
  if (![512, 1024, 2048, 4096].includes(sectorSize))
    throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected 512, 1024, 2048 or 4096`)
  // The kernel looks at every one that is named, also where a later one replaces it.
  if (size % sectorSize !== 0) {
    throw new BlockError(
      "INVALID",
      `crypt: length: expected a multiple of the sector size ${sectorSize}, got ${size} bytes`,
    )
  }
  return sectorSize
}

function parseKeySize(word: string, refusals: BlockError[]): number {
  const digits = word.slice(INTEGRITY_KEY_SIZE.length)
  const size = /^\d+$/.test(digits) ? Number(wrappedNumber(digits, 32, quoteWord(word), refusals)) : 0
  if (size === 0) throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected a number of bytes`)
  return size
}

function parseIntegrity(word: string, refusals: BlockError[]): LineIntegrity {
  // Behind the number no digit: else a word of digits alone is tried in every way to part it in two.
  const match = /^integrity:(\d+)(?!\d)([^:]*):(.*)$/s.exec(word)
  const kindWord = match?.[3] ?? ""
  const kind = kindWord.toLowerCase()
  if (!match || (kind !== "aead" && kind !== "none")) {
    throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected integrity:N:aead or integrity:N:none`)
  }
  const tagSize = Number(wrappedNumber(match[1] ?? "", 32, quoteWord(word), refusals))
  if (tagSize === 0) throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected at least 1 byte`)
  if (match[2] !== "") refusals.push(unsupported(`${quoteWord(word)}: letters after the number, which Linux ignores`))
  return { tagSize, kind, kindWord }
}

/** Of two options the later one counts, but for Linux an AEAD stays one. */
function joinIntegrity(
  earlier: LineIntegrity | undefined,
  later: LineIntegrity,
  refusals: BlockError[],
): LineIntegrity {
  if (earlier?.kind !== "aead" || later.kind === "aead") return later
  refusals.push(unsupported(`integrity:${later.tagSize}:none after integrity:${earlier.tagSize}:aead`))
  return { ...later, kind: "aead" }
}

function unsupported(what: string): BlockError {
  return new BlockError("UNSUPPORTED", `crypt: ${what}`)
}
