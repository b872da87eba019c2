import { authencCipher } from "./authenc.ts"
import { cbcMode } from "./cbc.ts"
import { crc32cDigest } from "./crc32c.ts"
import { ctrMode } from "./ctr.ts"
import { ecbMode } from "./ecb.ts"
import type {
  AeadCipher,
  AeadName,
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
import { requireBytes, requireKey, requireName } from "./misuse.ts"
import { type SectorMode, sectorCipherOf } from "./sector-mode.ts"
import { unitHashOf } from "./unit-hash.ts"
import { xtsMode } from "./xts.ts"

/**
 * What a host brings along. Names, keys and buffers were checked; whoever keeps a key keeps a copy and wipes it in
 * `destroy`. `encryptBlocks` and `decryptBlocks` work in place and take any alignment.
 */
export interface EngineImplementation {
  readonly name: string
  /** WebAssembly for what lies around the primitives; TypeScript does it where there is none. */
  readonly kernels?: (() => Kernels | undefined) | undefined
  aes(key: Uint8Array): BlockCipher
  aead(name: AeadName, key: Uint8Array): AeadCipher
  hash(name: HmacHashName): UnitHash
  hmac(name: HmacHashName, key: Uint8Array): UnitHash
}

const AES_KEY_SIZES = [16, 24, 32]
const AEAD_KEY_SIZES = { "aes-gcm": AES_KEY_SIZES, "chacha20-poly1305": [32] }
/** Keys of the block cipher that each mode takes, one after the other. */
const MODE_KEY_COUNTS = { "aes-ecb": 1, "aes-cbc": 1, "aes-ctr": 1, "aes-xts": 2 }
const HMAC_HASHES = {
  sha1: true,
  sha224: true,
  sha256: true,
  sha384: true,
  sha512: true,
  "blake2b-256": true,
  "blake2b-512": true,
  "blake2s-256": true,
}
const HASHES = { ...HMAC_HASHES, crc32c: true }

/**
 * An engine from a host's primitives: the modes over the host's block cipher, authenc and CRC32C are the same code for
 * every host. This is the edge: it checks names, keys, lengths and lifetimes once, and the inside stays naive.
 */
export function defineEngine(implementation: EngineImplementation): Engine {
  return {
    name: implementation.name,
    allocate: (length) => allocate(implementation.kernels?.(), length),
    blockCipher(name, key) {
      requireName("block cipher", name, { aes: true })
      requireKey(name, key, AES_KEY_SIZES)
      return guardBlockCipher(implementation.aes(key))
    },
    sectorCipher: (name, key) => guardSectorCipher(createSectorCipher(implementation, name, key)),
    aeadCipher(name, key) {
      requireKey(name, key, requireName("AEAD", name, AEAD_KEY_SIZES))
      return guardAeadCipher(implementation.aead(name, key), false)
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
  const keyCount = requireName("sector cipher", name, MODE_KEY_COUNTS)
  requireKey(
    name,
    key,
    AES_KEY_SIZES.map((size) => size * keyCount),
  )
  return sectorCipherOf(createMode(host, name, key))
}

function createMode(host: EngineImplementation, name: SectorCipherName, key: Uint8Array): SectorMode {
  if (name === "aes-ecb") return ecbMode(host.aes(key))
  if (name === "aes-cbc") return cbcMode(host.aes(key))
  if (name === "aes-ctr") return ctrMode(host.aes(key))
  const half = key.length / 2
  return xtsMode(host.aes(key.subarray(0, half)), host.aes(key.subarray(half)), host.kernels?.())
}

function createAuthenc(host: EngineImplementation, options: AuthencOptions): AeadCipher {
  const cipher = createSectorCipher(host, options.cipher, options.cipherKey)
  return authencCipher(createHmac(host, options.hash, options.macKey), cipher)
}

function createHash(host: EngineImplementation, name: HashName): UnitHash {
  return name === "crc32c" ? unitHashOf(crc32cDigest) : host.hash(name)
}

function createHmac(host: EngineImplementation, name: HmacHashName, key: Uint8Array): UnitHash {
  requireName("HMAC", name, HMAC_HASHES)
  requireBytes("HMAC key", key)
  return host.hmac(name, key)
}
