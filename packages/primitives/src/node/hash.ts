import { createHash, createHmac } from "node:crypto"
import type { HmacHashName } from "../engine.ts"
import { portableHash, portableHmac } from "../portable/hash.ts"
import type { UnitDigest } from "../unit-hash.ts"

/** What OpenSSL calls them. It has BLAKE2b at its full length only: the shorter one is noble's. */
const HASHES: Readonly<
  Record<Exclude<HmacHashName, "blake2b-256">, { readonly name: string; readonly digestSize: number }>
> = {
  sha1: { name: "sha1", digestSize: 20 },
  sha224: { name: "sha224", digestSize: 28 },
  sha256: { name: "sha256", digestSize: 32 },
  sha384: { name: "sha384", digestSize: 48 },
  sha512: { name: "sha512", digestSize: 64 },
  "blake2b-512": { name: "blake2b512", digestSize: 64 },
  "blake2s-256": { name: "blake2s256", digestSize: 32 },
}

export function nodeHash(hashName: HmacHashName): UnitDigest {
  if (hashName === "blake2b-256") return portableHash(hashName)
  const { name, digestSize } = HASHES[hashName]
  return {
    digestSize,
    digestInto(parts, target) {
      const state = createHash(name)
      for (const part of parts) state.update(part)
      target.set(state.digest())
    },
    destroy() {},
  }
}

/** RFC 2104. */
export function nodeHmac(hashName: HmacHashName, key: Uint8Array): UnitDigest {
  if (hashName === "blake2b-256") return portableHmac(hashName, key)
  const { name, digestSize } = HASHES[hashName]
  const ownKey = new Uint8Array(key)
  return {
    digestSize,
    digestInto(parts, target) {
      const state = createHmac(name, ownKey)
      for (const part of parts) state.update(part)
      target.set(state.digest())
    },
    destroy: () => void ownKey.fill(0),
  }
}
