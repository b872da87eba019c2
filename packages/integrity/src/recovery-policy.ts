import { BlockError } from "@blockstrata/device"
import type { OpenIntegrityOptions } from "./open-integrity.ts"
import type { IntegritySuperblock } from "./superblock.ts"

type PolicyOptions = Pick<
  OpenIntegrityOptions,
  | "mode"
  | "internalHash"
  | "journalMac"
  | "journalCrypt"
  | "recalculate"
  | "resetRecalculate"
  | "legacyRecalculate"
  | "allowUnauthenticatedRecovery"
>

/**
 * Whether tags may be computed of whatever stands on the medium. With a keyed hash that gives data a MAC which nobody
 * with the key has written: in mode B after every crash, and in any mode where a superblock says so that anybody can write.
 *
 * @throws BlockError `INVALID` where Linux refuses too, `REFUSED` where only we do; `UNSUPPORTED` for a bitmap beside an
 * encrypted journal: Linux never gets such a bitmap onto the medium, and after a crash nothing says what to recover.
 */
export function checkRecoveryPolicy(superblock: IntegritySuperblock, options: PolicyOptions): void {
  const { mode, internalHash, journalMac } = options
  if (internalHash === undefined) {
    if (superblock.isRecalculating || options.recalculate === true)
      throw invalid("recalculation needs an internal hash")
    if (superblock.hasDirtyBitmap) throw invalid("a dirty bitmap needs an internal hash to be recovered")
    return
  }
  if (options.journalCrypt !== undefined && (mode === "B" || superblock.hasDirtyBitmap))
    throw new BlockError("UNSUPPORTED", "integrity: a bitmap beside journal_crypt", { operation: "open" })
  const isKeyed = "key" in internalHash
  const allows = options.allowUnauthenticatedRecovery === true
  if (recalculates(superblock, options)) {
    const isProtected = superblock.hasFixedHmac && journalMac !== undefined
    const isRisky = isKeyed ? !isProtected : journalMac !== undefined && !superblock.hasFixedHmac
    if (isRisky && options.legacyRecalculate !== true)
      throw invalid("recalculation with a keyed hash needs legacy_recalculate, or fix_hmac and a journal_mac")
    if (isKeyed && isRisky && !allows) throw refused("recalculation with a keyed hash")
  }
  if (!isKeyed || allows) return
  if (mode === "B") throw refused("mode B with a keyed hash")
  if (superblock.hasDirtyBitmap) throw refused("a dirty bitmap with a keyed hash")
}

function recalculates(superblock: IntegritySuperblock, { recalculate, resetRecalculate }: PolicyOptions): boolean {
  if (resetRecalculate === true) return true
  if (!superblock.isRecalculating) return recalculate === true
  return superblock.recalculatedSectors < superblock.providedSectors
}

function invalid(what: string): BlockError {
  return new BlockError("INVALID", `integrity: ${what}`, { operation: "open" })
}

function refused(what: string): BlockError {
  const why = "would make tags for data that nobody with the key has written (allowUnauthenticatedRecovery)"
  return new BlockError("REFUSED", `integrity: ${what} ${why}`, { operation: "open" })
}
