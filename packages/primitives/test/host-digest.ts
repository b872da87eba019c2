import { createHash } from "node:crypto"
import { blake2b } from "@noble/hashes/blake2.js"
import type { HmacHashName } from "../src/engine.ts"

/** The names that OpenSSL gives differently. */
const OPENSSL_NAMES: Readonly<Record<string, string>> = {
  rmd160: "ripemd160",
  "blake2b-512": "blake2b512",
  "blake2s-256": "blake2s256",
}
/** Bytes of the blocks that are not 64. */
const BLOCK_SIZES: Readonly<Record<string, number>> = {
  sha384: 128,
  sha512: 128,
  "sha3-224": 144,
  "sha3-256": 136,
  "sha3-384": 104,
  "sha3-512": 72,
  "blake2b-256": 128,
  "blake2b-512": 128,
}

export const HASH_NAMES: readonly HmacHashName[] = [
  "md5",
  "rmd160",
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha3-224",
  "sha3-256",
  "sha3-384",
  "sha3-512",
  "blake2b-256",
  "blake2b-512",
  "blake2s-256",
]

/** A digest made without an engine; OpenSSL 3 has no BLAKE2b of 256 bits. */
export function digestByHost(name: HmacHashName, message: Uint8Array): Uint8Array {
  if (name === "blake2b-256") return blake2b(message, { dkLen: 32 })
  return createHash(OPENSSL_NAMES[name] ?? name)
    .update(message)
    .digest()
}

/** HMAC made without an engine: RFC 2104, 2, over any hash. */
export function macByHost(name: HmacHashName, key: Uint8Array, message: Uint8Array): Uint8Array {
  const blockSize = BLOCK_SIZES[name] ?? 64
  const padded = new Uint8Array(blockSize)
  padded.set(key.length > blockSize ? digestByHost(name, key) : key)
  const inner = digestByHost(name, Uint8Array.of(...padded.map((byte) => byte ^ 0x36), ...message))
  return digestByHost(name, Uint8Array.of(...padded.map((byte) => byte ^ 0x5c), ...inner))
}
