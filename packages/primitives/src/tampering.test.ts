import { bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { flipBit, patternBytes } from "../test/placement.ts"
import type { AeadCipher, Engine } from "./engine.ts"

const UNIT_SIZE = 48
const UNIT_COUNT = 6
const AAD_SIZE = 24
const CIPHERS: readonly { name: string; create(engine: Engine): AeadCipher }[] = [
  { name: "aes-gcm", create: (engine) => engine.aeadCipher("aes-gcm", patternBytes(32)) },
  { name: "aes-ccm", create: (engine) => engine.aeadCipher("aes-ccm", patternBytes(24)) },
  { name: "chacha20-poly1305", create: (engine) => engine.aeadCipher("chacha20-poly1305", patternBytes(32)) },
  {
    name: "authenc(hmac(sha256),xts(aes))",
    create: (engine) =>
      engine.authenc({ hash: "sha256", macKey: patternBytes(32, 2), cipher: "aes-xts", cipherKey: patternBytes(64) }),
  },
  {
    name: "authenc(hmac(sha512),cbc(aes))",
    create: (engine) =>
      engine.authenc({ hash: "sha512", macKey: patternBytes(64, 2), cipher: "aes-cbc", cipherKey: patternBytes(32) }),
  },
  {
    name: "authenc(hmac(sha1),ctr(aes))",
    create: (engine) =>
      engine.authenc({ hash: "sha1", macKey: patternBytes(20, 2), cipher: "aes-ctr", cipherKey: patternBytes(16) }),
  },
]

/** A request as it was sealed; every call gives fresh copies. */
function sealedRequest(cipher: AeadCipher) {
  const plaintext = patternBytes(UNIT_COUNT * UNIT_SIZE, 9)
  const batch = {
    source: plaintext,
    target: new Uint8Array(plaintext.length),
    unitSize: UNIT_SIZE,
    ivs: patternBytes(UNIT_COUNT * cipher.ivSize, 3),
    aads: patternBytes(UNIT_COUNT * AAD_SIZE, 4),
    tags: new Uint8Array(UNIT_COUNT * cipher.tagSize),
  }
  cipher.encryptUnits(batch)
  return { plaintext, sealed: { ...batch, source: batch.target, target: new Uint8Array(plaintext.length).fill(0xee) } }
}

describe.each(engines)("$name engine", (engine) => {
  describe.each(CIPHERS)("$name", ({ name, create }) => {
    // The IV of authenc is authenticated by the AAD that holds it, and by nothing else.
    const parts = (["source", "tags", "aads", "ivs"] as const).filter(
      (part) => part !== "ivs" || !name.startsWith("authenc"),
    )

    test.each(parts)("finds any flipped bit of %s and names its unit", (part) => {
      const cipher = create(engine)
      const { plaintext, sealed } = sealedRequest(cipher)
      fc.assert(
        fc.property(fc.integer({ min: 0, max: sealed[part].length * 8 - 1 }), fc.boolean(), (bit, isInPlace) => {
          const source = sealed.source.slice()
          const request = { ...sealed, source, target: isInPlace ? source : sealed.target.slice() }
          const tampered = part === "source" ? source : sealed[part].slice()
          flipBit(tampered, bit)
          const failedUnit = Math.floor(bit / 8 / (tampered.length / UNIT_COUNT))
          expect(cipher.decryptUnits({ ...request, [part]: tampered })).toBe(failedUnit)
          const good = failedUnit * UNIT_SIZE
          expect(hex(request.target.subarray(0, good))).toBe(hex(plaintext.subarray(0, good)))
          expect(request.target.subarray(good).every((byte) => byte === 0)).toBe(true)
        }),
        { numRuns: runCount(40) },
      )
    })

    test("finds swapped units, and the first of several that fail", () => {
      const cipher = create(engine)
      const { sealed } = sealedRequest(cipher)
      const source = sealed.source.slice()
      source.set(sealed.source.subarray(4 * UNIT_SIZE, 5 * UNIT_SIZE), 2 * UNIT_SIZE)
      source.set(sealed.source.subarray(2 * UNIT_SIZE, 3 * UNIT_SIZE), 4 * UNIT_SIZE)
      expect(cipher.decryptUnits({ ...sealed, source })).toBe(2)
      expect(cipher.decryptUnits(sealed)).toBe(-1)
    })

    test("a verification leaves source and tags as they were", () => {
      const cipher = create(engine)
      const { sealed } = sealedRequest(cipher)
      const before = [hex(sealed.source), hex(sealed.tags)]
      flipBit(sealed.aads, 0)
      expect(cipher.decryptUnits(sealed)).toBe(0)
      expect([hex(sealed.source), hex(sealed.tags)]).toEqual(before)
    })
  })
})
