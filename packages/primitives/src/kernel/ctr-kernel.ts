import { writeCounters } from "../counters.ts"
import { ctrBinary } from "./ctr-binary.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** Counter blocks, in WebAssembly: see assembly/ctr.ts. Everything is an address. */
export interface CtrKernel {
  count(target: number, ivs: number, sectorSize: number, sectorCount: number): void
}

/** Two blocks short of a carry into the upper half, and of the end. */
const IVS = [
  [7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
].flat()
const SECTOR_SIZE = 64

/** The kernel, once it agreed with the TypeScript that it stands in for; `undefined` if it did not. */
export const loadCtrKernel: (kernels: Kernels) => CtrKernel | undefined = oncePerEngine((kernels) => {
  const { bytes, work } = kernels
  const kernel = kernels.load(ctrBinary) as unknown as CtrKernel
  const expected = new Uint8Array(2 * SECTOR_SIZE)
  writeCounters(expected, SECTOR_SIZE, Uint8Array.from(IVS))
  bytes.fill(0, work, work + expected.length)
  bytes.set(IVS, work + WORK_HALF_SIZE)
  kernel.count(work, work + WORK_HALF_SIZE, SECTOR_SIZE, 2)
  return expected.every((byte, index) => byte === bytes[work + index]) ? kernel : undefined
})
