import { BlockError } from "@blockstrata/device"
import { type CipherExpression, isDriverName, isEssivHash, parseExpression, shapeOf } from "./kernel-cipher.ts"
import { quoteWord } from "./key.ts"

/** What a cipher specification says, whichever way it was spelled. Sizes in bytes. */
export interface CipherSpec {
  readonly algorithm: "aes-xts" | "aes-cbc" | "aes-gcm" | "chacha20-poly1305" | "aes-xts-hmac-sha256"
  readonly iv: "plain64" | "essiv:sha256" | "random"
  /** A tag is made for each sector, and kept by the device below. */
  readonly isAead: boolean
  readonly keySizes: readonly number[]
  readonly ivSize: number
  /** 0 without an AEAD. */
  readonly authTagSize: number
  /** The tag sizes below `authTagSize` that Linux takes. They are not built. */
  readonly truncatedTagSizes: readonly number[]
}

/** The `integrity:` option that a specification stands beside. */
export type IntegrityKind = "aead" | "none" | undefined

/** A specification taken apart, still in the kernel's words. */
interface Words {
  readonly isCapi: boolean
  /** More than one key, as it was written: `aes:64`. */
  readonly multikey: string | undefined
  readonly expression: string
  /** Empty if none is given. */
  readonly ivName: string
  readonly ivOption: string | undefined
}

const XTS = {
  algorithm: "aes-xts",
  isAead: false,
  keySizes: [32, 48, 64],
  ivSize: 16,
  authTagSize: 0,
  truncatedTagSizes: [],
} as const
const CBC = { ...XTS, algorithm: "aes-cbc", keySizes: [16, 24, 32] } as const
const GCM = {
  algorithm: "aes-gcm",
  isAead: true,
  keySizes: [16, 24, 32],
  ivSize: 12,
  authTagSize: 16,
  truncatedTagSizes: [4, 8, 12, 13, 14, 15],
} as const
const CHACHA = { ...GCM, algorithm: "chacha20-poly1305", keySizes: [32], truncatedTagSizes: [] } as const
/** The key of the cipher comes first, then 32 bytes of HMAC key. */
const AUTHENC = {
  algorithm: "aes-xts-hmac-sha256",
  isAead: true,
  keySizes: [64, 80, 96],
  ivSize: 16,
  authTagSize: 32,
  truncatedTagSizes: Array.from({ length: 31 }, (_, index) => index + 1),
} as const

/** Everything that is built here: expression and IV, in the kernel's words. */
export const BUILT: ReadonlyMap<string, CipherSpec> = new Map<string, CipherSpec>([
  ["xts(aes)-plain64", { ...XTS, iv: "plain64" }],
  ["cbc(aes)-plain64", { ...CBC, iv: "plain64" }],
  ["cbc(aes)-essiv:sha256", { ...CBC, iv: "essiv:sha256" }],
  // The template encrypts the plain64 IV itself: the same bytes (compared with a 6.1 kernel).
  ["essiv(cbc(aes),sha256)-plain64", { ...CBC, iv: "essiv:sha256" }],
  ["gcm(aes)-random", { ...GCM, iv: "random" }],
  ["rfc7539(chacha20,poly1305)-random", { ...CHACHA, iv: "random" }],
  ["authenc(hmac(sha256),xts(aes))-plain64", { ...AUTHENC, iv: "plain64" }],
  ["authenc(hmac(sha256),xts(aes))-random", { ...AUTHENC, iv: "random" }],
])

const BUILT_WORDS = new Set([...BUILT.keys()].flatMap((key) => key.split(/[(),-]+/)))
const IV_NAMES = new Set("plain plain64 plain64be essiv benbi null eboiv elephant lmk tcw random".split(" "))
/** IVs that Linux refuses over an AEAD. */
const SECTOR_IV_NAMES = new Set(["eboiv", "elephant", "lmk", "tcw"])

/**
 * Reads a cipher specification in the kernel's spelling: `aes-xts-plain64` or `capi:xts(aes)-plain64`.
 *
 * @throws BlockError `INVALID` if Linux 6.1 refuses it (also with this kind of integrity), `UNSUPPORTED` naming the
 * word that is not built, `REFUSED` for the null cipher.
 */
export function parseCipherSpec(spelling: string, integrity: IntegrityKind): CipherSpec {
  const words = spelling.startsWith("capi:") ? capiWords(spelling) : plainWords(spelling, integrity)
  const built = words.multikey === undefined ? BUILT.get(words.expression + ivText(words)) : undefined
  const tree = parseExpression(words.expression)
  if (tree === undefined) throw invalid(spelling, "Linux knows no such cipher")
  const names = namesOf(tree)
  if (names.includes("cipher_null"))
    throw new BlockError("REFUSED", `crypt: cipher ${quoteWord(spelling)}: the null cipher encrypts nothing: weak`)
  if (names.some(isDriverName)) throw unsupported(spelling, words, names)
  const shape = shapeOf(tree)
  if (shape === undefined || shape.kind === "block" || shape.kind === "hash" || shape.kind === "mac") {
    throw invalid(spelling, "Linux knows no such cipher")
  }
  if ((shape.kind === "aead") !== (integrity === "aead")) {
    throw invalid(
      spelling,
      shape.kind === "aead" ? "an AEAD needs integrity:N:aead" : "not an AEAD, as integrity:N:aead wants",
    )
  }
  // Linux ignores the IV of a mode that has none, but for the essiv template.
  if (shape.ivSize > 0 || words.ivName === "essiv")
    checkIv(words, spelling, shape.kind === "aead", shape.ivSize, integrity)
  if (built !== undefined) return built
  throw unsupported(spelling, words, names)
}

function unsupported(spelling: string, words: Words, names: readonly string[]): BlockError {
  return new BlockError(
    "UNSUPPORTED",
    `crypt: cipher ${quoteWord(spelling)}: ${unbuiltWord(words, names)} is not built`,
  )
}

function plainWords(spelling: string, integrity: IntegrityKind): Words {
  if (integrity === "aead" || /[()]/.test(spelling)) throw invalid(spelling, "only capi: spells such a cipher")
  const [cipher = "", mode, ...ivWords] = spelling.split("-")
  const [name, keyCount] = splitOnce(cipher, ":")
  if (keyCount !== undefined) checkKeyCount(keyCount, spelling)
  const multikey = keyCount === undefined ? undefined : cipher
  const [ivName, ivOption] = splitOnce(ivWords.join("-"), ":")
  // The oldest form: no mode, or only "plain", is CBC with 32-bit sector numbers.
  const isOldest = ivWords.length === 0 && (mode === undefined || mode === "plain")
  if (isOldest) return { isCapi: false, multikey, expression: `cbc(${name})`, ivName: "plain", ivOption: undefined }
  if (ivWords.length === 0 && mode !== "ecb") throw invalid(spelling, "an IV is missing")
  return { isCapi: false, multikey, expression: `${mode}(${name})`, ivName, ivOption }
}

function capiWords(spelling: string): Words {
  const text = spelling.slice("capi:".length)
  const dash = text.lastIndexOf("-")
  if (dash < 0) return { isCapi: true, multikey: undefined, expression: text, ivName: "", ivOption: undefined }
  const iv = text.slice(dash + 1)
  const colon = iv.lastIndexOf(":")
  const ivName = colon < 0 ? iv : iv.slice(0, colon)
  if (ivName === "") throw invalid(spelling, "an IV is missing")
  return {
    isCapi: true,
    multikey: undefined,
    expression: text.slice(0, dash),
    ivName,
    ivOption: colon < 0 ? undefined : iv.slice(colon + 1),
  }
}

function checkIv(words: Words, spelling: string, isAead: boolean, ivSize: number, integrity: IntegrityKind): void {
  const { ivName, ivOption } = words
  if (ivName === "" && words.isCapi) return
  if (!IV_NAMES.has(ivName) || (isAead && SECTOR_IV_NAMES.has(ivName)))
    throw invalid(spelling, "Linux knows no such IV here")
  if (ivName === "essiv" && (ivSize !== 16 || !isEssivHash(ivOption ?? "", words.expression.includes("aes"))))
    throw invalid(spelling, "Linux takes no such essiv")
  if (ivName === "random" && integrity === undefined) throw invalid(spelling, "a random IV needs an integrity option")
}

/** A number of keys for one volume: a power of two, read as an unsigned 32-bit number. */
function checkKeyCount(text: string, spelling: string): void {
  const count = /^\d{1,20}$/.test(text) ? BigInt.asUintN(32, BigInt(text)) : 0n
  if (count === 0n || (count & (count - 1n)) !== 0n) throw invalid(spelling, "the number of keys is no power of two")
}

function unbuiltWord(words: Words, names: readonly string[]): string {
  if (words.multikey !== undefined) return `the word ${quoteWord(words.multikey)}`
  const name = names.find((word) => !BUILT_WORDS.has(word))
  if (name !== undefined) return `the word ${quoteWord(name)}`
  const iv = ivText(words).slice(1)
  if (iv === "") return "a cipher without an IV"
  return `the word ${quoteWord(iv)}${BUILT_WORDS.has(iv) ? ` with ${words.expression}` : ""}`
}

function ivText({ ivName, ivOption }: Words): string {
  return ivOption === undefined ? `-${ivName}` : `-${ivName}:${ivOption}`
}

function namesOf({ name, args }: CipherExpression): string[] {
  return [name, ...args.flatMap(namesOf)]
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function invalid(spelling: string, why: string): BlockError {
  return new BlockError("INVALID", `crypt: cipher ${quoteWord(spelling)}: ${why}`)
}
