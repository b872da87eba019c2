import { blake2b, blake2s } from "@noble/hashes/blake2.js"
import { hmac } from "@noble/hashes/hmac.js"
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js"
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js"
import { sha3_224, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js"
import { type CHash, createHasher } from "@noble/hashes/utils.js"
import type { HmacHashName } from "../engine.ts"
import type { UnitDigest } from "../unit-hash.ts"

/** The digest length is a parameter of BLAKE2: `blake2b-256` is not the first half of `blake2b-512` (RFC 7693, 2.5). */
const blake2b256: CHash = /* @__PURE__ */ createHasher(() => blake2b.create({ dkLen: 32 }))

const HASHES: Readonly<Record<HmacHashName, CHash>> = {
  md5: md5,
  rmd160: ripemd160,
  sha1: sha1,
  sha224: sha224,
  sha256: sha256,
  sha384: sha384,
  sha512: sha512,
  "sha3-224": sha3_224,
  "sha3-256": sha3_256,
  "sha3-384": sha3_384,
  "sha3-512": sha3_512,
  "blake2b-256": blake2b256,
  "blake2b-512": blake2b,
  "blake2s-256": blake2s,
}

export function portableHash(name: HmacHashName): UnitDigest {
  const hash = HASHES[name]
  return {
    digestSize: hash.outputLen,
    digestInto(parts, target) {
      const state = hash.create()
      for (const part of parts) state.update(part)
      target.set(state.digest())
    },
    destroy() {},
  }
}

/** HMAC by noble: the key goes into a state that is copied for each unit and wiped by `destroy`. RFC 2104. */
export function portableHmac(name: HmacHashName, key: Uint8Array): UnitDigest {
  const keyed = hmac.create(HASHES[name], key)
  return {
    digestSize: keyed.outputLen,
    digestInto(parts, target) {
      const state = keyed.clone()
      for (const part of parts) state.update(part)
      target.set(state.digest())
    },
    destroy: () => keyed.destroy(),
  }
}
