import type { BlockCipher } from "./engine.ts"
import { type Kernels, WORK_IVS_OFFSET } from "./kernel/kernels.ts"
import { windowAt } from "./kernel/window.ts"
import { loadXorKernel } from "./kernel/xor-kernel.ts"
import { loadXtsKernel } from "./kernel/xts-kernel.ts"
import { createScratch } from "./scratch.ts"
import type { SectorMode } from "./sector-mode.ts"
import { xexKernelMode, xexPlainMode } from "./xex.ts"
import { TWEAK_SIZE, writeXtsTweaks } from "./xts-tweaks.ts"

/**
 * XTS over sectors of whole blocks (no ciphertext stealing): block j of a sector is enciphered between two XORs with
 * E2(IV) * x^j. The two ciphers may have any AES key, equal ones too, as in Linux. IEEE 1619, 5.3 and 5.4.
 */
export function xtsMode(dataCipher: BlockCipher, tweakCipher: BlockCipher, kernels?: Kernels): SectorMode {
  const mode = kernelMode(dataCipher, tweakCipher, kernels) ?? plainMode(dataCipher, tweakCipher)
  return {
    ...mode,
    destroy() {
      tweakCipher.destroy()
      mode.destroy()
    },
  }
}

function kernelMode(dataCipher: BlockCipher, tweakCipher: BlockCipher, kernels?: Kernels): SectorMode | undefined {
  const xorKernel = kernels && loadXorKernel(kernels)
  const kernel = kernels && loadXtsKernel(kernels)
  if (!kernels || !xorKernel || !kernel) return undefined
  const firstTweaks = kernels.work + WORK_IVS_OFFSET
  const firstTweaksWindow = windowAt(kernels.bytes, firstTweaks)
  return xexKernelMode(dataCipher, kernels, xorKernel, (target, source, kept, ivs, sectorSize) => {
    tweakCipher.encryptBlocks(ivs, firstTweaksWindow(ivs.length))
    kernel.mask(target, source, kept, firstTweaks, sectorSize, ivs.length / TWEAK_SIZE)
  })
}

function plainMode(dataCipher: BlockCipher, tweakCipher: BlockCipher): SectorMode {
  const firstTweaks = createScratch()
  const mode = xexPlainMode(dataCipher, (tweaks, sectorSize, ivs) => {
    const first = firstTweaks.take(ivs.length)
    tweakCipher.encryptBlocks(ivs, first)
    writeXtsTweaks(tweaks, sectorSize, first)
  })
  return {
    ...mode,
    destroy() {
      mode.destroy()
      firstTweaks.wipe()
    },
  }
}
