import { cbcBinary } from "./cbc-binary.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** What lies around the block cipher in CBC, in WebAssembly: see assembly/cbc.ts. Everything is an address. */
export interface CbcKernel {
  open(target: number, deciphered: number, source: number, ivs: number, sectorSize: number, sectorCount: number): void
  take(lanes: number, block: number, sectorSize: number, sectorCount: number): void
  put(lanes: number, block: number, sectorSize: number, sectorCount: number): void
  step(lanes: number, block: number, sectorSize: number, sectorCount: number): void
}

const SECTOR_SIZE = 48
const SECTOR_COUNT = 3

/** The kernel, once what it chained came back; `undefined` if it did not. The block cipher here changes nothing. */
export const loadCbcKernel: (kernels: Kernels) => CbcKernel | undefined = oncePerEngine((kernels) => {
  const { bytes, work } = kernels
  const kernel = kernels.load(cbcBinary) as unknown as CbcKernel
  const lanes = work + WORK_HALF_SIZE
  const ivs = lanes + 1024
  const data = bytes.subarray(work, work + SECTOR_SIZE * SECTOR_COUNT)
  const plaintext = data.map((_, index) => (index * 7) % 251)
  const ivBytes = Uint8Array.from({ length: 16 * SECTOR_COUNT }, (_, index) => 3 * index)
  // Each block is the sum of all before it and the IV.
  const expected = plaintext.map((_, index) => {
    const sector = Math.floor(index / SECTOR_SIZE)
    let sum = ivBytes[sector * 16 + (index % 16)] ?? 0
    for (let at = sector * SECTOR_SIZE + (index % 16); at <= index; at += 16) sum ^= plaintext[at] ?? 0
    return sum
  })
  const isEqual = (wanted: Uint8Array) => wanted.every((byte, index) => byte === data[index])

  data.set(plaintext)
  bytes.set(ivBytes, lanes)
  kernel.take(lanes, work, SECTOR_SIZE, SECTOR_COUNT)
  kernel.step(lanes, work, SECTOR_SIZE, SECTOR_COUNT)
  kernel.step(lanes, work + 16, SECTOR_SIZE, SECTOR_COUNT)
  kernel.put(lanes, work + 32, SECTOR_SIZE, SECTOR_COUNT)
  if (!isEqual(expected)) return undefined
  bytes.set(ivBytes, ivs)
  bytes.set(data, lanes)
  kernel.open(work, work, lanes, ivs, SECTOR_SIZE, SECTOR_COUNT)
  return isEqual(plaintext) ? kernel : undefined
})
