import type { AeadBatch, AeadCipher, HashBatch, SectorCipher, UnitHash } from "./engine.ts"

/**
 * Encrypt, then MAC: each unit's tag is HMAC(AAD || ciphertext), or the first `tagSize` bytes of it, and nothing is decrypted that did not
 * verify. The IV is authenticated only as far as the AAD holds it. Linux, `authenc(hmac(...),...)`; RFC 7366 for the order.
 */
export function authencCipher(mac: UnitHash, cipher: SectorCipher, tagSize: number): AeadCipher {
  const { ivSize } = cipher
  // Each unit with its AAD as the head.
  const hashedUnits = ({ unitSize, aads }: AeadBatch, ciphertext: Uint8Array): HashBatch => {
    return { data: ciphertext, unitSize, heads: aads, tagSize }
  }
  return {
    ivSize,
    tagSize,
    encryptUnits(batch) {
      cipher.encryptSectors(batch.source, batch.target, batch.unitSize, batch.ivs)
      mac.digestUnits(hashedUnits(batch, batch.target), batch.tags)
    },
    decryptUnits(batch) {
      const failedUnit = mac.verifyUnits(hashedUnits(batch, batch.source), batch.tags)
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
    },
  }
}
