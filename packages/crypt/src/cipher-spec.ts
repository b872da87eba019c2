import { BlockError } from "@blockstrata/device"
import { type CipherFamily, type FamilyOptions, familyOf, namesOf, unbuiltPart } from "./cipher-family.ts"
import { type CipherWords, cipherWords, invalidCipher } from "./cipher-words.ts"
import { type CipherExpression, isDriverName, isEssivHash, parseExpression, shapeOf } from "./kernel-cipher.ts"
import { quoteWord } from "./key.ts"

/** What a cipher specification says, whichever way it was spelled. Sizes in bytes. */
export interface CipherSpec extends CipherFamily {
  /** What an IV is made from, before `essivHashes` encrypt it; `none` for a mode that has no IV. */
  readonly iv: IvName | "none"
  /** Keys of one volume, a power of two: sector n, in units of 512 bytes, has the key n modulo this. */
  readonly keyCount: number
}

export type IvName = (typeof IV_NAMES)[number]

/** The `integrity:` option that a specification stands beside. */
export type IntegrityKind = "aead" | "none" | undefined

/** What else decides on a specification. */
export interface CipherPolicy extends FamilyOptions {
  /** Take `ecb(cipher_null)`, which stores plaintext. */
  readonly allowNullCipher?: boolean | undefined
}

/** IVs that are built. `essiv:hash` is plain64, encrypted. */
export const IV_NAMES = [
  "plain",
  "plain64",
  "plain64be",
  "benbi",
  "null",
  "eboiv",
  "elephant",
  "lmk",
  "tcw",
  "random",
] as const
const KERNEL_IV_NAMES: ReadonlySet<string> = new Set([...IV_NAMES, "essiv"])
/** IVs that Linux refuses over an AEAD. */
const SECTOR_IV_NAMES = new Set(["eboiv", "elephant", "lmk", "tcw"])
const NULL_FAMILY: CipherFamily = {
  algorithm: { kind: "null" },
  keySizes: [0],
  ivSize: 0,
  blockSize: 1,
  essivHashes: [],
  isAead: false,
  authTagSize: 0,
  truncatedTagSizes: [],
}

/**
 * Reads a cipher specification in the kernel's spelling: `aes-xts-plain64` or `capi:xts(aes)-plain64`.
 *
 * @throws BlockError `INVALID` if Linux 6.1 refuses it (also with this kind of integrity), `UNSUPPORTED` naming the
 * word that is not built, `REFUSED` for the null cipher unless the policy allows it.
 */
export function parseCipherSpec(spelling: string, integrity: IntegrityKind, policy: CipherPolicy = {}): CipherSpec {
  const words = cipherWords(spelling)
  if (integrity === "aead" && !words.isCapi) throw invalidCipher(spelling, "only capi: spells an AEAD")
  const tree = parseExpression(words.expression)
  if (tree === undefined) throw invalidCipher(spelling, "Linux knows no such cipher")
  const names = namesOf(tree)
  if (names.includes("cipher_null")) return nullSpec(spelling, words, policy)
  const driver = names.find(isDriverName)
  if (driver !== undefined) throw unsupported(spelling, theWord(driver))
  checkInLinux(tree, words, spelling, integrity)
  const family = familyOf(tree, policy)
  if (family === undefined) throw unsupported(spelling, theWord(unbuiltPart(tree, policy.blockCiphers)))
  if (policy.macKeySize !== undefined && family.isAead && family.algorithm.kind !== "authenc")
    throw invalidCipher(spelling, "there is no MAC key of which integrity_key_size could be the size")
  return specOf(family, words, spelling, policy)
}

/** @throws BlockError `INVALID` unless Linux takes this cipher with this IV. */
function checkInLinux(tree: CipherExpression, words: CipherWords, spelling: string, integrity: IntegrityKind): void {
  const shape = shapeOf(tree)
  if (shape === undefined || shape.kind === "block" || shape.kind === "hash" || shape.kind === "mac") {
    throw invalidCipher(spelling, "Linux knows no such cipher")
  }
  const isAead = shape.kind === "aead"
  if (isAead !== (integrity === "aead")) {
    throw invalidCipher(spelling, isAead ? "an AEAD needs integrity:N:aead" : "not an AEAD, as integrity:N:aead wants")
  }
  const { ivName, ivOption } = words
  if (ivName === "essiv") {
    const hasKey = isEssivHash(ivOption ?? "", namesOf(tree).includes("aes"))
    if (shape.ivSize !== 16 || !hasKey) throw invalidCipher(spelling, "Linux takes no such essiv")
  }
  // Linux ignores the IV of a mode that has none.
  if (shape.ivSize === 0 || ivName === undefined) return
  if (!KERNEL_IV_NAMES.has(ivName) || (isAead && SECTOR_IV_NAMES.has(ivName)))
    throw invalidCipher(spelling, "Linux knows no such IV here")
  if ((ivName === "eboiv" || ivName === "elephant") && !hasBlocksLikeIvs(tree))
    throw invalidCipher(spelling, `Linux takes no such ${ivName}`)
  if (ivName === "random" && integrity === undefined)
    throw invalidCipher(spelling, "a random IV needs an integrity option")
}

/** Whether a sector cipher works in blocks that are as long as its IV. */
function hasBlocksLikeIvs({ name, args: [inner] }: CipherExpression): boolean {
  if ((name === "essiv" || name === "cts") && inner !== undefined) return hasBlocksLikeIvs(inner)
  return ["cbc", "pcbc", "xts", "lrw", "kw"].includes(name)
}

function specOf(family: CipherFamily, words: CipherWords, spelling: string, policy: CipherPolicy): CipherSpec {
  const { keyCount, ivName, ivOption } = words
  if (family.ivSize === 0) return { ...family, iv: "none", keyCount }
  // Linux then uses whatever its memory held before.
  if (ivName === undefined) throw unsupported(spelling, "a cipher without an IV, which Linux leaves undefined,")
  if (ivName === "essiv") {
    const outer = { name: "essiv", args: [expressionOf(words), { name: ivOption ?? "", args: [] }] }
    const encrypted = familyOf(outer, policy)
    if (encrypted === undefined) throw unsupported(spelling, theWord(`essiv:${ivOption}`))
    return { ...encrypted, iv: "plain64", keyCount }
  }
  const iv = IV_NAMES.find((name) => name === ivName)
  if (iv === undefined) throw unsupported(spelling, theWord(ivName))
  // What Linux then writes it cannot read, or it takes IVs from whatever stands behind the sector number in its memory.
  if ((iv === "lmk" && !isPlainCbc(family)) || (iv === "tcw" && family.ivSize !== 16))
    throw unsupported(spelling, `${iv} over this cipher, which does not work in Linux either,`)
  return { ...family, iv, keyCount }
}

function isPlainCbc({ algorithm, essivHashes }: CipherFamily): boolean {
  return algorithm.kind === "sector" && algorithm.mode === "cbc" && essivHashes.length === 0
}

/** @throws BlockError `INVALID` for an IV that is made of sectors of 512 bytes, and others. */
export function checkIvSectorSize({ iv }: CipherSpec, sectorSize: number): void {
  if ((iv === "lmk" || iv === "tcw") && sectorSize !== 512)
    throw new BlockError("INVALID", `crypt: sector size: expected 512 with ${iv}, got ${sectorSize}`)
}

function expressionOf({ expression }: CipherWords): CipherExpression {
  return parseExpression(expression) ?? { name: expression, args: [] }
}

function nullSpec(spelling: string, words: CipherWords, { allowNullCipher }: CipherPolicy): CipherSpec {
  if (allowNullCipher !== true)
    throw new BlockError("REFUSED", `crypt: cipher ${quoteWord(spelling)}: the null cipher encrypts nothing: weak`)
  if (words.expression !== "ecb(cipher_null)") throw unsupported(spelling, theWord(words.expression))
  return { ...NULL_FAMILY, iv: "none", keyCount: words.keyCount }
}

/** A key may stand where a word is expected: it is quoted as one, or not shown. */
function theWord(word: string): string {
  return `the word ${quoteWord(word)}`
}

function unsupported(spelling: string, what: string): BlockError {
  return new BlockError("UNSUPPORTED", `crypt: cipher ${quoteWord(spelling)}: ${what} is not built`)
}
