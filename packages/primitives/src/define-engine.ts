import { adiantumMode } from "./adiantum.ts"
import { authencCipher } from "./authenc.ts"
import { type AeadHost, batchAead } from "./batch-aead.ts"
import { cbcMode, type SectorChain } from "./cbc.ts"
import { crcDigest } from "./crc.ts"
import { ctrMode } from "./ctr.ts"
import { ecbMode } from "./ecb.ts"
import type {
  AeadCipher,
  AuthencOptions,
  BlockCipher,
  Engine,
  HashName,
  HmacHashName,
  SectorCipher,
  SectorCipherName,
  UnitHash,
} from "./engine.ts"
import { guardAeadCipher, guardBlockCipher, guardSectorCipher, guardUnitHash } from "./guard.ts"
import type { Kernels } from "./kernel/kernels.ts"
import { LRW_TWEAK_KEY_SIZE, lrwMode } from "./lrw.ts"
import { requireBytes, requireKey, requireName, requireSize } from "./misuse.ts"
import { type SectorMode, sectorCipherOf } from "./sector-mode.ts"
import { unitHashOf } from "./unit-hash.ts"
import { xtsMode } from "./xts.ts"
import { xxh64Digest } from "./xxh64.ts"

/**
 * What a host brings along. Names, keys and buffers were checked; whoever keeps a key keeps a copy and wipes it in
 * `destroy`. `encryptBlocks` and `decryptBlocks` work in place and take any alignment.
 */
export interface EngineImplementation {
  readonly name: string
  /** WebAssembly for what lies around the primitives; TypeScript does it where there is none. */
  readonly kernels?: (() => Kernels | undefined) | undefined
  /** Helps sector ciphers with large requests. */
  readonly threads?:
    | { share(name: SectorCipherName, key: Uint8Array, cipher: SectorCipher): SectorCipher; close(): void }
    | undefined
  aes(key: Uint8Array): BlockCipher
  cbc(key: Uint8Array): SectorChain
  readonly aead: AeadHost
  hash(name: HmacHashName): UnitHash
  hmac(name: HmacHashName, key: Uint8Array): UnitHash
}

const AES_KEY_SIZES = [16, 24, 32]
/** Of an authenc: what an AEAD has too. */
const TAG_SIZE_MIN = 16
const AEAD_KEY_SIZES = { "aes-gcm": AES_KEY_SIZES, "aes-ccm": AES_KEY_SIZES, "chacha20-poly1305": [32] }
/** One key; in XTS two of the same size; in LRW the key of the tweaks behind it; in Adiantum, what all keys come from. */
const SECTOR_KEY_SIZES = {
  "aes-ecb": AES_KEY_SIZES,
  "aes-cbc": AES_KEY_SIZES,
  "aes-ctr": AES_KEY_SIZES,
  "aes-xts": AES_KEY_SIZES.map((size) => 2 * size),
  "aes-lrw": AES_KEY_SIZES.map((size) => size + LRW_TWEAK_KEY_SIZE),
  "adiantum-xchacha12": [32],
  "adiantum-xchacha20": [32],
}
const HMAC_HASHES = {
  md5: true,
  rmd160: true,
  sha1: true,
  sha224: true,
  sha256: true,
  sha384: true,
  sha512: true,
  "sha3-224": true,
  "sha3-256": true,
  "sha3-384": true,
  "sha3-512": true,
  "blake2b-256": true,
  "blake2b-512": true,
  "blake2s-256": true,
}
const HASHES = { ...HMAC_HASHES, crc32: true, crc32c: true, xxhash64: true }

/**
 * An engine from a host's primitives: the modes over the host's block cipher, authenc and the checksums are the same code for
 * every host. This is the edge: it checks names, keys, lengths and lifetimes once, and the inside stays naive.
 */
export function defineEngine(implementation: EngineImplementation): Engine {
  return {
    name: implementation.name,
    close: () => implementation.threads?.close(),
    allocate: (length) => allocate(implementation.kernels?.(), length),
    blockCipher(name, key) {
      requireName("block cipher", name, { aes: true })
      requireKey(name, key, AES_KEY_SIZES)
      return guardBlockCipher(implementation.aes(key))
    },
    sectorCipher: (name, key) => guardSectorCipher(createSectorCipher(implementation, name, key)),
    aeadCipher(name, key) {
      requireKey(name, key, requireName("AEAD", name, AEAD_KEY_SIZES))
      return guardAeadCipher(batchAead(implementation, name, key), false)
    },
    authenc: (options) => guardAeadCipher(createAuthenc(implementation, options), true),
    hash(name) {
      requireName("hash", name, HASHES)
      return guardUnitHash(createHash(implementation, name))
    },
    hmac: (name, key) => guardUnitHash(createHmac(implementation, name, key)),
  }
}

function allocate(kernels: Kernels | undefined, length: number): Uint8Array {
  const address = kernels?.reserve(length) ?? -1
  return kernels === undefined || address < 0
    ? new Uint8Array(length)
    : kernels.bytes.subarray(address, address + length)
}

function createSectorCipher(host: EngineImplementation, name: SectorCipherName, key: Uint8Array): SectorCipher {
  requireKey(name, key, requireName("sector cipher", name, SECTOR_KEY_SIZES))
  const cipher = sectorCipherOf(createMode(host, name, key))
  return host.threads?.share(name, key, cipher) ?? cipher
}

function createMode(host: EngineImplementation, name: SectorCipherName, key: Uint8Array): SectorMode {
  const kernels = host.kernels?.()
  if (name === "aes-ecb") return ecbMode(host.aes(key))
  if (name === "aes-cbc") return cbcMode(host.aes(key), host.cbc(key), kernels)
  if (name === "aes-ctr") return ctrMode(host.aes(key), kernels)
  if (name === "adiantum-xchacha12") return adiantumMode(host.aes, key, 12, kernels)
  if (name === "adiantum-xchacha20") return adiantumMode(host.aes, key, 20, kernels)
  const cut = name === "aes-xts" ? key.length / 2 : key.length - LRW_TWEAK_KEY_SIZE
  const [dataKey, tweakKey] = [key.subarray(0, cut), key.subarray(cut)]
  if (name === "aes-lrw") return lrwMode(host.aes(dataKey), tweakKey, kernels)
  return xtsMode(host.aes(dataKey), host.aes(tweakKey), kernels)
}

function createAuthenc(host: EngineImplementation, options: AuthencOptions): AeadCipher {
  const cipher = createSectorCipher(host, options.cipher, options.cipherKey)
  const mac = createHmac(host, options.hash, options.macKey)
  const { tagSize = mac.digestSize } = options
  requireSize("tag size", tagSize, 1, TAG_SIZE_MIN, mac.digestSize)
  return authencCipher(mac, cipher, tagSize)
}

function createHash(host: EngineImplementation, name: HashName): UnitHash {
  if (name === "crc32" || name === "crc32c") return unitHashOf(crcDigest(name, host.kernels?.()))
  return name === "xxhash64" ? unitHashOf(xxh64Digest(host.kernels?.())) : host.hash(name)
}

function createHmac(host: EngineImplementation, name: HmacHashName, key: Uint8Array): UnitHash {
  requireName("HMAC", name, HMAC_HASHES)
  requireBytes("HMAC key", key)
  return host.hmac(name, key)
}
