const BLOCK_SIZE = 16
const BLOCK_WORDS = 4
const WORD_BITS = 32
const BITS = 128
/** x^128 in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1. */
const REDUCTION = 0x87

/**
 * key * (2^(k+1) - 1) for k = 0 ... 127, 16 bytes each, all of them big-endian: from the tweak of one index to that of
 * the next it takes one of them. 2 KiB, as secret as the key.
 */
export function lrwProducts(key: Uint8Array): Uint8Array {
  const products = new Uint8Array(BITS * BLOCK_SIZE)
  const view = new DataView(products.buffer)
  const keyView = new DataView(key.buffer, key.byteOffset, key.length)
  // key * x^k, highest word first, and the sum of all of them so far.
  let word0 = keyView.getInt32(0)
  let word1 = keyView.getInt32(4)
  let word2 = keyView.getInt32(8)
  let word3 = keyView.getInt32(12)
  for (let offset = 0; offset < products.length; offset += BLOCK_SIZE) {
    const before = offset - BLOCK_SIZE
    view.setInt32(offset, word0 ^ (before < 0 ? 0 : view.getInt32(before)))
    view.setInt32(offset + 4, word1 ^ (before < 0 ? 0 : view.getInt32(before + 4)))
    view.setInt32(offset + 8, word2 ^ (before < 0 ? 0 : view.getInt32(before + 8)))
    view.setInt32(offset + 12, word3 ^ (before < 0 ? 0 : view.getInt32(before + 12)))
    // The sign of the highest word, spread over all bits: a reduction without a branch on key-dependent data.
    const carry = (word0 >> 31) & REDUCTION
    word0 = (word0 << 1) | (word1 >>> 31)
    word1 = (word1 << 1) | (word2 >>> 31)
    word2 = (word2 << 1) | (word3 >>> 31)
    word3 = (word3 << 1) ^ carry
  }
  return products
}

/** Fills `tweaks` for all sectors: `ivs` holds the index of each sector's first block, big-endian, and every next is one more. */
export function writeLrwTweaks(tweaks: Uint8Array, sectorSize: number, ivs: Uint8Array, products: Uint8Array): void {
  const view = new DataView(tweaks.buffer, tweaks.byteOffset, tweaks.length)
  const ivView = new DataView(ivs.buffer, ivs.byteOffset, ivs.length)
  const productView = new DataView(products.buffer, products.byteOffset, products.length)
  const index = new Uint32Array(BLOCK_WORDS)
  const tweak = new Int32Array(BLOCK_WORDS)
  const add = (k: number) => {
    for (let word = 0; word < BLOCK_WORDS; word++) {
      tweak[word] = tweak[word]! ^ productView.getInt32(k * BLOCK_SIZE + word * 4)
    }
  }
  for (let sector = 0, iv = 0; sector < tweaks.length; sector += sectorSize, iv += BLOCK_SIZE) {
    for (let word = 0; word < BLOCK_WORDS; word++) index[word] = ivView.getUint32(iv + word * 4)
    tweak.fill(0)
    addGrayBits(index, add)
    for (let offset = sector; offset < sector + sectorSize; offset += BLOCK_SIZE) {
      for (let word = 0; word < BLOCK_WORDS; word++) view.setInt32(offset + word * 4, tweak[word]!)
      add(increment(index))
    }
  }
}

/** The bits of an index's Gray code: it is the sum of 2^(k+1) - 1 over them. Indices are no secret. */
function addGrayBits(index: Uint32Array, add: (k: number) => void): void {
  for (let word = 0; word < BLOCK_WORDS; word++) {
    const carried = word === 0 ? 0 : index[word - 1]! << 31
    const gray = index[word]! ^ ((index[word]! >>> 1) | carried)
    for (let bit = 0; bit < WORD_BITS; bit++) if ((gray >>> bit) & 1) add((BLOCK_WORDS - 1 - word) * WORD_BITS + bit)
  }
}

/** Adds one, modulo 2^128. @returns the highest bit that changed, below which all did. */
function increment(index: Uint32Array): number {
  for (let word = BLOCK_WORDS - 1; word >= 0; word--) {
    const before = index[word]!
    index[word] = before + 1
    const changed = 31 - Math.clz32(before ^ index[word]!)
    if (before !== 0xffffffff) return (BLOCK_WORDS - 1 - word) * WORD_BITS + changed
  }
  return BITS - 1
}
