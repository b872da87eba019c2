import { type CipherGCMTypes, createCipheriv, createDecipheriv, type DecipherGCM } from "node:crypto"
import type { AeadHost, HostAeadName } from "../batch-aead.ts"
import type { PieceRule } from "../piece-aead.ts"
import type { UnitAead } from "../unit-aead.ts"
import { nodeGmac } from "./gmac.ts"

const IV_SIZE = 12
const TAG_SIZE = 16
/** Without it OpenSSL would accept shorter, weaker tags. */
const OPTIONS = { authTagLength: TAG_SIZE }

/**
 * When a batch is faster than one object a unit, measured on Node 20, 22 and 24. An object takes 1 to 2 us to make, on
 * Node 24 it takes 10, and from there on OpenSSL is faster than any kernel.
 *
 * - GCM is read by one GMAC and one ECB call, which cost as much as two objects. Large units gain nothing.
 * - GCM is written with a GHASH of WebAssembly for sixteen units side by side, which takes as long if there are fewer. In
 *   units of 4096 bytes all sixteen are as fast as their objects, and on Node 24 four times as fast.
 * - ChaCha20-Poly1305 in WebAssembly is faster from 2 KiB of small units on, on Node 22 and 24 from one unit of 512 bytes.
 *   In units of 4096 bytes it has 0.8 of the speed of an object, on Node 24 three times.
 */
const RULES: Readonly<Record<HostAeadName, PieceRule>> = {
  "aes-gcm": {
    encryptionMin: (unitSize) => (unitSize <= 4096 ? Math.min(Math.max(4, unitSize / 128), 16) : Infinity),
    decryptionMin: (unitSize) => (unitSize <= 16384 ? 2 : Infinity),
  },
  "chacha20-poly1305": {
    encryptionMin: (unitSize) => (unitSize <= 2048 ? unitSize / 512 : Infinity),
    decryptionMin: (unitSize) => (unitSize <= 2048 ? unitSize / 512 : Infinity),
  },
}

/** AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) by OpenSSL. */
export const nodeAead: AeadHost = { unit: nodeUnitAead, gcmVerifier: nodeGmac, rules: RULES }

function nodeUnitAead(name: HostAeadName, key: Uint8Array): UnitAead {
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
