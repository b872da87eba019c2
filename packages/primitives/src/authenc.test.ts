import { createCipheriv } from "node:crypto"
import { concatBytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { HASH_NAMES, macByHost } from "../test/host-digest.ts"
import { flipBit, patternBytes, place, placements } from "../test/placement.ts"

const CIPHERS = ["aes-cbc", "aes-ctr", "aes-xts"] as const
const COMBINATIONS = HASH_NAMES.flatMap((hash) => CIPHERS.map((cipher) => ({ hash, cipher })))

/** Requests of few units and of many, which go other ways through the ciphers. */
const requests = fc
  .record({
    unitSize: fc.constantFrom(16, 512, 2064),
    unitCount: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 31, max: 40 })),
    aadSize: fc.constantFrom(0, 8, 24),
    aesKeySize: fc.constantFrom(16, 24, 32),
  })
  .chain((sizes) =>
    fc.record({
      sizes: fc.constant(sizes),
      macKey: fc.uint8Array({ maxLength: 150 }),
      cutSize: fc.option(fc.integer({ min: 0, max: 48 }), { nil: undefined }),
      seed: fc.integer({ min: 1, max: 1e6 }),
      places: fc.tuple(placements, placements, placements),
      isInPlace: fc.boolean(),
    }),
  )

/** A sector by OpenSSL alone, which has no XTS of 192 bits. */
function encipher(cipher: (typeof CIPHERS)[number], key: Uint8Array, iv: Uint8Array, sector: Uint8Array): Uint8Array {
  const bits = (cipher === "aes-xts" ? key.length / 2 : key.length) * 8
  return createCipheriv(cipher.replace("aes", `aes-${bits}`), key, iv)
    .update(sector)
    .subarray(0, sector.length)
}

describe.each(engines)("authenc of the $name engine", (engine) => {
  test.each(COMBINATIONS)(
    "of $hash and $cipher is the cipher, then HMAC over AAD and ciphertext, unit by unit",
    ({ hash, cipher: cipherName }) => {
      fc.assert(
        fc.property(requests, ({ sizes, macKey, cutSize, seed, places, isInPlace }) => {
          const { unitSize, unitCount, aadSize, aesKeySize } = sizes
          const cipherKey = patternBytes(
            cipherName === "aes-xts" ? (aesKeySize === 24 ? 64 : 2 * aesKeySize) : aesKeySize,
          )
          const digestSize = macByHost(hash, macKey, new Uint8Array(0)).length
          const tagSize = cutSize === undefined ? undefined : Math.max(16, digestSize - cutSize)
          const cipher = engine.authenc({ hash, macKey, cipher: cipherName, cipherKey, tagSize })
          const data = patternBytes(unitCount * unitSize, seed)
          const ivs = patternBytes(unitCount * 16, seed + 1)
          const aads = patternBytes(unitCount * aadSize, seed + 2)
          const source = place(data, places[0])
          const target = isInPlace ? source : place(new Uint8Array(data.length), places[1])
          const tags = place(new Uint8Array(unitCount * cipher.tagSize), places[2])
          cipher.encryptUnits({ source, target, unitSize, ivs, aads, tags })
          for (let index = 0; index < unitCount; index++) {
            const at = (all: Uint8Array, size: number) => all.subarray(index * size, (index + 1) * size)
            const ciphertext = encipher(cipherName, cipherKey, at(ivs, 16), at(data, unitSize))
            expect(hex(at(target, unitSize))).toBe(hex(ciphertext))
            const tag = macByHost(hash, macKey, concatBytes(at(aads, aadSize), ciphertext))
            expect(cipher.tagSize).toBe(tagSize ?? digestSize)
            expect(hex(at(tags, cipher.tagSize))).toBe(hex(tag.subarray(0, cipher.tagSize)))
          }
          const sealed = { source: target, target, unitSize, ivs, aads, tags }
          if (unitCount > 0) {
            const copy = target.slice()
            const failedUnit = seed % unitCount
            const tampered = tags.slice()
            flipBit(tampered, failedUnit * cipher.tagSize * 8 + (seed % (cipher.tagSize * 8)))
            expect(cipher.decryptUnits({ ...sealed, tags: tampered })).toBe(failedUnit)
            expect(hex(target)).toBe(hex(data.slice().fill(0, failedUnit * unitSize)))
            target.set(copy)
          }
          expect(cipher.decryptUnits(sealed)).toBe(-1)
          expect(hex(target)).toBe(hex(data))
        }),
        { numRuns: runCount(3) },
      )
    },
  )

  test("has the sizes of its parts", () => {
    const keys = { macKey: patternBytes(20), cipherKey: patternBytes(32) }
    const sizesOf = (hash: "sha1" | "sha512", cipher: "aes-xts" | "aes-ecb") => {
      const { ivSize, tagSize } = engine.authenc({ ...keys, hash, cipher })
      return { ivSize, tagSize }
    }
    expect(sizesOf("sha1", "aes-xts")).toEqual({ ivSize: 16, tagSize: 20 })
    expect(sizesOf("sha512", "aes-ecb")).toEqual({ ivSize: 0, tagSize: 64 })
    for (const tagSize of [0, 4, 15, 21, 16.5, Number.NaN])
      expect(() => engine.authenc({ ...keys, hash: "sha1", cipher: "aes-xts", tagSize })).toThrow(RangeError)
  })

  test("a forgery deep in a request of many units is named", () => {
    const options = {
      hash: "sha512",
      macKey: patternBytes(64),
      cipher: "aes-ctr",
      cipherKey: patternBytes(32),
    } as const
    const cipher = engine.authenc(options)
    const unitCount = 2500
    const data = patternBytes(unitCount * 16)
    const batch = {
      source: data,
      target: data,
      unitSize: 16,
      ivs: patternBytes(unitCount * 16),
      aads: new Uint8Array(0),
    }
    const tags = new Uint8Array(unitCount * 64)
    cipher.encryptUnits({ ...batch, tags })
    flipBit(tags, (2400 * 64 + 63) * 8 + 7)
    expect(cipher.decryptUnits({ ...batch, tags })).toBe(2400)
    expect(hex(data.subarray(0, 2400 * 16))).toBe(hex(patternBytes(unitCount * 16).subarray(0, 2400 * 16)))
    expect(data.subarray(2400 * 16).every((byte) => byte === 0)).toBe(true)
  })
})
