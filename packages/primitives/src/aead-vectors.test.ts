import { readFileSync } from "node:fs"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import { describe, expect, test } from "vitest"
import { engines } from "../test/engines.ts"
import type { AeadName } from "./engine.ts"

interface AeadVector {
  readonly name: string
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly ciphertext: string
  readonly tag: string
  /** A vector without it has to fail. */
  readonly plaintext?: string
}

/** So many times the same unit is more than a piece needs to be worth it, and no multiple of what goes side by side. */
const REPEAT_COUNT = 17

function readVectors(file: string, list = "vectors"): readonly AeadVector[] {
  const text = readFileSync(new URL(`../test/${file}`, import.meta.url), "utf8")
  return (JSON.parse(text) as Readonly<Record<string, readonly AeadVector[]>>)[list] ?? []
}

const WYCHEPROOF = "wycheproof-vectors.json"
const SUITES: readonly { readonly name: AeadName; readonly from: string; readonly vectors: readonly AeadVector[] }[] = [
  { name: "aes-gcm", from: "NIST", vectors: readVectors("gcm-vectors.json") },
  { name: "aes-gcm", from: "Wycheproof", vectors: readVectors(WYCHEPROOF, "aes-gcm") },
  { name: "chacha20-poly1305", from: "BoringSSL and OpenSSL", vectors: readVectors("chacha-vectors.json") },
  { name: "chacha20-poly1305", from: "Wycheproof", vectors: readVectors(WYCHEPROOF, "chacha20-poly1305") },
]

describe.each(engines)("$name engine", (engine) => {
  describe.each(SUITES)("$name, $from", ({ name, vectors }) => {
    test.each([1, REPEAT_COUNT])("the vectors, each %i times in a request", (count) => {
      expect(vectors.length).toBeGreaterThan(50)
      for (const vector of vectors) {
        const cipher = engine.aeadCipher(name, bytes(vector.key))
        const unitSize = vector.ciphertext.length / 2
        const units = { unitSize, ivs: bytes(vector.iv.repeat(count)), aads: bytes(vector.aad.repeat(count)) }
        const target = new Uint8Array(count * unitSize).fill(0xee)
        const sealed = {
          ...units,
          source: bytes(vector.ciphertext.repeat(count)),
          tags: bytes(vector.tag.repeat(count)),
        }
        const isValid = vector.plaintext !== undefined
        expect(cipher.decryptUnits({ ...sealed, target }), vector.name).toBe(isValid ? -1 : 0)
        expect(hex(target), vector.name).toBe((vector.plaintext ?? "00".repeat(unitSize)).repeat(count))
        if (isValid) {
          const tags = new Uint8Array(count * 16)
          cipher.encryptUnits({ ...units, source: target, target, tags })
          expect([hex(target), hex(tags)], vector.name).toEqual([hex(sealed.source), hex(sealed.tags)])
        }
        cipher.destroy()
      }
    })
  })
})
