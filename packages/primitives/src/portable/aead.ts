import { gcm } from "@noble/ciphers/aes.js"
import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { concatBytes } from "@noble/ciphers/utils.js"
import type { AeadHost, HostAeadName } from "../batch-aead.ts"
import type { PieceRule } from "../piece-aead.ts"
import type { UnitAead } from "../unit-aead.ts"

const IV_SIZE = 12
const TAG_SIZE = 16
const CIPHERS = { "aes-gcm": gcm, "chacha20-poly1305": chacha20poly1305 }

/** Kernels are 2 to 15 times as fast (0.8 for a large GCM unit alone), and hash in constant time, as noble's tables do not. */
const ALWAYS: PieceRule = { encryptionMin: () => 1, decryptionMin: () => 1 }

/** AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) by noble. */
export const portableAead: AeadHost = {
  unit: portableUnitAead,
  rules: { "aes-gcm": ALWAYS, "chacha20-poly1305": ALWAYS },
}

/** Noble verifies before it decrypts. */
function portableUnitAead(name: HostAeadName, key: Uint8Array): UnitAead {
  const cipher = CIPHERS[name]
  const ownKey = new Uint8Array(key)
  return {
    ivSize: IV_SIZE,
    tagSize: TAG_SIZE,
    encryptUnit({ source, target, iv, aad, tag }) {
      const sealed = cipher(ownKey, iv, aad).encrypt(source)
      target.set(sealed.subarray(0, source.length))
      tag.set(sealed.subarray(source.length))
    },
    decryptUnit({ source, target, iv, aad, tag }) {
      const opened = open(() => cipher(ownKey, iv, aad).decrypt(concatBytes(source, tag)))
      if (opened === undefined) return false
      target.set(opened)
      return true
    },
    destroy: () => void ownKey.fill(0),
  }
}

/** Noble's only answer to a wrong tag is an `Error` with these words; any other is a bug and stays one. */
function open(decrypt: () => Uint8Array): Uint8Array | undefined {
  try {
    return decrypt()
  } catch (error) {
    if (error instanceof Error && error.message.endsWith("invalid tag")) return undefined
    throw error
  }
}
