import { ADIANTUM_TWEAK_SIZE, adiantumHash, HASH_KEYS_SIZE } from "./adiantum-hash.ts"
import type { BlockCipher } from "./engine.ts"
import { type AdiantumKernel, loadAdiantumKernel } from "./kernel/adiantum-kernel.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernel/kernels.ts"
import { windowAt } from "./kernel/window.ts"
import { createScratch } from "./scratch.ts"
import type { PieceTransform, SectorMode } from "./sector-mode.ts"
import { type ChachaRoundCount, XCHACHA_NONCE_SIZE, xchacha } from "./xchacha.ts"

const BLOCK_SIZE = 16
const KEY_SIZE = 32
const KIB = 1024

/**
 * The second half of the work area, as a piece uses it.
 *
 * | offset  | bytes        | what                                                                 |
 * |       0 | 128 KiB + 48 | each sector's middle block; what lies behind is read, not used       |
 * | 192 KiB | 256 KiB      | tweaks                                                               |
 * | 448 KiB | 1136         | keys: XChaCha's, then those of the hash                              |
 * | 512 KiB | 32 KiB       | scratch: 32 bytes for each 1024 of a sector                          |
 */
const MIDDLES: number = WORK_HALF_SIZE
const TWEAKS: number = MIDDLES + 192 * KIB
const KEYS: number = MIDDLES + 448 * KIB
const SCRATCH: number = MIDDLES + 512 * KIB

/** What the key of a sector cipher stands for. */
interface AdiantumKeys {
  readonly stream: Uint8Array
  readonly hash: Uint8Array
  readonly roundCount: ChachaRoundCount
}

/**
 * Adiantum with AES-256 and XChaCha: a change of any bit of a sector or its IV, of 32 bytes, changes all of the sector. The
 * last block of a sector is enciphered with the hash of the rest in it, the rest is masked under what came out of it, and
 * the hash of that is taken out again. All blocks of a piece are enciphered at once. `aes` takes a key of 32 bytes.
 * Crowley, Biggers: "Adiantum: length-preserving encryption for entry-level processors", ToSC 2018, issue 4.
 */
export function adiantumMode(
  aes: (key: Uint8Array) => BlockCipher,
  key: Uint8Array,
  roundCount: ChachaRoundCount,
  kernels?: Kernels,
): SectorMode {
  // The keys: XChaCha's keystream under the nonce 1, 0 ...
  const derived = new Uint8Array(KEY_SIZE + HASH_KEYS_SIZE)
  const derivation = xchacha(key, roundCount)
  derivation.mask(derived, nonceAfter(new Uint8Array(0)))
  derivation.destroy()
  const cipher = aes(derived.subarray(0, KEY_SIZE))
  const keys = { stream: new Uint8Array(key), hash: Uint8Array.from(derived.subarray(KEY_SIZE)), roundCount }
  derived.fill(0)
  const kernel = kernels && loadAdiantumKernel(kernels)
  return kernels && kernel ? kernelMode(cipher, keys, kernels, kernel) : plainMode(cipher, keys)
}

/** A nonce of XChaCha: `start`, a one, and zeroes. */
function nonceAfter(start: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(XCHACHA_NONCE_SIZE)
  nonce.set(start)
  nonce[start.length] = 1
  return nonce
}

/** In place where the caller's memory is the kernels' own, else by way of the work area. */
function kernelMode(cipher: BlockCipher, keys: AdiantumKeys, kernels: Kernels, kernel: AdiantumKernel): SectorMode {
  const { bytes, work } = kernels
  const [middles, tweaks, scratch] = [work + MIDDLES, work + TWEAKS, work + SCRATCH]
  const [streamKey, hashKeys] = [work + KEYS, work + KEYS + KEY_SIZE]
  const doubleRoundCount = keys.roundCount / 2
  const workWindow = windowAt(bytes, work)
  const middlesWindow = windowAt(bytes, middles)
  function by(isEncryption: boolean): PieceTransform {
    return (source, target, sectorSize, ivs) => {
      const sectorCount = source.length / sectorSize
      const targetAddress = kernels.addressOf(target)
      const at = targetAddress < 0 ? work : targetAddress
      let from = kernels.addressOf(source)
      if (from < 0) {
        bytes.set(source, at)
        from = at
      }
      bytes.set(ivs, tweaks)
      bytes.set(keys.stream, streamKey)
      bytes.set(keys.hash, hashKeys)
      kernel.add(middles, from, sectorSize, tweaks, hashKeys, sectorCount, scratch)
      const blocks = middlesWindow(sectorCount * BLOCK_SIZE)
      if (isEncryption) cipher.encryptBlocks(blocks, blocks)
      kernel.mask(at, from, sectorSize, middles, streamKey, doubleRoundCount, sectorCount, scratch)
      if (!isEncryption) cipher.decryptBlocks(blocks, blocks)
      kernel.subtract(at, middles, sectorSize, tweaks, hashKeys, sectorCount, scratch)
      if (targetAddress < 0) target.set(workWindow(source.length))
    }
  }
  return {
    ivSize: ADIANTUM_TWEAK_SIZE,
    encryptPiece: by(true),
    decryptPiece: by(false),
    destroy() {
      cipher.destroy()
      wipeKeys(keys)
      kernels.wipe()
    },
  }
}

/** In TypeScript. */
function plainMode(cipher: BlockCipher, keys: AdiantumKeys): SectorMode {
  const hash = adiantumHash(keys.hash)
  const stream = xchacha(keys.stream, keys.roundCount)
  const work = createScratch()
  const middles = createScratch()
  function by(isEncryption: boolean): PieceTransform {
    return (source, target, sectorSize, ivs) => {
      const bytes = work.take(source.length)
      bytes.set(source)
      const sectorCount = source.length / sectorSize
      const blocks = middles.take(sectorCount * BLOCK_SIZE)
      const tweakOf = (sector: number) => part(ivs, sector, ADIANTUM_TWEAK_SIZE)
      const leftOf = (sector: number) => part(bytes, sector, sectorSize).subarray(0, -BLOCK_SIZE)
      const rightOf = (sector: number) => part(bytes, sector, sectorSize).subarray(-BLOCK_SIZE)
      const middleOf = (sector: number) => part(blocks, sector, BLOCK_SIZE)
      for (let sector = 0; sector < sectorCount; sector++) {
        middleOf(sector).set(hash.addTo(rightOf(sector), leftOf(sector), tweakOf(sector)))
      }
      if (isEncryption) cipher.encryptBlocks(blocks, blocks)
      for (let sector = 0; sector < sectorCount; sector++) stream.mask(leftOf(sector), nonceAfter(middleOf(sector)))
      if (!isEncryption) cipher.decryptBlocks(blocks, blocks)
      for (let sector = 0; sector < sectorCount; sector++) {
        rightOf(sector).set(hash.subtractFrom(middleOf(sector), leftOf(sector), tweakOf(sector)))
      }
      target.set(bytes)
    }
  }
  return {
    ivSize: ADIANTUM_TWEAK_SIZE,
    encryptPiece: by(true),
    decryptPiece: by(false),
    destroy() {
      cipher.destroy()
      wipeKeys(keys)
      for (const owned of [hash, stream]) owned.destroy()
      for (const owned of [work, middles]) owned.wipe()
    },
  }
}

function part(bytes: Uint8Array, index: number, size: number): Uint8Array {
  return bytes.subarray(index * size, (index + 1) * size)
}

function wipeKeys(keys: AdiantumKeys): void {
  keys.stream.fill(0)
  keys.hash.fill(0)
}
