import { BlockError } from "@blockstrata/device"
import { quoteWord } from "./key.ts"

/** A specification taken apart, still in the kernel's words. */
export interface CipherWords {
  readonly isCapi: boolean
  /** Keys of one volume: `aes:64` has 64. */
  readonly keyCount: number
  /** As the kernel's crypto API writes it: `cbc(aes)`. */
  readonly expression: string
  /** Undefined if no IV is said: not the same as an empty word. */
  readonly ivName: string | undefined
  readonly ivOption: string | undefined
}

/** Takes apart `cipher[:keys]-mode-iv[:option]`, or `capi:expression-iv[:option]`. @throws BlockError `INVALID`. */
export function cipherWords(spelling: string): CipherWords {
  return spelling.startsWith("capi:") ? capiWords(spelling.slice("capi:".length)) : plainWords(spelling)
}

function plainWords(spelling: string): CipherWords {
  if (/[()]/.test(spelling)) throw invalidCipher(spelling, "only capi: spells such a cipher")
  const [cipher = "", mode, ...ivWords] = spelling.split("-")
  const [name, countWord] = splitOnce(cipher, ":")
  const keyCount = countWord === undefined ? 1 : readKeyCount(countWord, spelling)
  const shared = { isCapi: false, keyCount }
  // The oldest form: no mode, or only "plain", is CBC with 32-bit sector numbers.
  if (ivWords.length === 0 && (mode === undefined || mode === "plain"))
    return { ...shared, expression: `cbc(${name})`, ivName: "plain", ivOption: undefined }
  const expression = `${mode}(${name})`
  if (ivWords.length > 0) {
    const [ivName, ivOption] = splitOnce(ivWords.join("-"), ":")
    return { ...shared, expression, ivName, ivOption }
  }
  if (mode !== "ecb") throw invalidCipher(spelling, "an IV is missing")
  return { ...shared, expression, ivName: undefined, ivOption: undefined }
}

/** The option is what stands behind the last colon, for the name of a hash may have a dash in it. */
function capiWords(text: string): CipherWords {
  const colon = text.lastIndexOf(":")
  const ivOption = colon < 0 ? undefined : text.slice(colon + 1)
  const rest = colon < 0 ? text : text.slice(0, colon)
  const dash = rest.lastIndexOf("-")
  const ivName = dash < 0 ? undefined : rest.slice(dash + 1)
  // Where no number of keys can be said, lmk has as many as loop-AES.
  const keyCount = ivName === "lmk" ? 64 : 1
  return { isCapi: true, keyCount, expression: dash < 0 ? rest : rest.slice(0, dash), ivName, ivOption }
}

/** A power of two, read as an unsigned 32-bit number. */
function readKeyCount(text: string, spelling: string): number {
  const count = /^\d{1,20}$/.test(text) ? BigInt.asUintN(32, BigInt(text)) : 0n
  if (count === 0n || (count & (count - 1n)) !== 0n)
    throw invalidCipher(spelling, "the number of keys is no power of two")
  return Number(count)
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** What Linux refuses. */
export function invalidCipher(spelling: string, why: string): BlockError {
  return new BlockError("INVALID", `crypt: cipher ${quoteWord(spelling)}: ${why}`)
}
