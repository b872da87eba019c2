import type { BlockCipher } from "./engine.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernel/kernels.ts"
import { windowAt } from "./kernel/window.ts"
import type { XorKernel } from "./kernel/xor-kernel.ts"
import { createScratch, xorScratch } from "./scratch.ts"
import type { PieceTransform, SectorMode } from "./sector-mode.ts"

// What XTS and LRW have in common: a block is enciphered between two XORs with a tweak of its own, C = E(P + T) + T. They
// differ in how the tweaks come from the IVs.

const IV_SIZE = 16

/** The target (an address) = the source xor the tweaks of its blocks, which also go to `kept`. */
export type MaskByKernel = (target: number, source: number, kept: number, ivs: Uint8Array, sectorSize: number) => void

/** With kernels: in place where the caller's memory is the kernels' own, else by way of the work area. */
export function xexKernelMode(
  cipher: BlockCipher,
  kernels: Kernels,
  { xor }: XorKernel,
  mask: MaskByKernel,
): SectorMode {
  const { bytes, work } = kernels
  const kept = work + WORK_HALF_SIZE
  const workWindow = windowAt(bytes, work)
  function by(transform: BlockCipher["encryptBlocks"]): PieceTransform {
    return (source, target, sectorSize, ivs) => {
      const { length } = source
      const targetAddress = kernels.addressOf(target)
      const at = targetAddress < 0 ? work : targetAddress
      const inside = targetAddress < 0 ? workWindow(length) : target
      let from = kernels.addressOf(source)
      if (from < 0) {
        inside.set(source)
        from = at
      }
      mask(at, from, kept, ivs, sectorSize)
      transform(inside, inside)
      xor(at, at, kept, length)
      if (targetAddress < 0) target.set(inside)
    }
  }
  return {
    ivSize: IV_SIZE,
    encryptPiece: by(cipher.encryptBlocks),
    decryptPiece: by(cipher.decryptBlocks),
    destroy() {
      cipher.destroy()
      kernels.wipe()
    },
  }
}

/** In TypeScript. `writeTweaks` fills its first argument with the tweaks of all blocks. */
export function xexPlainMode(
  cipher: BlockCipher,
  writeTweaks: (tweaks: Uint8Array, sectorSize: number, ivs: Uint8Array) => void,
): SectorMode {
  const work = createScratch()
  const tweaks = createScratch()
  function by(transform: BlockCipher["encryptBlocks"]): PieceTransform {
    return (source, target, sectorSize, ivs) => {
      const mask = tweaks.take(source.length)
      writeTweaks(mask, sectorSize, ivs)
      const bytes = work.take(source.length)
      bytes.set(source)
      xorScratch(bytes, mask)
      transform(bytes, bytes)
      xorScratch(bytes, mask)
      target.set(bytes)
    }
  }
  return {
    ivSize: IV_SIZE,
    encryptPiece: by(cipher.encryptBlocks),
    decryptPiece: by(cipher.decryptBlocks),
    destroy() {
      cipher.destroy()
      for (const owned of [work, tweaks]) owned.wipe()
    },
  }
}
