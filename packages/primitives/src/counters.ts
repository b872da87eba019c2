const BLOCK_SIZE = 16

/**
 * Fills `counters` with the counter blocks of all sectors: each sector's IV counted up, big-endian, wrapping at 2^128.
 * NIST SP 800-38A, B.1.
 */
export function writeCounters(counters: Uint8Array, sectorSize: number, ivs: Uint8Array): void {
  const view = new DataView(counters.buffer, counters.byteOffset, counters.length)
  const ivView = new DataView(ivs.buffer, ivs.byteOffset, ivs.length)
  for (let sector = 0, iv = 0; sector < counters.length; sector += sectorSize, iv += BLOCK_SIZE) {
    let word0 = ivView.getUint32(iv)
    let word1 = ivView.getUint32(iv + 4)
    let word2 = ivView.getUint32(iv + 8)
    let word3 = ivView.getUint32(iv + 12)
    for (let offset = sector; offset < sector + sectorSize; offset += BLOCK_SIZE) {
      view.setUint32(offset, word0)
      view.setUint32(offset + 4, word1)
      view.setUint32(offset + 8, word2)
      view.setUint32(offset + 12, word3)
      word3 = (word3 + 1) >>> 0
      if (word3 === 0) word2 = (word2 + 1) >>> 0
      if (word3 === 0 && word2 === 0) word1 = (word1 + 1) >>> 0
      if (word3 === 0 && word2 === 0 && word1 === 0) word0 = (word0 + 1) >>> 0
    }
  }
}
