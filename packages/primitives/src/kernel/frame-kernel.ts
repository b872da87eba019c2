import { frameBinary } from "./frame-binary.ts"
import type { Kernels } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** Lays AEAD units into frames, in WebAssembly: see assembly/frame.ts. Addresses, and sizes in bytes. */
export interface FrameKernel {
  move(to: number, toStride: number, from: number, fromStride: number, size: number, count: number): void
  mask(
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    mask: number,
    maskStride: number,
    size: number,
    count: number,
  ): void
  pad(frames: number, stride: number, aads: number, aadSize: number, paddedSize: number, count: number): void
}

/** The kernel, once it gave the known answer; `undefined` if it did not. */
export const loadFrameKernel: (kernels: Kernels) => FrameKernel | undefined = oncePerEngine((kernels) => {
  const kernel = kernels.load(frameBinary) as unknown as FrameKernel
  return hasKnownAnswer(kernels, kernel) ? kernel : undefined
})

/** Two pieces of five bytes, padded, then XORed with one mask, then moved together. */
function hasKnownAnswer({ bytes, work }: Kernels, kernel: FrameKernel): boolean {
  const mask = work + 256
  bytes.fill(0xff, work, mask)
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], work + 128)
  bytes.fill(0x11, mask, mask + 16)
  kernel.pad(work, 32, work + 128, 5, 16, 2)
  kernel.mask(work + 64, 32, work, 32, mask, 0, 16, 2)
  kernel.move(work, 16, work + 64, 32, 16, 2)
  const expected = [1, 2, 3, 4, 5, ...Array<number>(11).fill(0), 6, 7, 8, 9, 10, ...Array<number>(11).fill(0)]
  return expected.every((byte, index) => bytes[work + index] === (byte ^ 0x11))
}
