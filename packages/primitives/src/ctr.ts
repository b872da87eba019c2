import { writeCounters } from "./counters.ts"
import type { BlockCipher } from "./engine.ts"
import { loadCtrKernel } from "./kernel/ctr-kernel.ts"
import { type Kernels, WORK_HALF_SIZE, WORK_IVS_OFFSET } from "./kernel/kernels.ts"
import { windowAt } from "./kernel/window.ts"
import { loadXorKernel } from "./kernel/xor-kernel.ts"
import { createScratch, xorScratch } from "./scratch.ts"
import type { PieceTransform, SectorMode } from "./sector-mode.ts"

const BLOCK_SIZE = 16

/** Counter mode: each sector's IV is its first counter block, counted up as one 128-bit number. NIST SP 800-38A, 6.5. */
export function ctrMode(cipher: BlockCipher, kernels?: Kernels): SectorMode {
  return kernelMode(cipher, kernels) ?? plainMode(cipher)
}

function kernelMode(cipher: BlockCipher, kernels?: Kernels): SectorMode | undefined {
  const kernel = kernels && loadCtrKernel(kernels)
  const xorKernel = kernels && loadXorKernel(kernels)
  if (!kernels || !kernel || !xorKernel) return undefined
  const { bytes, work } = kernels
  const keystream = work + WORK_HALF_SIZE
  const workWindow = windowAt(bytes, work)
  const keystreamWindow = windowAt(bytes, keystream)
  const applyKeystream: PieceTransform = (source, target, sectorSize, ivs) => {
    const { length } = source
    bytes.set(ivs, work + WORK_IVS_OFFSET)
    kernel.count(keystream, work + WORK_IVS_OFFSET, sectorSize, ivs.length / BLOCK_SIZE)
    const stream = keystreamWindow(length)
    cipher.encryptBlocks(stream, stream)
    const targetAddress = kernels.addressOf(target)
    const at = targetAddress < 0 ? work : targetAddress
    let from = kernels.addressOf(source)
    if (from < 0) {
      bytes.set(source, at)
      from = at
    }
    xorKernel.xor(at, from, keystream, length)
    if (targetAddress < 0) target.set(workWindow(length))
  }
  return modeOf(cipher, applyKeystream, () => kernels.wipe())
}

function plainMode(cipher: BlockCipher): SectorMode {
  const work = createScratch()
  const keystream = createScratch()
  const applyKeystream: PieceTransform = (source, target, sectorSize, ivs) => {
    const stream = keystream.take(source.length)
    writeCounters(stream, sectorSize, ivs)
    cipher.encryptBlocks(stream, stream)
    const bytes = work.take(source.length)
    bytes.set(source)
    xorScratch(bytes, stream)
    target.set(bytes)
  }
  return modeOf(cipher, applyKeystream, () => {
    for (const owned of [work, keystream]) owned.wipe()
  })
}

/** Encryption and decryption are the same XOR. */
function modeOf(cipher: BlockCipher, applyKeystream: PieceTransform, wipe: () => void): SectorMode {
  return {
    ivSize: BLOCK_SIZE,
    encryptPiece: applyKeystream,
    decryptPiece: applyKeystream,
    destroy() {
      cipher.destroy()
      wipe()
    },
  }
}
