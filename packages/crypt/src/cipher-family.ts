import type { AeadName, HmacHashName, SectorModeName } from "@blockstrata/primitives"
import type { CipherExpression } from "./kernel-cipher.ts"

/** How one sector is encrypted. */
export type CipherAlgorithm =
  | { readonly kind: "sector"; readonly mode: SectorModeName; readonly block: string }
  | {
      readonly kind: "authenc"
      readonly mode: SectorModeName
      readonly hash: HmacHashName
      readonly macKeySize: number
    }
  /** `saltSize`: bytes at the end of the key that stand before each IV (RFC 4309). */
  | { readonly kind: "aead"; readonly name: AeadName; readonly saltSize: number }
  | { readonly kind: "adiantum"; readonly stream: AdiantumStream }
  /** `ecb(cipher_null)`: nothing is encrypted. */
  | { readonly kind: "null" }

/** Ciphers that Adiantum is made of, each beside AES-256. */
export const ADIANTUM_STREAMS = ["xchacha12", "xchacha20"] as const
export type AdiantumStream = (typeof ADIANTUM_STREAMS)[number]

/** What an expression of the kernel's crypto API says. Sizes in bytes. */
export interface CipherFamily {
  readonly algorithm: CipherAlgorithm
  /** Of one key. */
  readonly keySizes: readonly number[]
  readonly ivSize: number
  /** What the kernel calls the block of the whole: 1 where a sector of any length will do. */
  readonly blockSize: number
  /** Hashes of the `essiv` templates around it, outermost first: each encrypts the IV once more. */
  readonly essivHashes: readonly HmacHashName[]
  /** A tag is made for each sector, and kept by the device below. */
  readonly isAead: boolean
  /** Of a whole tag; 0 without an AEAD. */
  readonly authTagSize: number
  /** The tag sizes below `authTagSize` that Linux takes. Built are those of authenc, from 16 bytes on. */
  readonly truncatedTagSizes: readonly number[]
}

/** What the line says besides the expression, and what the caller brings along. */
export interface FamilyOptions {
  /** Bytes of MAC key at the end of an authenc key; the digest's size if not given. */
  readonly macKeySize?: number | undefined
  /** Key sizes in bytes of the block ciphers (of 16 bytes) that the caller plugs in, by the kernel's name. */
  readonly blockCiphers?: ReadonlyMap<string, { readonly keySizes: readonly number[] }> | undefined
}

interface ModeFacts {
  readonly ivSize: number
  readonly blockSize: number
  keySize(blockKeySize: number): number
}

const AES_KEY_SIZES = [16, 24, 32]
const BLOCK_SIZE = 16
const LRW_TWEAK_KEY_SIZE = 16

/** Modes over a block cipher of 16 bytes. */
export const MODES: ReadonlyMap<SectorModeName, ModeFacts> = new Map<SectorModeName, ModeFacts>([
  ["xts", { ivSize: 16, blockSize: BLOCK_SIZE, keySize: (size) => 2 * size }],
  ["cbc", { ivSize: 16, blockSize: BLOCK_SIZE, keySize: (size) => size }],
  ["ctr", { ivSize: 16, blockSize: 1, keySize: (size) => size }],
  ["ecb", { ivSize: 0, blockSize: BLOCK_SIZE, keySize: (size) => size }],
  ["lrw", { ivSize: 16, blockSize: BLOCK_SIZE, keySize: (size) => size + LRW_TWEAK_KEY_SIZE }],
])

/** Digest sizes in bytes. Linux 6.1 has no `blake2s-256` for these. */
export const HASHES: ReadonlyMap<HmacHashName, number> = new Map<HmacHashName, number>([
  ["md5", 16],
  ["rmd160", 20],
  ["sha1", 20],
  ["sha224", 28],
  ["sha256", 32],
  ["sha384", 48],
  ["sha512", 64],
  ["sha3-224", 28],
  ["sha3-256", 32],
  ["sha3-384", 48],
  ["sha3-512", 64],
  ["blake2b-256", 32],
  ["blake2b-512", 64],
])

/** AEADs that take a sector as it is. */
export const AEADS: ReadonlyMap<string, CipherFamily> = new Map<string, CipherFamily>([
  ["gcm(aes)", plainAead("aes-gcm", AES_KEY_SIZES, [4, 8, 12, 13, 14, 15])],
  ["rfc4309(ccm(aes))", saltedAead("aes-ccm", AES_KEY_SIZES, [8, 12])],
  ["rfc7539(chacha20,poly1305)", plainAead("chacha20-poly1305", [32], [])],
])

/** Names that messages need not blame: each stands in something that is built. */
const BUILT_NAMES = new Set(
  [
    ...MODES.keys(),
    ...HASHES.keys(),
    ...AEADS.keys(),
    ...ADIANTUM_STREAMS,
    "adiantum",
    "essiv",
    "authenc",
    "hmac",
    "aes",
    "cipher_null",
  ].flatMap((key) => key.split(/[(),]+/)),
)

/** @returns undefined if this is not built. The expression is one that Linux takes. */
export function familyOf(tree: CipherExpression, options: FamilyOptions): CipherFamily | undefined {
  const [first, second] = tree.args
  const aead = AEADS.get(textOf(tree))
  if (aead !== undefined) return aead
  if (first === undefined) return undefined
  if (tree.name === "adiantum") return adiantumFamily(first.name, second)
  if (tree.name === "essiv") {
    const inner = familyOf(first, options)
    const hash = hashNamed(second?.name)
    if (inner === undefined || hash === undefined || !isSaltKey(inner, hash, options)) return undefined
    return { ...inner, essivHashes: [hash, ...inner.essivHashes] }
  }
  if (tree.name === "authenc" && second !== undefined) {
    const inner = sectorFamily(second, undefined)
    const hash = first.name === "hmac" ? hashNamed(first.args[0]?.name) : undefined
    // Without an IV, requests make Linux 6.1 crash: there is nothing to compare with.
    if (inner === undefined || inner.ivSize === 0 || hash === undefined) return undefined
    return authencFamily(inner, hash, options.macKeySize)
  }
  return sectorFamily(tree, options.blockCiphers)
}

/** The first name that is not built, or else the whole expression; `plugged` are built too. */
export function unbuiltPart(tree: CipherExpression, plugged: FamilyOptions["blockCiphers"]): string {
  return namesOf(tree).find((name) => !BUILT_NAMES.has(name) && !plugged?.has(name)) ?? textOf(tree)
}

/** All names of an expression, in its order. */
export function namesOf({ name, args }: CipherExpression): string[] {
  return [name, ...args.flatMap(namesOf)]
}

function textOf({ name, args }: CipherExpression): string {
  return args.length === 0 ? name : `${name}(${args.map(textOf).join(",")})`
}

function hashNamed(name: string | undefined): HmacHashName | undefined {
  return [...HASHES.keys()].find((known) => known === name)
}

/** Whether a digest is long enough, and not too long, to be a key of the block cipher. */
function isSaltKey({ algorithm }: CipherFamily, hash: HmacHashName, { blockCiphers }: FamilyOptions): boolean {
  const plugged = algorithm.kind === "sector" ? blockCiphers?.get(algorithm.block)?.keySizes : undefined
  return (plugged ?? AES_KEY_SIZES).includes(HASHES.get(hash) ?? 0)
}

function plainAead(name: AeadName, keySizes: readonly number[], truncatedTagSizes: readonly number[]): CipherFamily {
  const algorithm = { kind: "aead", name, saltSize: 0 } as const
  const sizes = { keySizes, ivSize: 12, blockSize: 1, authTagSize: 16, truncatedTagSizes }
  return { algorithm, ...sizes, essivHashes: [], isAead: true }
}

/** RFC 4309: 3 bytes of salt behind the key, IVs of 8 bytes. */
function saltedAead(
  name: AeadName,
  blockKeySizes: readonly number[],
  truncatedTagSizes: readonly number[],
): CipherFamily {
  const algorithm = { kind: "aead", name, saltSize: 3 } as const
  const keySizes = blockKeySizes.map((size) => size + algorithm.saltSize)
  return { ...plainAead(name, keySizes, truncatedTagSizes), algorithm, ivSize: 8 }
}

/** One key of 32 bytes, from which all others are made. The IV is as long. */
function adiantumFamily(streamName: string, block: CipherExpression | undefined): CipherFamily | undefined {
  const stream = ADIANTUM_STREAMS.find((name) => name === streamName)
  if (stream === undefined || block?.name !== "aes" || block.args.length > 0) return undefined
  const sizes = { keySizes: [32], ivSize: 32, blockSize: BLOCK_SIZE, authTagSize: 0, truncatedTagSizes: [] }
  return { algorithm: { kind: "adiantum", stream }, ...sizes, essivHashes: [], isAead: false }
}

type SectorFamily = CipherFamily & { readonly algorithm: { readonly kind: "sector" } }

function sectorFamily(tree: CipherExpression, plugged: FamilyOptions["blockCiphers"]): SectorFamily | undefined {
  const mode = [...MODES.keys()].find((name) => name === tree.name)
  const facts = mode && MODES.get(mode)
  const [block] = tree.args
  if (mode === undefined || facts === undefined || block === undefined || block.args.length > 0) return undefined
  const keySizes = block.name === "aes" ? AES_KEY_SIZES : plugged?.get(block.name)?.keySizes
  return (
    keySizes && {
      algorithm: { kind: "sector", mode, block: block.name },
      keySizes: keySizes.map((size) => facts.keySize(size)),
      ivSize: facts.ivSize,
      blockSize: facts.blockSize,
      essivHashes: [],
      isAead: false,
      authTagSize: 0,
      truncatedTagSizes: [],
    }
  )
}

/** The key of the cipher comes first, then that of the MAC. */
function authencFamily(inner: SectorFamily, hash: HmacHashName, macKeySize: number | undefined): CipherFamily {
  const authTagSize = HASHES.get(hash) ?? 0
  const macSize = macKeySize ?? authTagSize
  return {
    ...inner,
    algorithm: { kind: "authenc", mode: inner.algorithm.mode, hash, macKeySize: macSize },
    keySizes: inner.keySizes.map((size) => size + macSize),
    isAead: true,
    authTagSize,
    truncatedTagSizes: Array.from({ length: authTagSize - 1 }, (_, index) => index + 1),
  }
}
