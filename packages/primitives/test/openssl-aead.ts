import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto"
import type { AeadName } from "../src/engine.ts"

const TAG_SIZE = 16
/** Of the engines. */
export const AEAD_IV_SIZES: Readonly<Record<AeadName, number>> = {
  "aes-gcm": 12,
  "aes-ccm": 11,
  "chacha20-poly1305": 12,
}

/** One unit of an AEAD, as OpenSSL takes it. */
export interface OpenSslUnit {
  readonly name: AeadName
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly aad: Uint8Array
}

/** The three have the same methods in node:crypto; its types know them by different names. */
function algorithmOf({ name, key }: OpenSslUnit): CipherGCMTypes {
  const mode = name === "chacha20-poly1305" ? name : name.replace("aes", `aes-${key.length * 8}`)
  return mode as CipherGCMTypes
}

/** Seals by an object of its own. */
export function sealByOpenSsl(unit: OpenSslUnit, plaintext: Uint8Array): { ciphertext: Uint8Array; tag: Uint8Array } {
  const cipher = createCipheriv(algorithmOf(unit), unit.key, unit.iv, { authTagLength: TAG_SIZE })
  cipher.setAAD(unit.aad, { plaintextLength: plaintext.length })
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}

/** Whether an object of its own takes it for authentic. */
export function opensByOpenSsl(unit: OpenSslUnit, ciphertext: Uint8Array, tag: Uint8Array): boolean {
  const decipher = createDecipheriv(algorithmOf(unit), unit.key, unit.iv, { authTagLength: TAG_SIZE })
  decipher.setAAD(unit.aad, { plaintextLength: ciphertext.length }).setAuthTag(tag)
  try {
    decipher.update(ciphertext)
    decipher.final()
    return true
  } catch {
    return false
  }
}
