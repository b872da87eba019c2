import { type BlockCipher, type SectorCipher, sectorCipherOver } from "@blockstrata/primitives"
import type { CipherSpec } from "./cipher-spec.ts"
import type { SectorParts } from "./crypt-parts.ts"
import { elephantPass } from "./elephant-pass.ts"
import { essivCipher, withEssiv } from "./essiv.ts"
import { eboivIv, type IvGenerator, nullIv, randomIv, sectorNumberIv } from "./iv.ts"
import { divideKey } from "./key-layout.ts"
import { keyedSectors } from "./keyed-sectors.ts"
import { lmkPass } from "./lmk-pass.ts"
import type { SectorPass } from "./sector-pass.ts"
import { tcwPass } from "./tcw-pass.ts"

/** What turns the sectors of a volume into ciphertext and back, all keys and IVs in it. */
export interface SectorEncryption {
  /** What an IV is before it is used: what stands in the metadata if it is random. */
  readonly iv: IvGenerator
  /** The sectors that begin at `offset` bytes. `ivs` may change. */
  encrypt(offset: number, source: Uint8Array, target: Uint8Array, ivs: Uint8Array): void
  decrypt(offset: number, source: Uint8Array, target: Uint8Array, ivs: Uint8Array): void
  destroy(): void
}

/** The encryption of a specification without an AEAD. `parts.key` is of a size that the specification takes. */
export function sectorEncryption(parts: SectorParts, spec: CipherSpec): SectorEncryption {
  const { cipherKeys, ivKey } = divideKey(parts.key, spec)
  const ciphers = cipherKeys.map((key) => sectorCipher(parts, spec, key))
  const [first] = ciphers
  if (first === undefined) throw new RangeError("crypt: a volume has at least one key")
  const pass = sectorPass(parts, spec, first, ivKey)
  // What a pass makes it makes from the sectors.
  const iv = pass === undefined ? ivGenerator(parts, spec, first) : { ivSize: pass.ivSize, fill() {}, destroy() {} }
  const plain = keyedEncryption(ciphers, iv, parts)
  return pass === undefined ? plain : withPass(plain, pass)
}

/** Each sector under its key. */
function keyedEncryption(ciphers: readonly SectorCipher[], iv: IvGenerator, parts: SectorParts): SectorEncryption {
  const { sectorSize } = parts
  const { ivSize } = iv
  const sectors = keyedSectors(ciphers, parts)
  return {
    iv,
    encrypt: (offset, source, target, ivs) =>
      sectors.forEachKey({ offset, source, target, ivs, ivSize }, (cipher, batch) =>
        cipher.encryptSectors(batch.source, batch.target, sectorSize, batch.ivs),
      ),
    decrypt: (offset, source, target, ivs) =>
      sectors.forEachKey({ offset, source, target, ivs, ivSize }, (cipher, batch) =>
        cipher.decryptSectors(batch.source, batch.target, sectorSize, batch.ivs),
      ),
    destroy() {
      for (const cipher of ciphers) cipher.destroy()
      iv.destroy()
      sectors.wipe()
    },
  }
}

function withPass(encryption: SectorEncryption, pass: SectorPass): SectorEncryption {
  return {
    iv: encryption.iv,
    encrypt(offset, source, target, ivs) {
      pass.beforeEncrypt(offset, source, target, ivs)
      encryption.encrypt(offset, target, target, ivs)
      pass.afterEncrypt(offset, target)
    },
    decrypt(offset, source, target, ivs) {
      if (source !== target) target.set(source)
      pass.beforeDecrypt(offset, target, ivs)
      encryption.decrypt(offset, target, target, ivs)
      pass.afterDecrypt(offset, target, ivs)
    },
    destroy() {
      encryption.destroy()
      pass.destroy()
    },
  }
}

/** What an IV does to the data; undefined if it only makes IVs. */
function sectorPass(
  parts: SectorParts,
  { iv }: CipherSpec,
  cipher: SectorCipher,
  ivKey: Uint8Array | undefined,
): SectorPass | undefined {
  if (iv === "lmk") return lmkPass(parts, ivKey)
  if (ivKey === undefined) return undefined
  return iv === "tcw" ? tcwPass(parts, ivKey) : elephantPass(parts, eboivIv(parts, cipher), ivKey, parts.engine)
}

/** The IVs of a specification; `cipher` is that of the volume's first key. */
export function ivGenerator(parts: SectorParts, spec: CipherSpec, cipher: SectorCipher | undefined): IvGenerator {
  const { iv, ivSize, blockSize } = spec
  if (iv === "none" || iv === "null") return nullIv(ivSize)
  if (iv === "random") return randomIv(ivSize, parts.runtime)
  if (iv === "eboiv" && cipher !== undefined) return eboivIv(parts, cipher)
  if (iv === "eboiv" || iv === "elephant" || iv === "lmk" || iv === "tcw")
    throw new RangeError(`crypt: ${iv} makes no IVs without a sector cipher`)
  return sectorNumberIv(parts, { name: iv, ivSize, cipherBlockSize: blockSize })
}

function sectorCipher(parts: SectorParts, { algorithm, essivHashes }: CipherSpec, key: Uint8Array): SectorCipher {
  const { engine } = parts
  if (algorithm.kind === "null") return nullCipher()
  if (algorithm.kind === "adiantum") return engine.sectorCipher(`adiantum-${algorithm.stream}`, key)
  if (algorithm.kind !== "sector") throw new RangeError("crypt: an AEAD is no sector cipher")
  const { block, mode } = algorithm
  const plugged = parts.blockCiphers?.get(block)
  const createBlock = (part: Uint8Array): BlockCipher => plugged?.create(part) ?? engine.blockCipher("aes", part)
  const cipher =
    plugged === undefined ? engine.sectorCipher(`aes-${mode}`, key) : sectorCipherOver(mode, createBlock, key)
  return withEssiv(cipher, essivCipher(essivHashes, key, engine, createBlock))
}

/** `ecb(cipher_null)`: the plaintext itself. */
function nullCipher(): SectorCipher {
  const pass = (source: Uint8Array, target: Uint8Array) => {
    if (source !== target) target.set(source)
  }
  return { ivSize: 0, encryptSectors: pass, decryptSectors: pass, destroy() {} }
}
