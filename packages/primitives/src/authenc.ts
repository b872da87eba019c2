import { equalBytes } from "@noble/ciphers/utils.js"
import type { AeadBatch, AeadCipher, SectorCipher, UnitHash } from "./engine.ts"
import { createScratch, PIECE_BYTES } from "./scratch.ts"

/**
 * Encrypt, then MAC: each unit's tag is the whole of HMAC(AAD || ciphertext), and nothing is decrypted that did not
 * verify. The IV is authenticated only as far as the AAD holds it. Linux, `authenc(hmac(...),...)`; RFC 7366 for the order.
 */
export function authencCipher(mac: UnitHash, cipher: SectorCipher): AeadCipher {
  const { ivSize } = cipher
  const tagSize = mac.digestSize
  const digests = createScratch()

  function findForgery(batch: AeadBatch): number {
    const unitCount = batch.tags.length / tagSize
    const stepCount = Math.floor(PIECE_BYTES / tagSize)
    for (let first = 0; first < unitCount; first += stepCount) {
      const count = Math.min(stepCount, unitCount - first)
      const expected = digests.take(count * tagSize)
      mac.digestUnits(hashedUnits(batch, batch.source, first, count, unitCount), expected)
      for (let index = 0; index < count; index++) {
        const stored = batch.tags.subarray((first + index) * tagSize, (first + index + 1) * tagSize)
        if (!equalBytes(stored, expected.subarray(index * tagSize, (index + 1) * tagSize))) return first + index
      }
    }
    return -1
  }

  return {
    ivSize,
    tagSize,
    encryptUnits(batch) {
      const unitCount = batch.tags.length / tagSize
      cipher.encryptSectors(batch.source, batch.target, batch.unitSize, batch.ivs)
      mac.digestUnits(hashedUnits(batch, batch.target, 0, unitCount, unitCount), batch.tags)
    },
    decryptUnits(batch) {
      const failedUnit = findForgery(batch)
      const goodUnits = failedUnit < 0 ? batch.tags.length / tagSize : failedUnit
      const end = goodUnits * batch.unitSize
      const goodIvs = batch.ivs.subarray(0, goodUnits * ivSize)
      cipher.decryptSectors(batch.source.subarray(0, end), batch.target.subarray(0, end), batch.unitSize, goodIvs)
      batch.target.fill(0, end)
      return failedUnit
    },
    destroy() {
      mac.destroy()
      cipher.destroy()
      digests.wipe()
    },
  }
}

/** `count` units from `first` on, each with its AAD as the head. */
function hashedUnits(batch: AeadBatch, ciphertext: Uint8Array, first: number, count: number, unitCount: number) {
  const at = (bytes: Uint8Array) => {
    const size = unitCount === 0 ? 0 : bytes.length / unitCount
    return bytes.subarray(first * size, (first + count) * size)
  }
  return { data: at(ciphertext), unitSize: batch.unitSize, heads: at(batch.aads) }
}
