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
  readonly submitFromCryptCpus: boolean
  readonly noReadWorkqueue: boolean
  readonly noWriteWorkqueue: boolean
  readonly integrity: LineIntegrity | undefined
  /** Bytes. */
  readonly sectorSize: number
  readonly ivLargeSectors: boolean
}

type Flag = {
  [Name in keyof CryptLineOptions]: CryptLineOptions[Name] extends boolean ? Name : never
}[keyof CryptLineOptions]

const OPTION_COUNT_MAX = 8

/** In the order in which the kernel prints them; `integrity` and `sector_size` stand before `iv_large_sectors`. */
const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ["allow_discards", "allowDiscards"],
  ["same_cpu_crypt", "sameCpuCrypt"],
  ["submit_from_crypt_cpus", "submitFromCryptCpus"],
  ["no_read_workqueue", "noReadWorkqueue"],
  ["no_write_workqueue", "noWriteWorkqueue"],
  ["iv_large_sectors", "ivLargeSectors"],
])

/**
 * Reads `count word word ...`. A word that comes twice counts once, the last value wins, as in the kernel.
 *
 * @throws BlockError `INVALID`, `UNSUPPORTED`.
 */
export function parseLineOptions(args: readonly string[]): CryptLineOptions {
  const [countWord = "0", ...words] = args
  const count = /^\d{1,9}$/.test(countWord) ? Number(countWord) : Number.POSITIVE_INFINITY
  if (count > OPTION_COUNT_MAX || count > words.length) {
    throw new BlockError("INVALID", `crypt: number of options: expected 0 ... ${OPTION_COUNT_MAX} and as many words`)
  }
  const options: { -readonly [Name in keyof CryptLineOptions]: CryptLineOptions[Name] } = {
    allowDiscards: false,
    sameCpuCrypt: false,
    submitFromCryptCpus: false,
    noReadWorkqueue: false,
    noWriteWorkqueue: false,
    integrity: undefined,
    sectorSize: 512,
    ivLargeSectors: false,
  }
  for (const word of words.slice(0, count)) {
    // The kernel compares these without case, but not the two that have a value.
    const flag = FLAGS.get(word.toLowerCase())
    if (flag !== undefined) options[flag] = true
    else if (word.startsWith("sector_size:")) options.sectorSize = parseSectorSize(word)
    else if (word.startsWith("integrity:")) options.integrity = parseIntegrity(word)
    else throw new BlockError("INVALID", `crypt: option ${quoteWord(word)} is not known to Linux`)
  }
  const extra = words[count]
  if (extra !== undefined) {
    throw new BlockError("UNSUPPORTED", `crypt: ${quoteWord(extra)} after the options, which Linux ignores`)
  }
  return options
}

/** The words as the kernel prints them; none if all is as if not said. */
export function printLineOptions(options: CryptLineOptions): string[] {
  const flag = (name: string) => (options[FLAGS.get(name) ?? "allowDiscards"] ? [name] : [])
  const { integrity, sectorSize } = options
  const words = [
    ...[...FLAGS.keys()].filter((name) => name !== "iv_large_sectors").flatMap(flag),
    ...(integrity === undefined ? [] : [`integrity:${integrity.tagSize}:${integrity.kindWord}`]),
    ...(sectorSize === 512 ? [] : [`sector_size:${sectorSize}`]),
    ...flag("iv_large_sectors"),
  ]
  return words.length === 0 ? [] : [String(words.length), ...words]
}

function parseSectorSize(word: string): number {
  const digits = word.slice("sector_size:".length)
  if (!/^\d+$/.test(digits)) throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected a number of bytes`)
  // The kernel reads 32 bits and drops the rest.
  checkLoose(word, digits)
  const sectorSize = Number(digits)
  if ([512, 1024, 2048, 4096].includes(sectorSize)) return sectorSize
  throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected 512, 1024, 2048 or 4096`)
}

function parseIntegrity(word: string): LineIntegrity {
  const match = /^integrity:(\d+)([^:]*):(.*)$/s.exec(word)
  const kindWord = match?.[3] ?? ""
  const kind = kindWord.toLowerCase()
  if (!match || (kind !== "aead" && kind !== "none")) {
    throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected integrity:N:aead or integrity:N:none`)
  }
  const digits = match[1] ?? ""
  checkLoose(word, digits)
  const tagSize = Number(digits)
  if (tagSize === 0) throw new BlockError("INVALID", `crypt: ${quoteWord(word)}: expected at least 1 byte`)
  if (match[2] !== "")
    throw new BlockError("UNSUPPORTED", `crypt: ${quoteWord(word)}: letters after the number, which Linux ignores`)
  return { tagSize, kind, kindWord }
}

/** @throws BlockError: the kernel takes such a number modulo 2^32, and refuses some of the rests. */
function checkLoose(word: string, digits: string): void {
  if (BigInt(digits.slice(0, 40)) < 2n ** 32n) return
  throw new BlockError(
    "UNSUPPORTED",
    `crypt: ${quoteWord(word)}: a number of more than 32 bits, of which Linux drops the upper part`,
  )
}
