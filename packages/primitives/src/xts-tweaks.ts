export const TWEAK_SIZE = 16
/** x^128 in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1. */
const REDUCTION = 0x87

/** Fills `tweaks` for all sectors: `first` holds each sector's first, and every next one is the double. IEEE 1619, 5.2. */
export function writeXtsTweaks(tweaks: Uint8Array, sectorSize: number, first: Uint8Array): void {
  const view = new DataView(tweaks.buffer, tweaks.byteOffset, tweaks.length)
  const firstView = new DataView(first.buffer, first.byteOffset, first.length)
  for (let sector = 0, from = 0; sector < tweaks.length; sector += sectorSize, from += TWEAK_SIZE) {
    let word0 = firstView.getInt32(from, true)
    let word1 = firstView.getInt32(from + 4, true)
    let word2 = firstView.getInt32(from + 8, true)
    let word3 = firstView.getInt32(from + 12, true)
    for (let offset = sector; offset < sector + sectorSize; offset += TWEAK_SIZE) {
      view.setInt32(offset, word0, true)
      view.setInt32(offset + 4, word1, true)
      view.setInt32(offset + 8, word2, true)
      view.setInt32(offset + 12, word3, true)
      // The sign of the highest word, spread over all bits: a reduction without a branch on key-dependent data.
      const carry = (word3 >> 31) & REDUCTION
      word3 = (word3 << 1) | (word2 >>> 31)
      word2 = (word2 << 1) | (word1 >>> 31)
      word1 = (word1 << 1) | (word0 >>> 31)
      word0 = (word0 << 1) ^ carry
    }
  }
}
