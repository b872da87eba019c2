import { hexToBytes as bytes } from "@noble/hashes/utils.js"
import { describe, expect, test } from "vitest"
import { type AeadVector, expectAeadVector, readAeadVectors } from "../test/aead-vector.ts"
import { engines } from "../test/engines.ts"
import { AEAD_IV_SIZES } from "../test/openssl-aead.ts"
import type { AeadName } from "./engine.ts"

/** So many times the same unit is more than a piece needs to be worth it, and no multiple of what goes side by side. */
const REPEAT_COUNT = 17

interface Suite {
  readonly name: AeadName
  readonly from: string
  readonly vectors: readonly AeadVector[]
  readonly countMin: number
}

const WYCHEPROOF = "wycheproof-vectors.json"
const SUITES: readonly Suite[] = [
  { name: "aes-gcm", from: "NIST", vectors: readAeadVectors("gcm-vectors.json"), countMin: 50 },
  { name: "aes-gcm", from: "Wycheproof", vectors: readAeadVectors(WYCHEPROOF, "aes-gcm"), countMin: 50 },
  // Those with IVs of other sizes: ccm.test.ts.
  { name: "aes-ccm", from: "NIST", vectors: readAeadVectors("ccm-vectors.json"), countMin: 30 },
  { name: "aes-ccm", from: "Linux", vectors: readAeadVectors("ccm-vectors.json", "linux"), countMin: 3 },
  { name: "aes-ccm", from: "Wycheproof", vectors: readAeadVectors(WYCHEPROOF, "aes-ccm"), countMin: 18 },
  {
    name: "chacha20-poly1305",
    from: "BoringSSL and OpenSSL",
    vectors: readAeadVectors("chacha-vectors.json"),
    countMin: 50,
  },
  {
    name: "chacha20-poly1305",
    from: "Wycheproof",
    vectors: readAeadVectors(WYCHEPROOF, "chacha20-poly1305"),
    countMin: 50,
  },
]

describe.each(engines)("$name engine", (engine) => {
  describe.each(SUITES)("$name, $from", ({ name, vectors, countMin }) => {
    test.each([1, REPEAT_COUNT])("the vectors, each %i times in a request", (count) => {
      const fitting = vectors.filter(({ iv }) => iv.length / 2 === AEAD_IV_SIZES[name])
      expect(fitting.length).toBeGreaterThanOrEqual(countMin)
      for (const vector of fitting) expectAeadVector(engine.aeadCipher(name, bytes(vector.key)), vector, count)
    })
  })
})
