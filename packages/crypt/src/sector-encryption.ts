import { type BlockCipher, type SectorCipher, sectorCipherOver } from "@blockstrata/primitives"
import type { CipherSpec } from "./cipher-spec.ts"
import type { CryptParts } from "./crypt-parts.ts"
import { essivCipher, withEssiv } from "./essiv.ts"
import { eboivIv, type IvGenerator, nullIv, randomIv, sectorNumberIv } from "./iv.ts"
import { keyedSectors } from "./keyed-sectors.ts"

/** What turns the sectors of a volume into ciphertext and back, all keys and IVs in it. */
export interface SectorEncryption {
  /** What an IV is before it is used: what stands in the metadata if it is random. */
  readonly iv: IvGenerator
  /** The sectors that begin at `offset` bytes. `ivs` may change. */
  encrypt(offset: number, source: Uint8Array, target: Uint8Array, ivs: Uint8Array): void
  decrypt(offset: number, source: Uint8Array, target: Uint8Array, ivs: Uint8Array): void
  destroy(): void
}

/** The encryption of a specification without an AEAD. `parts.key` holds as many keys as the specification says. */
export function sectorEncryption(parts: CryptParts, spec: CipherSpec): SectorEncryption {
  const { key, sectorSize } = parts
  const keySize = key.length / spec.keyCount
  const ciphers = Array.from({ length: spec.keyCount }, (_, index) =>
    sectorCipher(parts, spec, key.subarray(index * keySize, (index + 1) * keySize)),
  )
  const [first] = ciphers
  if (first === undefined) throw new RangeError("crypt: a volume has at least one key")
  const iv = ivGenerator(parts, spec, first)
  const sectors = keyedSectors(ciphers, parts)
  return {
    iv,
    encrypt: (offset, source, target, ivs) =>
      sectors.forEachKey({ offset, source, target, ivs, ivSize: iv.ivSize }, (cipher, batch) =>
        cipher.encryptSectors(batch.source, batch.target, sectorSize, batch.ivs),
      ),
    decrypt: (offset, source, target, ivs) =>
      sectors.forEachKey({ offset, source, target, ivs, ivSize: iv.ivSize }, (cipher, batch) =>
        cipher.decryptSectors(batch.source, batch.target, sectorSize, batch.ivs),
      ),
    destroy() {
      for (const cipher of ciphers) cipher.destroy()
      iv.destroy()
      sectors.wipe()
    },
  }
}

/** The IVs of a specification; `cipher` is that of the volume's first key. */
export function ivGenerator(parts: CryptParts, spec: CipherSpec, cipher: SectorCipher | undefined): IvGenerator {
  const { iv, ivSize, blockSize } = spec
  if (iv === "none" || iv === "null") return nullIv(ivSize)
  if (iv === "random") return randomIv(ivSize, parts.runtime)
  if (iv !== "eboiv") return sectorNumberIv(parts, { name: iv, ivSize, cipherBlockSize: blockSize })
  if (cipher === undefined) throw new RangeError("crypt: eboiv needs a sector cipher")
  return eboivIv(parts, cipher)
}

function sectorCipher(parts: CryptParts, { algorithm, essivHashes }: CipherSpec, key: Uint8Array): SectorCipher {
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
