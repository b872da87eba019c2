import { ADIANTUM_TWEAK_SIZE, adiantumHash, HASH_KEYS_SIZE } from "../adiantum-hash.ts"
import { XCHACHA_NONCE_SIZE, xchacha } from "../xchacha.ts"
import { adiantumBinary } from "./adiantum-binary.ts"
import type { Kernels } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** What lies around the block cipher in Adiantum, in WebAssembly: see assembly/adiantum.ts. Addresses, and sizes in bytes. */
export interface AdiantumKernel {
  add(
    sums: number,
    sectors: number,
    sectorSize: number,
    tweaks: number,
    keys: number,
    sectorCount: number,
    scratch: number,
  ): void
  subtract(
    sectors: number,
    sums: number,
    sectorSize: number,
    tweaks: number,
    keys: number,
    sectorCount: number,
    scratch: number,
  ): void
  mask(
    target: number,
    source: number,
    sectorSize: number,
    nonces: number,
    key: number,
    doubleRoundCount: number,
    sectorCount: number,
    scratch: number,
  ): void
}

const BLOCK_SIZE = 16
const KEY_SIZE = 32
const ROUND_COUNTS = [12, 20] as const

/** The kernel, once it agreed with the TypeScript that it stands in for; `undefined` if it did not. */
export const loadAdiantumKernel: (kernels: Kernels) => AdiantumKernel | undefined = oncePerEngine((kernels) => {
  const kernel = kernels.load(adiantumBinary) as unknown as AdiantumKernel
  // Five sectors take two rounds of four lanes; a left part of more than 2048 bytes takes NH three times.
  return agrees(kernels, kernel, 96, 5) && agrees(kernels, kernel, 2400, 1) ? kernel : undefined
})

/** Bytes of every value, large ones in front: sums of them carry. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 255 - index * 7 - seed)
}

function agrees({ bytes, work }: Kernels, kernel: AdiantumKernel, sectorSize: number, sectorCount: number): boolean {
  const sectors = pattern(sectorSize * sectorCount, 0)
  const tweaks = pattern(ADIANTUM_TWEAK_SIZE * sectorCount, 1)
  const keys = pattern(KEY_SIZE + HASH_KEYS_SIZE, 2)
  const sums = work + 16 * 1024
  const tweakArea = sums + 1024
  const keyArea = tweakArea + 1024
  const scratch = keyArea + 2048
  const hashKeys = keyArea + KEY_SIZE
  bytes.set(sectors, work)
  bytes.set(tweaks, tweakArea)
  bytes.set(keys, keyArea)
  const hash = adiantumHash(keys.subarray(KEY_SIZE))
  const expectedSums = new Uint8Array(BLOCK_SIZE * sectorCount)
  for (const roundCount of ROUND_COUNTS) {
    const stream = xchacha(keys.subarray(0, KEY_SIZE), roundCount)
    for (let sector = 0; sector < sectorCount; sector++) {
      const start = sector * sectorSize
      const left = sectors.subarray(start, start + sectorSize - BLOCK_SIZE)
      const right = sectors.subarray(start + left.length, start + sectorSize)
      const tweak = tweaks.subarray(sector * ADIANTUM_TWEAK_SIZE, (sector + 1) * ADIANTUM_TWEAK_SIZE)
      const sum = hash.addTo(right, left, tweak)
      expectedSums.set(sum, sector * BLOCK_SIZE)
      const nonce = new Uint8Array(XCHACHA_NONCE_SIZE)
      nonce.set(sum)
      nonce[BLOCK_SIZE] = 1
      stream.mask(left, nonce)
      right.set(hash.subtractFrom(sum, left, tweak))
    }
    kernel.add(sums, work, sectorSize, tweakArea, hashKeys, sectorCount, scratch)
    if (expectedSums.some((byte, index) => byte !== bytes[sums + index])) return false
    kernel.mask(work, work, sectorSize, sums, keyArea, roundCount / 2, sectorCount, scratch)
    kernel.subtract(work, sums, sectorSize, tweakArea, hashKeys, sectorCount, scratch)
    if (sectors.some((byte, index) => byte !== bytes[work + index])) return false
  }
  return true
}
