import type { BlockCipher } from "./engine.ts"
import { createScratch, type Scratch, wordsOf, xorScratch } from "./scratch.ts"
import type { SectorMode, SectorPiece } from "./sector-mode.ts"

const BLOCK_SIZE = 16
const BLOCK_WORDS = 4

/** Cipher block chaining within each sector, without padding. NIST SP 800-38A, 6.2. */
export function cbcMode(cipher: BlockCipher): SectorMode {
  const work = createScratch()
  const chain = createScratch()
  return {
    ivSize: BLOCK_SIZE,
    encryptPiece: (piece) => encryptPiece(cipher, work, chain, piece),
    decryptPiece: (piece) => decryptPiece(cipher, work, chain, piece),
    destroy() {
      cipher.destroy()
      work.wipe()
      chain.wipe()
    },
  }
}

/** Within a sector each block waits for the one before; across sectors nothing waits: so the lanes are the sectors. */
function encryptPiece(cipher: BlockCipher, work: Scratch, chain: Scratch, piece: SectorPiece): void {
  const bytes = work.take(piece.source.length)
  bytes.set(piece.source)
  const lanes = chain.take(piece.ivs.length)
  lanes.set(piece.ivs)
  const words = wordsOf(bytes)
  const laneWords = wordsOf(lanes)
  const sectorWords = piece.sectorSize / 4
  for (let block = 0; block < sectorWords; block += BLOCK_WORDS) {
    for (let lane = 0, word = block; lane < laneWords.length; lane += BLOCK_WORDS, word += sectorWords) {
      for (let part = 0; part < BLOCK_WORDS; part++) {
        laneWords[lane + part] = laneWords[lane + part]! ^ words[word + part]!
      }
    }
    cipher.encryptBlocks(lanes, lanes)
    for (let lane = 0, word = block; lane < laneWords.length; lane += BLOCK_WORDS, word += sectorWords) {
      for (let part = 0; part < BLOCK_WORDS; part++) words[word + part] = laneWords[lane + part]!
    }
  }
  piece.target.set(bytes)
}

function decryptPiece(cipher: BlockCipher, work: Scratch, chain: Scratch, piece: SectorPiece): void {
  const { source, sectorSize, ivs } = piece
  // The ciphertext moved up by one block, and at the start of each sector its IV: taken before the target is written,
  // which may be the source.
  const previous = chain.take(source.length)
  previous.set(source.subarray(0, source.length - BLOCK_SIZE), BLOCK_SIZE)
  for (let start = 0, iv = 0; start < source.length; start += sectorSize, iv += BLOCK_SIZE) {
    previous.set(ivs.subarray(iv, iv + BLOCK_SIZE), start)
  }
  const bytes = work.take(source.length)
  cipher.decryptBlocks(source, bytes)
  xorScratch(bytes, previous)
  piece.target.set(bytes)
}
