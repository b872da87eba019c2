import type { AeadBatch, AeadCipher, BlockCipher, HashBatch, SectorCipher, UnitHash } from "./engine.ts"
import { requireBytes, requireLength, requireMultiple, requirePair, requireSize } from "./misuse.ts"

const BLOCK_SIZE = 16
/** Bytes of the largest sector: the largest block of a device. It bounds the scratch of a mode. */
const SECTOR_SIZE_MAX = 1024 * 1024
/** Bytes of an AEAD's unit, and of its AAD: CCM has four bytes for either size. */
const AEAD_SIZE_MAX = 2 ** 32 - 1

/** What only a living object does; `destroy` is idempotent. */
interface Lifetime {
  check(): void
  destroy(): void
}

function lifetimeOf(owned: { destroy(): void }, what: string): Lifetime {
  let isDestroyed = false
  return {
    check() {
      if (isDestroyed) throw new TypeError(`${what}: used after destroy`)
    },
    destroy() {
      if (isDestroyed) return
      isDestroyed = true
      owned.destroy()
    },
  }
}

/** The one place where the arguments of a block cipher are checked. */
export function guardBlockCipher(cipher: BlockCipher): BlockCipher {
  const lifetime = lifetimeOf(cipher, "block cipher")
  function check(source: Uint8Array, target: Uint8Array): void {
    lifetime.check()
    requirePair(source, target)
    requireMultiple("source", source, cipher.blockSize)
  }
  return {
    blockSize: cipher.blockSize,
    encryptBlocks(source, target) {
      check(source, target)
      cipher.encryptBlocks(source, target)
    },
    decryptBlocks(source, target) {
      check(source, target)
      cipher.decryptBlocks(source, target)
    },
    destroy: lifetime.destroy,
  }
}

/** The one place where the arguments of a sector cipher are checked. */
export function guardSectorCipher(cipher: SectorCipher): SectorCipher {
  const lifetime = lifetimeOf(cipher, "sector cipher")
  function check(source: Uint8Array, target: Uint8Array, sectorSize: number, ivs: Uint8Array): void {
    lifetime.check()
    requirePair(source, target)
    requireSize("sector size", sectorSize, BLOCK_SIZE, BLOCK_SIZE, SECTOR_SIZE_MAX)
    requireMultiple("source", source, sectorSize)
    requireLength("ivs", ivs, (source.length / sectorSize) * cipher.ivSize)
  }
  return {
    ivSize: cipher.ivSize,
    encryptSectors(source, target, sectorSize, ivs) {
      check(source, target, sectorSize, ivs)
      cipher.encryptSectors(source, target, sectorSize, ivs)
    },
    decryptSectors(source, target, sectorSize, ivs) {
      check(source, target, sectorSize, ivs)
      cipher.decryptSectors(source, target, sectorSize, ivs)
    },
    destroy: lifetime.destroy,
  }
}

/** The one place where the arguments of an AEAD are checked; `hasSectors` if its units are sectors of a block cipher. */
export function guardAeadCipher(cipher: AeadCipher, hasSectors: boolean): AeadCipher {
  const lifetime = lifetimeOf(cipher, "AEAD cipher")
  function check({ source, target, unitSize, ivs, aads, tags }: AeadBatch): void {
    lifetime.check()
    requirePair(source, target)
    if (hasSectors) requireSize("unit size", unitSize, BLOCK_SIZE, BLOCK_SIZE, SECTOR_SIZE_MAX)
    else requireSize("unit size", unitSize, 1, 0, AEAD_SIZE_MAX)
    requireMultiple("tags", tags, cipher.tagSize)
    const unitCount = tags.length / cipher.tagSize
    requireLength("source", source, unitCount * unitSize)
    requireLength("ivs", ivs, unitCount * cipher.ivSize)
    requirePieces("aads", aads, unitCount)
    if (unitCount > 0) requireSize("AAD size", aads.length / unitCount, 1, 0, AEAD_SIZE_MAX)
  }
  return {
    ivSize: cipher.ivSize,
    tagSize: cipher.tagSize,
    encryptUnits(batch) {
      check(batch)
      cipher.encryptUnits(batch)
    },
    decryptUnits(batch) {
      check(batch)
      return cipher.decryptUnits(batch)
    },
    destroy: lifetime.destroy,
  }
}

/** The one place where the arguments of a hash are checked. */
export function guardUnitHash(hash: UnitHash): UnitHash {
  const lifetime = lifetimeOf(hash, "hash")
  function check(batch: HashBatch, tags: Uint8Array): void {
    const { data, unitSize, prefix, heads, suffix, tagSize = hash.digestSize } = batch
    lifetime.check()
    requireSize("unit size", unitSize, 1, 0, Number.MAX_SAFE_INTEGER)
    requireSize("tag size", tagSize, 1, 1, Number.MAX_SAFE_INTEGER)
    requireMultiple("tags", tags, tagSize)
    const unitCount = tags.length / tagSize
    requireLength("data", data, unitCount * unitSize)
    if (prefix !== undefined) requireBytes("prefix", prefix)
    if (heads !== undefined) requirePieces("heads", heads, unitCount)
    if (suffix !== undefined) requireBytes("suffix", suffix)
  }
  return {
    digestSize: hash.digestSize,
    digest(...parts) {
      lifetime.check()
      for (const part of parts) requireBytes("digest", part)
      return hash.digest(...parts)
    },
    digestUnits(batch, tags) {
      check(batch, tags)
      hash.digestUnits(batch, tags)
    },
    verifyUnits(batch, tags) {
      check(batch, tags)
      return hash.verifyUnits(batch, tags)
    },
    destroy: lifetime.destroy,
  }
}

/** `bytes` divides into one piece of equal size per unit. */
function requirePieces(what: string, bytes: Uint8Array, unitCount: number): void {
  if (unitCount === 0) requireLength(what, bytes, 0)
  else requireMultiple(what, bytes, unitCount)
}
