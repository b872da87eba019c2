import { BlockError } from "@blockstrata/device"
import type { IntegrityMode } from "./integrity-target.ts"
import { internalHashSizes, isInternalHashName, isLinuxHashName, takesKey } from "./internal-hash.ts"
import { TAG_SIZE_MAX } from "./superblock.ts"

/** The arguments of an integrity line as they were given; what is undefined was not. */
export interface IntegrityLine {
  /** The operand. */
  readonly device: string
  readonly startSectors: number
  /** Bytes; undefined (`-`) is the size of the digest. */
  readonly tagSize: number | undefined
  readonly mode: IntegrityMode
  readonly journalSectors?: number | undefined
  readonly interleaveSectors?: number | undefined
  readonly bufferSectors?: number | undefined
  /** Percent. */
  readonly journalWatermark?: number | undefined
  readonly commitTimeMs?: number | undefined
  /** Bytes; 512 if undefined. */
  readonly blockSize?: number | undefined
  readonly sectorsPerBit?: number | undefined
  readonly bitmapFlushIntervalMs?: number | undefined
  readonly internalHash?: LineHash | undefined
  /** The operand of the device that holds everything but the data. */
  readonly metaDevice?: string | undefined
  readonly journalCrypt?: LineHash | undefined
  readonly journalMac?: LineHash | undefined
  readonly allowDiscards: boolean
  readonly fixPadding: boolean
  readonly fixHmac: boolean
  /** In a completed line: the volume's tags are not all calculated. */
  readonly recalculate: boolean
  readonly resetRecalculate: boolean
  /** Without recalculation it does nothing. */
  readonly legacyRecalculate: boolean
}

/** A hash or cipher as the line spells it. */
export interface LineHash {
  readonly name: string
  readonly keyHex?: string | undefined
}

const FEATURE_COUNT_MAX = 18
export const MODES: readonly string[] = ["J", "B", "D", "R", "I"]
export const NUMBER_FIELDS = {
  journal_sectors: "journalSectors",
  interleave_sectors: "interleaveSectors",
  buffer_sectors: "bufferSectors",
  journal_watermark: "journalWatermark",
  commit_time: "commitTimeMs",
  block_size: "blockSize",
  sectors_per_bit: "sectorsPerBit",
  bitmap_flush_interval: "bitmapFlushIntervalMs",
} as const
export const FLAG_FIELDS = {
  allow_discards: "allowDiscards",
  fix_padding: "fixPadding",
  fix_hmac: "fixHmac",
  recalculate: "recalculate",
  reset_recalculate: "resetRecalculate",
  legacy_recalculate: "legacyRecalculate",
} as const
export const ALGORITHM_FIELDS = {
  internal_hash: "internalHash",
  journal_crypt: "journalCrypt",
  journal_mac: "journalMac",
} as const

type Draft = { -readonly [Name in keyof IntegrityLine]: IntegrityLine[Name] }

/**
 * Reads the arguments behind `integrity`. What Linux refuses comes before what only we refuse, wherever it stands.
 *
 * @throws BlockError `INVALID` or `UNSUPPORTED`; no message holds a value, for it may be a key.
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with what Linux 6.1 takes.
 */
export function parseIntegrityLine(args: readonly string[]): IntegrityLine {
  const [device, start, tagSize, mode, count, ...words] = args
  if (
    device === undefined ||
    start === undefined ||
    tagSize === undefined ||
    mode === undefined ||
    count === undefined
  ) {
    throw invalid("expected DEVICE START TAG_SIZE MODE COUNT and options")
  }
  const refusals: string[] = []
  if (!MODES.includes(mode)) throw invalid("mode: expected J, B, D, R or I")
  const line: Draft = {
    device,
    startSectors: numberOf(start, "start", 64, refusals),
    tagSize: tagSize === "-" ? undefined : numberOf(tagSize, "tag size", 32, refusals),
    mode: mode as IntegrityMode,
    allowDiscards: false,
    fixPadding: false,
    fixHmac: false,
    recalculate: false,
    resetRecalculate: false,
    legacyRecalculate: false,
  }
  if (!Number.isSafeInteger(line.startSectors * 512)) throw invalid("start: beyond 2^53 bytes")
  const wordCount = numberOf(count, "number of options", 32, refusals)
  if (wordCount > FEATURE_COUNT_MAX || wordCount > words.length) throw invalid("number of options")
  for (const word of words.slice(0, wordCount)) readOption(line, word, refusals)
  // Linux drops what stands behind the counted ones; a fix_hmac dropped in silence is not what anybody meant.
  if (words.length > wordCount) refusals.push(`${optionName(words[wordCount]!)} behind the last option`)
  checkLine(line, refusals)
  if (refusals.length > 0) throw new BlockError("UNSUPPORTED", `integrity: not built yet: ${refusals[0]}`)
  return line
}

function readOption(line: Draft, word: string, refusals: string[]): void {
  const colon = word.indexOf(":")
  const name = colon < 0 ? word : word.slice(0, colon)
  const value = colon < 0 ? undefined : word.slice(colon + 1)
  if (value === undefined) {
    if (Object.hasOwn(FLAG_FIELDS, name)) line[FLAG_FIELDS[name as keyof typeof FLAG_FIELDS]] = true
    else throw invalid(`unknown option ${optionName(word)}`)
  } else if (Object.hasOwn(ALGORITHM_FIELDS, name)) {
    line[ALGORITHM_FIELDS[name as keyof typeof ALGORITHM_FIELDS]] = algorithmOf(name, value)
  } else if (name === "meta_device") {
    if (value === "") throw invalid("meta_device: expected a device")
    line.metaDevice = value
  } else if (Object.hasOwn(NUMBER_FIELDS, name)) readNumber(line, name as keyof typeof NUMBER_FIELDS, value, refusals)
  else throw invalid(`unknown option ${optionName(word)}`)
}

function readNumber(line: Draft, name: keyof typeof NUMBER_FIELDS, value: string, refusals: string[]): void {
  const number = numberOf(value, name, name === "sectors_per_bit" ? 64 : 32, refusals)
  if (!Number.isSafeInteger(number)) refusals.push(`${name} above 2^53`)
  if (name === "journal_watermark" && number > 100) throw invalid("journal_watermark: expected at most 100")
  if (name === "block_size" && ![512, 1024, 2048, 4096].includes(number)) {
    throw invalid("block_size: expected 512, 1024, 2048 or 4096")
  }
  line[NUMBER_FIELDS[name]] = number
}

/** A number as the kernel reads it, modulo 2^`bits`; where that is not what the line says, nobody means it. */
function numberOf(text: string, what: string, bits: 32 | 64, refusals: string[]): number {
  if (!/^\d+$/.test(text)) throw invalid(`${what}: expected a number`)
  // The last 64 digits decide, for 2^64 divides 10^64.
  const value = BigInt.asUintN(bits, BigInt(text.slice(-64)))
  if (text.replace(/^0+(?=\d)/, "") !== String(value)) refusals.push(`${what} above ${bits} bits`)
  return Number(value)
}

function algorithmOf(option: string, value: string): LineHash {
  const colon = value.indexOf(":")
  const name = colon < 0 ? value : value.slice(0, colon)
  const keyHex = colon < 0 ? undefined : value.slice(colon + 1)
  if (keyHex !== undefined && !/^([0-9a-fA-F]{2})*$/.test(keyHex)) throw invalid(`${option}: the key is not hex`)
  return { name, keyHex }
}

/** Only of the last one on the line: Linux does not look for those that it replaces. */
function checkHash(option: "internal_hash" | "journal_mac", { name, keyHex }: LineHash, refusals: string[]): void {
  if (!isLinuxHashName(name)) throw invalid(`${option}: unknown hash`)
  if (name.startsWith("hmac(") && keyHex === undefined) throw invalid(`${option}: ${name} needs a key`)
  if (keyHex !== undefined && !name.startsWith("hmac(") && isInternalHashName(name)) {
    if (!takesKey(name, keyHex.length / 2)) throw invalid(`${option}: ${name} takes no such key`)
    refusals.push(`${option} ${name} with a key`)
  } else if (!isInternalHashName(name)) refusals.push(`${option} ${name}`)
}

function checkLine(line: Draft, refusals: string[]): void {
  if (line.tagSize === undefined && line.internalHash === undefined) throw invalid("tag size - needs an internal_hash")
  if (line.tagSize !== undefined && (line.tagSize < 1 || line.tagSize > TAG_SIZE_MAX)) {
    throw invalid(`tag size: expected 1 ... ${TAG_SIZE_MAX}`)
  }
  if (line.internalHash !== undefined) checkHash("internal_hash", line.internalHash, refusals)
  else if (line.mode === "B") throw invalid("mode B needs an internal_hash")
  else if (line.allowDiscards) throw invalid("allow_discards needs an internal_hash")
  else if (line.recalculate || line.resetRecalculate) throw invalid("recalculate needs an internal_hash")
  if (line.journalMac !== undefined) checkHash("journal_mac", line.journalMac, refusals)
}

/** The name of an option, if that is what it looks like. */
function optionName(word: string): string {
  const name = word.split(":", 1)[0]!
  return /^[a-z_]{1,32}$/.test(name) ? name : "(not shown)"
}

/** Bytes of tag that the line asks for. */
export function lineTagSize({ tagSize, internalHash }: IntegrityLine): number {
  if (tagSize !== undefined) return tagSize
  const name = internalHash?.name ?? ""
  if (!isInternalHashName(name)) throw invalid("tag size - needs an internal_hash")
  return internalHashSizes[name]
}

function invalid(what: string): BlockError {
  return new BlockError("INVALID", `integrity: ${what}`)
}
