import type { BlockCipher } from "./engine.ts"
import { type CbcKernel, loadCbcKernel } from "./kernel/cbc-kernel.ts"
import { type Kernels, WORK_HALF_SIZE, WORK_IVS_OFFSET } from "./kernel/kernels.ts"
import { windowAt } from "./kernel/window.ts"
import { createScratch, wordsOf, xorScratch } from "./scratch.ts"
import type { PieceTransform, SectorMode } from "./sector-mode.ts"

const BLOCK_SIZE = 16
const BLOCK_WORDS = 4
/**
 * Sectors of a piece from which they are encrypted side by side, a block of each in one call: within a sector each block
 * waits for the one before, across sectors nothing waits. With fewer sectors the calls cost more than the waiting.
 */
const LANE_COUNT_MIN = 32

/** CBC as hosts have it: one sector after the other. */
export interface SectorChain {
  /** Encrypts a sector in place. */
  encryptSector(sector: Uint8Array, iv: Uint8Array): void
  destroy(): void
}

/** Cipher block chaining within each sector, without padding. NIST SP 800-38A, 6.2. */
export function cbcMode(cipher: BlockCipher, chain: SectorChain, kernels?: Kernels): SectorMode {
  const kernel = kernels && loadCbcKernel(kernels)
  const mode = kernels && kernel ? kernelMode(cipher, chain, kernels, kernel) : plainMode(cipher, chain)
  return {
    ...mode,
    destroy() {
      chain.destroy()
      mode.destroy()
    },
  }
}

function encryptInTurn(chain: SectorChain, bytes: Uint8Array, sectorSize: number, ivs: Uint8Array): void {
  for (let start = 0, iv = 0; start < bytes.length; start += sectorSize, iv += BLOCK_SIZE) {
    chain.encryptSector(bytes.subarray(start, start + sectorSize), ivs.subarray(iv, iv + BLOCK_SIZE))
  }
}

function kernelMode(cipher: BlockCipher, chain: SectorChain, kernels: Kernels, kernel: CbcKernel): SectorMode {
  const { bytes, work } = kernels
  const second = work + WORK_HALF_SIZE
  const workWindow = windowAt(bytes, work)
  const secondWindow = windowAt(bytes, second)

  function encryptSideBySide(at: number, sectorSize: number, ivs: Uint8Array): void {
    const laneCount = ivs.length / BLOCK_SIZE
    const lanes = secondWindow(ivs.length)
    lanes.set(ivs)
    kernel.take(second, at, sectorSize, laneCount)
    const lastBlock = at + sectorSize - BLOCK_SIZE
    for (let block = at; block < lastBlock; block += BLOCK_SIZE) {
      cipher.encryptBlocks(lanes, lanes)
      kernel.step(second, block, sectorSize, laneCount)
    }
    cipher.encryptBlocks(lanes, lanes)
    kernel.put(second, lastBlock, sectorSize, laneCount)
  }

  return {
    ivSize: BLOCK_SIZE,
    // The more lanes, the fewer calls.
    encryptionPieceBytes: WORK_HALF_SIZE,
    encryptPiece(source, target, sectorSize, ivs) {
      const targetAddress = kernels.addressOf(target)
      const inside = targetAddress < 0 ? workWindow(source.length) : target
      if (kernels.addressOf(source) !== targetAddress || targetAddress < 0) inside.set(source)
      if (ivs.length < LANE_COUNT_MIN * BLOCK_SIZE) encryptInTurn(chain, inside, sectorSize, ivs)
      else encryptSideBySide(targetAddress < 0 ? work : targetAddress, sectorSize, ivs)
      if (targetAddress < 0) target.set(inside)
    },
    decryptPiece(source, target, sectorSize, ivs) {
      const { length } = source
      bytes.set(ivs, work + WORK_IVS_OFFSET)
      let from = kernels.addressOf(source)
      if (from < 0) {
        secondWindow(length).set(source)
        from = second
      }
      const deciphered = workWindow(length)
      cipher.decryptBlocks(source, deciphered)
      const targetAddress = kernels.addressOf(target)
      const to = targetAddress < 0 ? work : targetAddress
      kernel.open(to, work, from, work + WORK_IVS_OFFSET, sectorSize, ivs.length / BLOCK_SIZE)
      if (targetAddress < 0) target.set(deciphered)
    },
    destroy() {
      cipher.destroy()
      kernels.wipe()
    },
  }
}

function plainMode(cipher: BlockCipher, chain: SectorChain): SectorMode {
  const work = createScratch()
  const second = createScratch()
  const encryptPiece: PieceTransform = (source, target, sectorSize, ivs) => {
    const bytes = work.take(source.length)
    bytes.set(source)
    if (ivs.length < LANE_COUNT_MIN * BLOCK_SIZE) encryptInTurn(chain, bytes, sectorSize, ivs)
    else {
      const lanes = second.take(ivs.length)
      lanes.set(ivs)
      encryptLanes(cipher, bytes, sectorSize, lanes)
    }
    target.set(bytes)
  }
  const decryptPiece: PieceTransform = (source, target, sectorSize, ivs) => {
    // The ciphertext moved up by one block, and at the start of each sector its IV: taken before the target is written,
    // which may be the source.
    const previous = second.take(source.length)
    previous.set(source.subarray(0, source.length - BLOCK_SIZE), BLOCK_SIZE)
    for (let start = 0, iv = 0; start < source.length; start += sectorSize, iv += BLOCK_SIZE) {
      previous.set(ivs.subarray(iv, iv + BLOCK_SIZE), start)
    }
    const bytes = work.take(source.length)
    cipher.decryptBlocks(source, bytes)
    xorScratch(bytes, previous)
    target.set(bytes)
  }
  return {
    ivSize: BLOCK_SIZE,
    encryptPiece,
    decryptPiece,
    destroy() {
      cipher.destroy()
      for (const owned of [work, second]) owned.wipe()
    },
  }
}

/** Encrypts `bytes` in place; `lanes` holds the IVs first, then the last ciphertext block of each sector. */
function encryptLanes(cipher: BlockCipher, bytes: Uint8Array, sectorSize: number, lanes: Uint8Array): void {
  const words = wordsOf(bytes)
  const laneWords = wordsOf(lanes)
  const sectorWords = sectorSize / 4
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
}
