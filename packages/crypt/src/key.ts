import { BlockError, decodeHex, encodeHex } from "@blockstrata/device"
import { checkKeySize, type KeyRule } from "./key-layout.ts"

/** The key word of a table line. */
export type CryptKey =
  | { readonly kind: "hex"; readonly bytes: Uint8Array }
  | { readonly kind: "keyring"; readonly size: number; readonly type: KeyringType; readonly description: string }

export type KeyringType = (typeof KEYRING_TYPES)[number]

/** Finds the key that a line names by its description (`volume` in `:32:logon:volume`). The memory stays the resolver's. */
export type KeyResolver = (description: string) => Uint8Array | undefined

export const KEYRING_TYPES = ["logon", "user", "encrypted", "trusted"] as const

/**
 * Reads the key word: hexadecimal digits, `-` for an empty key, or `:size:type:description`.
 *
 * @throws BlockError `INVALID`, `UNSUPPORTED`. No message carries a part of the key.
 */
export function parseKey(word: string, rule: KeyRule): CryptKey {
  if (word.startsWith(":")) return parseKeyringKey(word, rule)
  const digits = word === "-" ? "" : word
  // The kernel reads pairs and does not look at what is left.
  if (/[^0-9a-fA-F]/.test(digits.slice(0, digits.length - (digits.length % 2)))) throw notHex()
  checkKeySize(Math.floor(digits.length / 2), rule)
  if (digits.length % 2 !== 0) {
    throw new BlockError(
      "UNSUPPORTED",
      "crypt: key: an odd number of hexadecimal digits, of which Linux drops the last",
    )
  }
  const bytes = decodeHex(digits)
  if (bytes === undefined) throw notHex()
  return { kind: "hex", bytes }
}

function notHex(): BlockError {
  return new BlockError("INVALID", "crypt: key: expected hexadecimal digits")
}

function parseKeyringKey(word: string, rule: KeyRule): CryptKey {
  const match = /^:(\d{1,9}):([^:]*):(.+)$/s.exec(word)
  const type = KEYRING_TYPES.find((known) => known === match?.[2])
  if (!match || type === undefined) {
    throw new BlockError(
      "INVALID",
      `crypt: key: expected :size:type:description with a type of ${KEYRING_TYPES.join(", ")}`,
    )
  }
  const size = Number(match[1])
  checkKeySize(size, rule)
  return { kind: "keyring", size, type, description: match[3] ?? "" }
}

/** The key word as the kernel prints it; zeros of the same length for a key in hexadecimal unless `showKeys`. */
export function printKey(key: CryptKey, showKeys: boolean): string {
  if (key.kind === "keyring") return `:${key.size}:${key.type}:${key.description}`
  if (key.bytes.length === 0) return "-"
  return showKeys ? encodeHex(key.bytes) : "00".repeat(key.bytes.length)
}

/**
 * The key bytes, in memory of their own that the caller wipes.
 *
 * @throws BlockError `INVALID` if the keyring has no such key, or one of another size.
 */
export function resolveKey(key: CryptKey, resolver: KeyResolver | undefined): Uint8Array {
  if (key.kind === "hex") return new Uint8Array(key.bytes)
  const name = quoteWord(printKey(key, false))
  const found = resolver?.(key.description)
  if (found === undefined) throw new BlockError("INVALID", `crypt: key ${name} was not found`)
  if (found.length !== key.size) {
    throw new BlockError("INVALID", `crypt: key ${name}: expected ${key.size} bytes, got ${found.length}`)
  }
  return new Uint8Array(found)
}

/** A word of a line, for a message. What could be a key in the wrong place is not shown, nor is anything long. */
export function quoteWord(word: string): string {
  if (/[0-9a-fA-F]{16}/.test(word)) return `of ${word.length} characters (not shown: it could hold a key)`
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 80)}...` : word)
}
