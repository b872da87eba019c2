import { type CipherGCMTypes, createCipheriv, createDecipheriv, type DecipherGCM } from "node:crypto"
import type { AeadName } from "../engine.ts"
import type { UnitAead } from "../unit-aead.ts"

const IV_SIZE = 12
const TAG_SIZE = 16
/** Without it OpenSSL would accept shorter, weaker tags. */
const OPTIONS = { authTagLength: TAG_SIZE }

/** AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) by OpenSSL. */
export function nodeAead(name: AeadName, key: Uint8Array): UnitAead {
  // Both have the same methods in node:crypto; its types know them by different names.
  const algorithm = (name === "aes-gcm" ? `aes-${key.length * 8}-gcm` : name) as CipherGCMTypes
  const ownKey = new Uint8Array(key)
  return {
    ivSize: IV_SIZE,
    tagSize: TAG_SIZE,
    encryptUnit({ source, target, iv, aad, tag }) {
      const cipher = createCipheriv(algorithm, ownKey, iv, OPTIONS)
      cipher.setAAD(aad)
      target.set(cipher.update(source))
      cipher.final()
      tag.set(cipher.getAuthTag())
    },
    decryptUnit({ source, target, iv, aad, tag }) {
      const decipher = createDecipheriv(algorithm, ownKey, iv, OPTIONS)
      decipher.setAAD(aad)
      decipher.setAuthTag(tag)
      const opened = decipher.update(source)
      if (!isAuthentic(decipher)) {
        opened.fill(0)
        return false
      }
      target.set(opened)
      return true
    },
    destroy: () => void ownKey.fill(0),
  }
}

/** The only thing that `final` still does for an AEAD is to compare the tags. */
function isAuthentic(decipher: DecipherGCM): boolean {
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}
