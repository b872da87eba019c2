import { InvalidArgumentError } from "commander"

const UNIT_POWERS: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4 }

/** `4096`, `64k`, `1M`, `2G`, `1T`: bytes; the units are powers of 1024. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+)([kmgt]?)$/i.exec(text) ?? []
  const size = Number(digits) * 1024 ** (UNIT_POWERS[(unit ?? "").toLowerCase()] ?? 0)
  if (!Number.isSafeInteger(size)) throw new InvalidArgumentError("expected bytes, or a number with k, M, G or T")
  return size
}

/** A plain whole number. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(count)) throw new InvalidArgumentError("expected a whole number")
  return count
}
