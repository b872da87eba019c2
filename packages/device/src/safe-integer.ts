import { BlockError } from "./block-error.ts"

/**
 * Narrows an on-disk u64 to a number, once.
 *
 * @throws BlockError `CORRUPT` if it is negative or above 2^53 - 1.
 */
export function toSafeInteger(value: bigint, what: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new BlockError("CORRUPT", `${what}: expected at most 2^53 - 1, got ${value}`)
  }
  return Number(value)
}
