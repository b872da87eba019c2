import { BlockError } from "@blockstrata/device"

/** Bytes in a sector: the unit of every number in a table line. */
export const SECTOR_SIZE = 512

/** Longer numbers are not worth reading. */
const DIGIT_COUNT_MAX = 40

const U64_MAX = 2n ** 64n - 1n
const U32_MAX = 2n ** 32n - 1n
const SECTOR_COUNT_MAX = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_SIZE))

/**
 * A sector number of a table line: decimal digits, no sign.
 *
 * @throws BlockError `INVALID` where it is no number, or beyond any device; `UNSUPPORTED` above 64 bits: the kernel drops
 * the rest, so that the line would mean something else than it says.
 */
export function parseSectors(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new BlockError("INVALID", `${what}: expected a sector number`)
  const value = text.length > DIGIT_COUNT_MAX ? U64_MAX + 1n : BigInt(text)
  if (value > U64_MAX) throw new BlockError("UNSUPPORTED", `${what}: a number of more than 64 bits`)
  if (value > SECTOR_COUNT_MAX) throw new BlockError("INVALID", `${what}: beyond any device`)
  return Number(value)
}

/**
 * A number that the kernel reads as `%u`: decimal digits, no sign.
 *
 * @throws BlockError `INVALID` where it is no number or below `least`; `UNSUPPORTED` above 32 bits, which the kernel drops.
 */
export function parseU32(text: string, what: string, least = 0): number {
  if (!/^\d+$/.test(text)) throw new BlockError("INVALID", `${what}: expected a number`)
  const value = text.length > DIGIT_COUNT_MAX ? U32_MAX + 1n : BigInt(text)
  if (value > U32_MAX) throw new BlockError("UNSUPPORTED", `${what}: a number of more than 32 bits`)
  if (value < least) throw new BlockError("INVALID", `${what}: expected at least ${least}`)
  return Number(value)
}

/** A count of a table line: decimal digits, `+` before them allowed as in the kernel, 1 to 2^32 - 1. @throws BlockError `INVALID` */
export function parseCount(text: string, what: string): number {
  const value = /^\+?\d{1,40}$/.test(text) ? BigInt(text.replace("+", "")) : 0n
  if (value < 1n || value > U32_MAX) throw new BlockError("INVALID", `${what}: expected a number from 1 to 2^32 - 1`)
  return Number(value)
}

/** @throws BlockError `INVALID` with `problem`, if there is one: a line that asks for what lies not below. */
export function requireFit(word: string, problem: string | undefined): void {
  if (problem !== undefined) throw new BlockError("INVALID", `${word}: ${problem}`)
}
