import type { BlockCipher, Engine, HmacHashName, SectorCipher } from "@blockstrata/primitives"

/** Encrypts IVs where they stand: for each `essiv` template around a cipher once. */
export interface IvCipher {
  encrypt(ivs: Uint8Array): void
  destroy(): void
}

/**
 * `essiv:hash`: IVs under hash(key), with the block cipher of the sectors. One call of it for a whole batch.
 *
 * @param hashes of the templates around the cipher, outermost first; undefined comes back if there are none.
 */
export function essivCipher(
  hashes: readonly HmacHashName[],
  key: Uint8Array,
  engine: Engine,
  createBlock: (key: Uint8Array) => BlockCipher,
): IvCipher | undefined {
  if (hashes.length === 0) return undefined
  const ciphers = hashes.map((name) => saltCipher(name, key, engine, createBlock))
  return {
    encrypt(ivs) {
      for (const cipher of ciphers) cipher.encryptBlocks(ivs, ivs)
    },
    destroy() {
      for (const cipher of ciphers) cipher.destroy()
    },
  }
}

function saltCipher(
  name: HmacHashName,
  key: Uint8Array,
  engine: Engine,
  createBlock: (key: Uint8Array) => BlockCipher,
): BlockCipher {
  const hash = engine.hash(name)
  const salt = hash.digest(key)
  try {
    return createBlock(salt)
  } finally {
    salt.fill(0)
    hash.destroy()
  }
}

/** A sector cipher whose IVs are encrypted first, where they stand: its callers' IVs change. */
export function withEssiv(cipher: SectorCipher, ivCipher: IvCipher | undefined): SectorCipher {
  if (ivCipher === undefined) return cipher
  return {
    ivSize: cipher.ivSize,
    encryptSectors(source, target, sectorSize, ivs) {
      ivCipher.encrypt(ivs)
      cipher.encryptSectors(source, target, sectorSize, ivs)
    },
    decryptSectors(source, target, sectorSize, ivs) {
      ivCipher.encrypt(ivs)
      cipher.decryptSectors(source, target, sectorSize, ivs)
    },
    destroy() {
      cipher.destroy()
      ivCipher.destroy()
    },
  }
}
