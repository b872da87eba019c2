import type { Kernels } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"
import { xorBinary } from "./xor-binary.ts"

/** XOR of two pieces of memory, in WebAssembly: see assembly/xor.ts. Everything is an address. */
export interface XorKernel {
  xor(target: number, first: number, second: number, length: number): void
}

/** Two strides of 64 bytes and two of 16. */
const LENGTH = 160

/** The kernel, once it gave the known answer; `undefined` if it did not. */
export const loadXorKernel: (kernels: Kernels) => XorKernel | undefined = oncePerEngine((kernels) => {
  const { bytes, work } = kernels
  const kernel = kernels.load(xorBinary) as unknown as XorKernel
  const data = bytes.subarray(work, work + 2 * LENGTH)
  data.forEach((_, index) => {
    data[index] = (index * 7) % 251
  })
  const expected = data.slice(0, LENGTH).map((byte, index) => byte ^ (data[LENGTH + index] ?? 0))
  kernel.xor(work, work, work + LENGTH, LENGTH)
  return expected.every((byte, index) => data[index] === byte) ? kernel : undefined
})
