import { BlockError } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { createInternalHash, internalHashNamed } from "./internal-hash.ts"
import type { JournalAlgorithm } from "./open-integrity.ts"
import { encodeSuperblock, type IntegritySuperblock } from "./superblock.ts"

/**
 * With fixed HMAC and a journal MAC the superblock has a MAC too, by the same hash and key: over its first sector without
 * the last bytes of it, which hold the MAC.
 *
 * Source: compared with superblocks of Linux 6.1.
 */
const SECTOR_SIZE = 512

/** The bytes of a superblock, with its MAC where it has one. */
export function sealedSuperblock(
  superblock: IntegritySuperblock,
  journalMac: JournalAlgorithm | undefined,
  engine: Engine,
): Uint8Array {
  const bytes = encodeSuperblock(superblock)
  if (journalMac !== undefined && superblock.hasFixedHmac) seal(bytes, journalMac, engine)
  return bytes
}

/** What gives changed sectors of this superblock their MAC, in place; undefined where it has none. */
export function superblockSeal(
  { hasFixedHmac }: IntegritySuperblock,
  journalMac: JournalAlgorithm | undefined,
  engine: Engine,
): ((sectors: Uint8Array) => void) | undefined {
  if (journalMac === undefined || !hasFixedHmac) return undefined
  const owned = { ...journalMac, key: new Uint8Array(journalMac.key) }
  return (sectors) => seal(sectors, owned, engine)
}

/**
 * @param bytes that `superblock` was read from: at least one sector.
 * @throws BlockError `INTEGRITY` if it should have a MAC, and that is not its own.
 */
export function checkSuperblockMac(
  bytes: Uint8Array,
  superblock: IntegritySuperblock,
  journalMac: JournalAlgorithm | undefined,
  engine: Engine,
): void {
  if (journalMac === undefined || !superblock.hasFixedHmac) return
  const { mac, expected } = macsOf(bytes, journalMac, engine)
  // Every byte is looked at, so that the time taken tells nothing.
  const difference = mac.reduce((sum, byte, index) => sum | (byte ^ expected[index]!), 0)
  if (difference === 0) return
  const message = "integrity: the MAC of the superblock does not match: changed, or another journal_mac"
  throw new BlockError("INTEGRITY", message, { operation: "open" })
}

function seal(bytes: Uint8Array, journalMac: JournalAlgorithm, engine: Engine): void {
  const { mac, expected } = macsOf(bytes, journalMac, engine)
  mac.set(expected)
}

function macsOf(
  bytes: Uint8Array,
  journalMac: JournalAlgorithm,
  engine: Engine,
): { readonly mac: Uint8Array; readonly expected: Uint8Array } {
  const hash = createInternalHash(engine, internalHashNamed(journalMac.name, journalMac.key))
  try {
    const end = SECTOR_SIZE - hash.digestSize
    return { mac: bytes.subarray(end, SECTOR_SIZE), expected: hash.digest(bytes.subarray(0, end)) }
  } finally {
    hash.destroy()
  }
}
