import { lrwProducts, writeLrwTweaks } from "../lrw-tweaks.ts"
import { type Kernels, WORK_HALF_SIZE, WORK_TABLE_OFFSET } from "./kernels.ts"
import { lrwBinary } from "./lrw-binary.ts"
import { oncePerEngine } from "./once.ts"

/** What lies before the block cipher in LRW, in WebAssembly: see assembly/lrw.ts. Everything is an address. */
export interface LrwKernel {
  mask(
    target: number,
    source: number,
    kept: number,
    products: number,
    ivs: number,
    sectorSize: number,
    sectorCount: number,
  ): void
}

const KEY = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 - index)
/** Two blocks short of a carry into the upper half, and of the end. */
const IVS = [
  [7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
].flat()
const SECTOR_SIZE = 64
const LENGTH = 2 * SECTOR_SIZE

/** The kernel, once it agreed with the TypeScript that it stands in for; `undefined` if it did not. */
export const loadLrwKernel: (kernels: Kernels) => LrwKernel | undefined = oncePerEngine((kernels) => {
  const { bytes, work } = kernels
  const kernel = kernels.load(lrwBinary) as unknown as LrwKernel
  const products = lrwProducts(KEY)
  const expected = new Uint8Array(LENGTH)
  writeLrwTweaks(expected, SECTOR_SIZE, Uint8Array.from(IVS), products)
  const [kept, table] = [work + WORK_HALF_SIZE, work + WORK_TABLE_OFFSET]
  bytes.fill(0, work, work + LENGTH)
  bytes.set(IVS, work + LENGTH)
  bytes.set(products, table)
  kernel.mask(work, work, kept, table, work + LENGTH, SECTOR_SIZE, 2)
  return expected.every((byte, at) => byte === bytes[work + at] && byte === bytes[kept + at]) ? kernel : undefined
})
