import { BlockError } from "@blockstrata/device"
import type { Engine, UnitHash } from "@blockstrata/primitives"

/** The hashes that HMAC is made of, by their names in the Linux crypto API, and the bytes of their digests. */
const HASH_SIZES = {
  md5: 16,
  rmd160: 20,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  "sha3-224": 28,
  "sha3-256": 32,
  "sha3-384": 48,
  "sha3-512": 64,
  "blake2b-256": 32,
  "blake2b-512": 64,
} as const
const CHECKSUM_SIZES = { crc32: 4, crc32c: 4, xxhash64: 8 } as const

type HashedName = keyof typeof HASH_SIZES
type PlainName = HashedName | keyof typeof CHECKSUM_SIZES
type KeyedName = `hmac(${HashedName})`

/**
 * How tags are made from blocks, as the Linux crypto API names it. An HMAC takes a key of any length; the others take none,
 * and anybody can compute their tags.
 */
export type InternalHash = { readonly name: PlainName } | { readonly name: KeyedName; readonly key: Uint8Array }

/** The hashes that can be opened, and the bytes of their digests. */
export const internalHashSizes: Readonly<Record<InternalHash["name"], number>> = /* @__PURE__ */ allSizes()

/** Hashes that Linux takes here and this library does not. */
const OTHER_HASHES = new Set(
  "crct10dif md4 sm3 wp256 wp384 wp512 streebog256 streebog512 poly1305 blake2b-160 blake2b-384 blake2s-128 blake2s-160 blake2s-224 blake2s-256".split(
    " ",
  ),
)
/** Bytes of key, from and to, that some plain hashes take in Linux: of a seed, or of the keyed form of BLAKE2. */
const KEY_SIZES: Readonly<Record<string, readonly [number, number]>> = {
  crc32: [4, 4],
  crc32c: [4, 4],
  xxhash64: [8, 8],
  "blake2b-160": [1, 64],
  "blake2b-256": [1, 64],
  "blake2b-384": [1, 64],
  "blake2b-512": [1, 64],
}

function allSizes(): Record<InternalHash["name"], number> {
  const hashes = Object.entries(HASH_SIZES)
  const keyed = hashes.map(([name, size]) => [`hmac(${name})`, size] as const)
  return Object.fromEntries([...Object.entries(CHECKSUM_SIZES), ...hashes, ...keyed]) as Record<
    InternalHash["name"],
    number
  >
}

/** Whether `name` is a hash that can be opened. */
export function isInternalHashName(name: string): name is InternalHash["name"] {
  return Object.hasOwn(internalHashSizes, name)
}

/**
 * Whether Linux 6.1 has a hash of this name: the plain ones, keyed ones over them, and the names of their C
 * implementations (`sha256-generic`).
 */
export function isLinuxHashName(name: string): boolean {
  const plain = /^(?:hmac\((.*)\)|(.*?))(?:-generic)?$/.exec(name)
  const [base, keyed] = [plain?.[2], plain?.[1]]
  // An HMAC needs blocks that are longer than its digests: no CRC has them.
  if (keyed !== undefined) return !keyed.startsWith("crc") && isPlainName(keyed)
  return (base !== undefined && isPlainName(base)) || /^(cmac|xcbc|vmac64)\([a-z0-9_]+\)$/.test(name)
}

function isPlainName(name: string): boolean {
  return OTHER_HASHES.has(name) || (isInternalHashName(name) && !name.startsWith("hmac("))
}

/** Whether Linux takes a key of so many bytes with this hash, which is no HMAC; undefined: none. */
export function takesKey(name: string, keySize: number): boolean {
  const [least, most] = KEY_SIZES[name] ?? [Number.POSITIVE_INFINITY, 0]
  return least <= keySize && keySize <= most
}

/**
 * A hash by its name, and its key where it takes one.
 *
 * @throws BlockError `UNSUPPORTED` for another name.
 */
export function internalHashNamed(name: string, key: Uint8Array): InternalHash {
  if (!isInternalHashName(name)) throw unsupported(name)
  const hash = { name, key } as InternalHash
  return isKeyed(hash) ? hash : { name: hash.name }
}

/** Whether tags are made with a key, so that only who has it can make them. */
export function isKeyed(hash: InternalHash): hash is Extract<InternalHash, { readonly key: Uint8Array }> {
  return hash.name.startsWith("hmac(")
}

/**
 * The hash with its key, from `engine`, which keeps a copy of the key until `destroy`.
 *
 * @throws BlockError `UNSUPPORTED` for another name. @throws TypeError for an HMAC without a key, or another hash with one.
 */
export function createInternalHash(engine: Engine, hash: InternalHash): UnitHash {
  if (!isInternalHashName(hash.name)) throw unsupported(hash.name)
  if (isKeyed(hash)) return engine.hmac(hash.name.slice(5, -1) as HashedName, hash.key)
  if ("key" in hash) throw new TypeError(`integrity: ${hash.name} takes no key`)
  return engine.hash(hash.name)
}

function unsupported(name: string): BlockError {
  return new BlockError("UNSUPPORTED", `integrity: not built yet: internal_hash ${String(name)}`)
}
