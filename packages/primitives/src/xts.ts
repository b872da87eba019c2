import type { BlockCipher } from "./engine.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernel/kernels.ts"
import { loadXtsKernel, type XtsKernel } from "./kernel/xts-kernel.ts"
import { createScratch, xorScratch } from "./scratch.ts"
import type { SectorMode, SectorPiece } from "./sector-mode.ts"

const BLOCK_SIZE = 16
/** x^128 in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1. */
const REDUCTION = 0x87

/**
 * XTS over sectors of whole blocks (no ciphertext stealing): block j of a sector is enciphered between two XORs with
 * E2(IV) * x^j. The two ciphers may have any AES key, equal ones too, as in Linux. IEEE 1619, 5.3 and 5.4.
 */
export function xtsMode(dataCipher: BlockCipher, tweakCipher: BlockCipher, kernels?: Kernels): SectorMode {
  const kernel = kernels && loadXtsKernel(kernels)
  return kernels && kernel ? kernelMode(dataCipher, tweakCipher, kernels, kernel) : plainMode(dataCipher, tweakCipher)
}

/** With the kernel: in place where the caller's memory is the kernels' own, else by way of the work area. */
function kernelMode(
  dataCipher: BlockCipher,
  tweakCipher: BlockCipher,
  kernels: Kernels,
  kernel: XtsKernel,
): SectorMode {
  const { bytes, work } = kernels
  const tweaks = work + WORK_HALF_SIZE
  function apply({ source, target, sectorSize, ivs }: SectorPiece, transform: BlockCipher["encryptBlocks"]): void {
    const { length } = source
    const sectorCount = length / sectorSize
    const firstTweaks = bytes.subarray(tweaks, tweaks + ivs.length)
    tweakCipher.encryptBlocks(ivs, firstTweaks)
    const targetAddress = kernels.addressOf(target)
    const at = targetAddress < 0 ? work : targetAddress
    let from = kernels.addressOf(source)
    if (from < 0) {
      bytes.set(source, at)
      from = at
    }
    const inside = bytes.subarray(at, at + length)
    kernel.mask(at, from, tweaks, sectorSize, sectorCount)
    transform(inside, inside)
    kernel.mask(at, at, tweaks, sectorSize, sectorCount)
    if (targetAddress < 0) target.set(inside)
  }
  return {
    ivSize: BLOCK_SIZE,
    encryptPiece: (piece) => apply(piece, dataCipher.encryptBlocks),
    decryptPiece: (piece) => apply(piece, dataCipher.decryptBlocks),
    destroy() {
      for (const owned of [dataCipher, tweakCipher]) owned.destroy()
      kernels.wipe()
    },
  }
}

function plainMode(dataCipher: BlockCipher, tweakCipher: BlockCipher): SectorMode {
  const work = createScratch()
  const tweaks = createScratch()
  const firstTweaks = createScratch()
  function apply({ source, target, sectorSize, ivs }: SectorPiece, transform: BlockCipher["encryptBlocks"]): void {
    const first = firstTweaks.take(ivs.length)
    tweakCipher.encryptBlocks(ivs, first)
    const mask = tweaks.take(source.length)
    writeTweaks(mask, sectorSize, first)
    const bytes = work.take(source.length)
    bytes.set(source)
    xorScratch(bytes, mask)
    transform(bytes, bytes)
    xorScratch(bytes, mask)
    target.set(bytes)
  }
  return {
    ivSize: BLOCK_SIZE,
    encryptPiece: (piece) => apply(piece, dataCipher.encryptBlocks),
    decryptPiece: (piece) => apply(piece, dataCipher.decryptBlocks),
    destroy() {
      for (const owned of [dataCipher, tweakCipher]) owned.destroy()
      for (const owned of [work, tweaks, firstTweaks]) owned.wipe()
    },
  }
}

/** Fills `tweaks` for all sectors: `first` holds each sector's first, and every next one is the double (5.2). */
function writeTweaks(tweaks: Uint8Array, sectorSize: number, first: Uint8Array): void {
  const view = new DataView(tweaks.buffer, tweaks.byteOffset, tweaks.length)
  const firstView = new DataView(first.buffer, first.byteOffset, first.length)
  for (let sector = 0, from = 0; sector < tweaks.length; sector += sectorSize, from += BLOCK_SIZE) {
    let word0 = firstView.getInt32(from, true)
    let word1 = firstView.getInt32(from + 4, true)
    let word2 = firstView.getInt32(from + 8, true)
    let word3 = firstView.getInt32(from + 12, true)
    for (let offset = sector; offset < sector + sectorSize; offset += BLOCK_SIZE) {
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
