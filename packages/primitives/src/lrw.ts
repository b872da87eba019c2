import type { BlockCipher } from "./engine.ts"
import { type Kernels, WORK_IVS_OFFSET, WORK_TABLE_OFFSET } from "./kernel/kernels.ts"
import { loadLrwKernel } from "./kernel/lrw-kernel.ts"
import { loadXorKernel } from "./kernel/xor-kernel.ts"
import { lrwProducts, writeLrwTweaks } from "./lrw-tweaks.ts"
import type { SectorMode } from "./sector-mode.ts"
import { xexKernelMode, xexPlainMode } from "./xex.ts"

const BLOCK_SIZE = 16

/** Bytes of the tweak key, which follows the cipher's. */
export const LRW_TWEAK_KEY_SIZE = 16

/**
 * LRW: the block with index n is enciphered between two XORs with tweakKey * n in GF(2^128), big-endian; a sector's IV is
 * the index of its first block. Index 0 has no tweak, and a ciphertext of the tweak key itself gives it away: it is here
 * for what was written with it. Liskov, Rivest, Wagner; IEEE P1619 before XTS.
 */
export function lrwMode(cipher: BlockCipher, tweakKey: Uint8Array, kernels?: Kernels): SectorMode {
  const products = lrwProducts(tweakKey)
  const mode =
    kernelMode(cipher, products, kernels) ??
    xexPlainMode(cipher, (tweaks, sectorSize, ivs) => writeLrwTweaks(tweaks, sectorSize, ivs, products))
  return {
    ...mode,
    destroy() {
      mode.destroy()
      products.fill(0)
    },
  }
}

function kernelMode(cipher: BlockCipher, products: Uint8Array, kernels?: Kernels): SectorMode | undefined {
  const xorKernel = kernels && loadXorKernel(kernels)
  const kernel = kernels && loadLrwKernel(kernels)
  if (!kernels || !xorKernel || !kernel) return undefined
  const { bytes, work } = kernels
  const [ivArea, table] = [work + WORK_IVS_OFFSET, work + WORK_TABLE_OFFSET]
  return xexKernelMode(cipher, kernels, xorKernel, (target, source, kept, ivs, sectorSize) => {
    bytes.set(products, table)
    bytes.set(ivs, ivArea)
    kernel.mask(target, source, kept, table, ivArea, sectorSize, ivs.length / BLOCK_SIZE)
  })
}
