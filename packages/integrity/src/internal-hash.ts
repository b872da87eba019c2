import { BlockError } from "@blockstrata/device"
import type { Engine, UnitHash } from "@blockstrata/primitives"

/** How tags are made from blocks. `hmac(sha256)` takes a key of any length; the others take none. */
export type InternalHash =
  | { readonly name: "crc32c" | "sha256" }
  | { readonly name: "hmac(sha256)"; readonly key: Uint8Array }

/** The names that can be opened, and the bytes of their digests. */
export const DIGEST_SIZES: Readonly<Record<InternalHash["name"], number>> = {
  crc32c: 4,
  sha256: 32,
  "hmac(sha256)": 32,
}

/** Hashes that Linux takes here and this library does not. */
const OTHER_HASHES = new Set(
  "crc32 sha1 sha224 sha384 sha512 sha3-224 sha3-256 sha3-384 sha3-512 md4 md5 rmd160 sm3 wp256 wp384 wp512 streebog256 streebog512 xxhash64 blake2b-160 blake2b-256 blake2b-384 blake2b-512 blake2s-128 blake2s-160 blake2s-224 blake2s-256".split(
    " ",
  ),
)

/** Whether `name` is a hash that can be opened. */
export function isInternalHashName(name: string): name is InternalHash["name"] {
  return Object.hasOwn(DIGEST_SIZES, name)
}

/**
 * Whether Linux 6.1 has a hash of this name: the plain ones, keyed ones over them, and the names of their C
 * implementations (`sha256-generic`).
 */
export function isLinuxHashName(name: string): boolean {
  const plain = /^(?:hmac\((.*)\)|(.*?))(?:-generic)?$/.exec(name)
  const base = plain?.[1] ?? plain?.[2] ?? ""
  return OTHER_HASHES.has(base) || isInternalHashName(base) || /^(cmac|xcbc|vmac64)\([a-z0-9_]+\)$/.test(base)
}

/**
 * The hash with its key, from `engine`, which keeps a copy of the key until `destroy`.
 *
 * @throws BlockError `UNSUPPORTED` for another name.
 */
export function createInternalHash(engine: Engine, hash: InternalHash): UnitHash {
  switch (hash.name) {
    case "crc32c":
    case "sha256":
      return engine.hash(hash.name)
    case "hmac(sha256)":
      return engine.hmac("sha256", hash.key)
    default: {
      const { name } = hash as { readonly name: unknown }
      throw new BlockError("UNSUPPORTED", `integrity: not built yet: internal_hash ${String(name)}`)
    }
  }
}
