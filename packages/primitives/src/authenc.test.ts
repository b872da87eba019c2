import { createCipheriv, createHmac } from "node:crypto"
import { bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { bytesOf, flipBit, patternBytes, place, placements } from "../test/placement.ts"

const requests = fc
  .record({ unitSize: fc.constantFrom(16, 512, 4096), unitCount: fc.integer({ min: 0, max: 5 }) })
  .chain(({ unitSize, unitCount }) =>
    fc.record({
      unitSize: fc.constant(unitSize),
      hash: fc.constantFrom("sha1" as const, "sha256" as const, "sha512" as const),
      macKey: fc.uint8Array({ maxLength: 150 }),
      cipherKey: bytesOf(32),
      data: bytesOf(unitCount * unitSize),
      ivs: bytesOf(unitCount * 16),
      aads: bytesOf(unitCount * 24),
      places: fc.tuple(placements, placements, placements),
    }),
  )

describe.each(engines)("authenc of the $name engine", (engine) => {
  test("is CBC, then HMAC over AAD and ciphertext, unit by unit", () => {
    fc.assert(
      fc.property(requests, ({ unitSize, hash, macKey, cipherKey, data, ivs, aads, places }) => {
        const cipher = engine.authenc({ hash, macKey, cipher: "aes-cbc", cipherKey })
        const unitCount = ivs.length / 16
        const source = place(data, places[0])
        const target = place(new Uint8Array(data.length), places[1])
        const tags = place(new Uint8Array(unitCount * cipher.tagSize), places[2])
        cipher.encryptUnits({ source, target, unitSize, ivs, aads, tags })
        for (let index = 0; index < unitCount; index++) {
          const at = (all: Uint8Array, size: number) => all.subarray(index * size, (index + 1) * size)
          const openSsl = createCipheriv("aes-256-cbc", cipherKey, at(ivs, 16))
          const ciphertext = openSsl.update(at(data, unitSize)).subarray(0, unitSize)
          expect(hex(at(target, unitSize))).toBe(hex(ciphertext))
          const tag = createHmac(hash, macKey).update(at(aads, 24)).update(ciphertext).digest("hex")
          expect(hex(at(tags, cipher.tagSize))).toBe(tag)
        }
        expect(cipher.decryptUnits({ source: target, target, unitSize, ivs, aads, tags })).toBe(-1)
        expect(hex(target)).toBe(hex(data))
      }),
      { numRuns: runCount(40) },
    )
  })

  test("has the sizes of its parts", () => {
    const keys = { macKey: patternBytes(20), cipherKey: patternBytes(32) }
    const sizesOf = (hash: "sha1" | "sha512", cipher: "aes-xts" | "aes-ecb") => {
      const { ivSize, tagSize } = engine.authenc({ ...keys, hash, cipher })
      return { ivSize, tagSize }
    }
    expect(sizesOf("sha1", "aes-xts")).toEqual({ ivSize: 16, tagSize: 20 })
    expect(sizesOf("sha512", "aes-ecb")).toEqual({ ivSize: 0, tagSize: 64 })
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
