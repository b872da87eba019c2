import { TWEAK_SIZE, writeXtsTweaks } from "../xts-tweaks.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"
import { xtsBinary } from "./xts-binary.ts"

/** What lies before the block cipher in XTS, in WebAssembly: see assembly/xts.ts. Everything is an address. */
export interface XtsKernel {
  mask(target: number, source: number, kept: number, tweaks: number, sectorSize: number, sectorCount: number): void
}

/** A tweak of x^127 + x^63 + 1: its first doubling carries from half to half and around. */
const TWEAK = [1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80]

/** The kernel, once it agreed with the TypeScript that it stands in for; `undefined` if it did not. */
export const loadXtsKernel: (kernels: Kernels) => XtsKernel | undefined = oncePerEngine((kernels) => {
  const kernel = kernels.load(xtsBinary) as unknown as XtsKernel
  // Nine sectors take the path of eight and that of one; a sector of more than 4096 bytes has one of its own.
  return agrees(kernels, kernel, 80, 9) && agrees(kernels, kernel, 2 * 4096 + 48, 1) ? kernel : undefined
})

/** Masked zeroes are the tweaks themselves. */
function agrees({ bytes, work }: Kernels, kernel: XtsKernel, sectorSize: number, sectorCount: number): boolean {
  const length = sectorSize * sectorCount
  const kept = work + WORK_HALF_SIZE
  const first = new Uint8Array(Array.from({ length: sectorCount }, () => TWEAK).flat())
  const expected = new Uint8Array(length)
  writeXtsTweaks(expected, sectorSize, first)
  bytes.fill(0, work, work + length)
  bytes.set(first, work + length)
  kernel.mask(work, work, kept, work + length, sectorSize, first.length / TWEAK_SIZE)
  return expected.every((byte, index) => byte === bytes[work + index] && byte === bytes[kept + index])
}
