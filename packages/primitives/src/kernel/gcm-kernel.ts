import { gcmBinary } from "./gcm-binary.ts"
import type { Kernels } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** What lies around the block cipher in GCM, in WebAssembly: see assembly/gcm.ts. Addresses, and sizes in bytes. */
export interface GcmKernel {
  counters(to: number, ivs: number, blockCount: number, unitCount: number): void
  lengths(to: number, stride: number, aadSize: number, unitSize: number, unitCount: number): void
  prepare(tables: number, hashKey: number, scratch: number): void
  hash(to: number, units: number, stride: number, blockCount: number, tables: number, scratch: number): void
}

/** Units that `hash` takes side by side. */
export const HASH_LANE_COUNT = 16
/** Bytes of the tables that `prepare` makes of a hash key. They are as secret as the key. */
export const HASH_TABLES_SIZE: number = 32 * 256
/** Bytes that `prepare` and `hash` work in. */
export const HASH_SCRATCH_SIZE: number = 5 * 256

/** The GCM specification, test case 2: hash key, ciphertext, GHASH; and the two counter blocks of a unit of one block. */
const HASH_KEY = [0x66, 0xe9, 0x4b, 0xd4, 0xef, 0x8a, 0x2c, 0x3b, 0x88, 0x4c, 0xfa, 0x59, 0xca, 0x34, 0x2b, 0x2e]
const CIPHERTEXT = [0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78]
const GHASH = [0xf3, 0x8c, 0xbb, 0x1a, 0xd6, 0x92, 0x23, 0xdc, 0xc3, 0x45, 0x7a, 0xe5, 0xb6, 0xb0, 0xf8, 0x85]
const COUNTERS = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 2]

/** The kernel, once it gave the known answers; `undefined` if it did not. */
export const loadGcmKernel: (kernels: Kernels) => GcmKernel | undefined = oncePerEngine((kernels) => {
  const kernel = kernels.load(gcmBinary) as unknown as GcmKernel
  return hasKnownHash(kernels, kernel) && hasKnownCounters(kernels, kernel) ? kernel : undefined
})

/** Every lane has the unit of the test case but one, which is all zeros and so hashes to zero. */
function hasKnownHash({ bytes, work }: Kernels, kernel: GcmKernel): boolean {
  const size = 32
  const zeroLane = 7
  const hashes = work + HASH_LANE_COUNT * size
  const tables = hashes + HASH_LANE_COUNT * 16
  const scratch = tables + HASH_TABLES_SIZE
  kernel.lengths(work + 16, size, 0, 16, HASH_LANE_COUNT)
  for (let lane = 0; lane < HASH_LANE_COUNT; lane++) bytes.set(CIPHERTEXT, work + lane * size)
  bytes.fill(0, work + zeroLane * size, work + (zeroLane + 1) * size)
  bytes.set(HASH_KEY, hashes)
  kernel.prepare(tables, hashes, scratch)
  kernel.hash(hashes, work, size, 2, tables, scratch)
  return bytes.subarray(hashes, tables).every((byte, index) => {
    return byte === (Math.floor(index / 16) === zeroLane ? 0 : GHASH[index % 16])
  })
}

function hasKnownCounters({ bytes, work }: Kernels, kernel: GcmKernel): boolean {
  bytes.fill(9, work, work + 64)
  kernel.counters(work, work + 32, 1, 1)
  return COUNTERS.every((byte, index) => bytes[work + index] === byte)
}
