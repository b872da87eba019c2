import type { Kernels } from "./kernels.ts"
import { xtsBinary } from "./xts-binary.ts"

/** What lies around the block cipher in XTS, in WebAssembly: see assembly/xts.ts. Everything is an address. */
export interface XtsKernel {
  mask(target: number, source: number, tweaks: number, sectorSize: number, sectorCount: number): void
}

const BLOCK_SIZE = 16
/** A tweak of x^127 + 1, and its next two doublings: x^128 + x = x^7 + x^2 + 1, then x^8 + x^3 + x. */
const CHAIN: readonly (readonly number[])[] = [
  [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80],
  [0x85, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0x0a, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0x14, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0x28, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
]

/** The kernel, once it gave the known answer; `undefined` if it did not, and then the mode runs without it. */
export function loadXtsKernel(kernels: Kernels): XtsKernel | undefined {
  const kernel = kernels.load(xtsBinary) as unknown as XtsKernel
  // Nine sectors of five blocks take the path of eight and that of one; sectors of four blocks have one of their own.
  return hasKnownAnswer(kernels, kernel, 5, 9) && hasKnownAnswer(kernels, kernel, 4, 1) ? kernel : undefined
}

/** Masked zeroes are the tweaks themselves. */
function hasKnownAnswer({ bytes, work }: Kernels, kernel: XtsKernel, blockCount: number, sectorCount: number): boolean {
  const sectorSize = blockCount * BLOCK_SIZE
  const tweaks = work + sectorSize * sectorCount
  bytes.fill(0, work, tweaks)
  for (let sector = 0; sector < sectorCount; sector++) bytes.set(CHAIN[0] ?? [], tweaks + sector * BLOCK_SIZE)
  kernel.mask(work, work, tweaks, sectorSize, sectorCount)
  const expected = CHAIN.slice(0, blockCount).flat()
  return bytes.subarray(work, tweaks).every((byte, index) => byte === expected[index % sectorSize])
}
