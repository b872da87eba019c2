import type { AeadBatch, AeadCipher } from "@blockstrata/primitives"
import type { CryptBatch } from "./aead-batch.ts"
import type { CipherSpec } from "./cipher-spec.ts"
import type { CryptParts } from "./crypt-parts.ts"
import { essivCipher } from "./essiv.ts"
import type { IvGenerator } from "./iv.ts"
import { ivGenerator, sectorEncryption } from "./sector-encryption.ts"

/** What a volume over a tag store works with: an AEAD, or a sector cipher whose IVs are stored and that makes no tags. */
export interface UnitCipher {
  readonly iv: IvGenerator
  /** Encrypts the sectors that begin at `offset` bytes, and fills the tags. The IVs stay as they are if they are stored. */
  encrypt(offset: number, batch: CryptBatch): void
  /** The index of the first sector that is not authentic, or -1. */
  decrypt(offset: number, batch: CryptBatch): number
  destroy(): void
}

/** The cipher of a specification with stored metadata, of which `authTagSize` bytes are a tag. */
export function unitCipher(parts: CryptParts, spec: CipherSpec, authTagSize: number): UnitCipher {
  return spec.isAead ? aeadUnits(parts, spec, authTagSize) : taglessUnits(parts, spec)
}

function aeadUnits(parts: CryptParts, spec: CipherSpec, authTagSize: number): UnitCipher {
  const { key, engine } = parts
  const cipher = aeadCipher(parts, spec, authTagSize)
  const ivCipher = essivCipher(spec.essivHashes, key, engine, (salt) => engine.blockCipher("aes", salt))
  const iv = ivGenerator(parts, spec, undefined)
  return {
    iv,
    encrypt(_offset, batch) {
      // What is authenticated is the IV that is used: after ESSIV.
      ivCipher?.encrypt(batch.ivs)
      batch.setIvsInAads()
      cipher.encryptUnits(batch)
    },
    decrypt(_offset, batch) {
      ivCipher?.encrypt(batch.ivs)
      batch.setIvsInAads()
      return cipher.decryptUnits(batch)
    },
    destroy() {
      cipher.destroy()
      ivCipher?.destroy()
      iv.destroy()
    },
  }
}

function aeadCipher({ key, engine }: CryptParts, { algorithm }: CipherSpec, tagSize: number): AeadCipher {
  if (algorithm.kind === "aead") {
    if (algorithm.saltSize === 0) return engine.aeadCipher(algorithm.name, key)
    const cut = key.length - algorithm.saltSize
    return saltedCipher(engine.aeadCipher(algorithm.name, key.subarray(0, cut)), key.subarray(cut))
  }
  if (algorithm.kind !== "authenc") throw new RangeError("crypt: a sector cipher is no AEAD")
  const { hash, mode, macKeySize } = algorithm
  const cipherKeySize = key.length - macKeySize
  return engine.authenc({
    hash,
    macKey: key.subarray(cipherKeySize),
    cipher: `aes-${mode}`,
    cipherKey: key.subarray(0, cipherKeySize),
    tagSize,
  })
}

function taglessUnits(parts: CryptParts, spec: CipherSpec): UnitCipher {
  const sectors = sectorEncryption(parts, spec)
  return {
    iv: sectors.iv,
    encrypt(offset, { source, target, ivs }) {
      sectors.encrypt(offset, source, target, new Uint8Array(ivs))
    },
    decrypt(offset, { source, target, ivs }) {
      sectors.decrypt(offset, source, target, new Uint8Array(ivs))
      return -1
    },
    destroy: () => sectors.destroy(),
  }
}

/** RFC 4309: each IV of the cipher is the salt, then the IV of the sector. */
function saltedCipher(cipher: AeadCipher, keySalt: Uint8Array): AeadCipher {
  const salt = new Uint8Array(keySalt)
  const ivSize = cipher.ivSize - salt.length
  const salted = (batch: AeadBatch): AeadBatch => {
    const ivs = new Uint8Array((batch.ivs.length / ivSize) * cipher.ivSize)
    for (let from = 0, to = 0; to < ivs.length; from += ivSize, to += cipher.ivSize) {
      ivs.set(salt, to)
      ivs.set(batch.ivs.subarray(from, from + ivSize), to + salt.length)
    }
    return { ...batch, ivs }
  }
  return {
    ivSize,
    tagSize: cipher.tagSize,
    encryptUnits: (batch) => cipher.encryptUnits(salted(batch)),
    decryptUnits: (batch) => cipher.decryptUnits(salted(batch)),
    destroy() {
      salt.fill(0)
      cipher.destroy()
    },
  }
}
