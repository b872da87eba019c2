import { createCipheriv } from "node:crypto"
import { equalBytes } from "@noble/ciphers/utils.js"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { bytesOf, isGuarded, patternBytes, place, placements } from "../test/placement.ts"
import type { SectorCipherName } from "./engine.ts"

/** NIST SP 800-38A, appendix F: the plaintext of all modes, the three keys, and per mode the IV and three ciphertexts. */
const PLAINTEXT =
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
  "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
const KEYS = [
  "2b7e151628aed2a6abf7158809cf4f3c",
  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
]
const CASES: readonly { name: SectorCipherName; iv: string; ciphertexts: readonly string[] }[] = [
  {
    name: "aes-ecb",
    iv: "",
    ciphertexts: [
      "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
      "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eefef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e",
      "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
    ],
  },
  {
    name: "aes-cbc",
    iv: "000102030405060708090a0b0c0d0e0f",
    ciphertexts: [
      "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
      "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
      "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    ],
  },
  {
    name: "aes-ctr",
    iv: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    ciphertexts: [
      "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
      "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e941e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
      "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
    ],
  },
]
const MODES: readonly SectorCipherName[] = ["aes-ecb", "aes-cbc", "aes-ctr", "aes-xts"]

/** Each sector by an object of its own. OpenSSL's XTS has no 192-bit keys. */
function encryptByOpenSsl(name: string, key: Uint8Array, source: Uint8Array, sectorSize: number, ivs: Uint8Array) {
  const bits = (name === "aes-xts" ? key.length / 2 : key.length) * 8
  const target = new Uint8Array(source.length)
  for (let start = 0, index = 0; start < source.length; start += sectorSize, index++) {
    const iv = name === "aes-ecb" ? null : ivs.subarray(index * 16, (index + 1) * 16)
    const cipher = createCipheriv(`aes-${bits}-${name.slice(4)}`, key, iv).setAutoPadding(false)
    target.set(cipher.update(source.subarray(start, start + sectorSize)), start)
  }
  return target
}

const requests = fc
  .record({
    name: fc.constantFrom(...MODES),
    keySize: fc.constantFrom(16, 24, 32),
    sectorSize: fc.constantFrom(16, 48, 512, 4096),
    sectorCount: fc.integer({ min: 0, max: 9 }),
  })
  .filter(({ name, keySize }) => name !== "aes-xts" || keySize !== 24)
  .chain(({ name, keySize, sectorSize, sectorCount }) =>
    fc.record({
      name: fc.constant(name),
      sectorSize: fc.constant(sectorSize),
      key: bytesOf(name === "aes-xts" ? keySize * 2 : keySize).filter((key) => hex(key).search(/^(.*)\1$/) < 0),
      data: bytesOf(sectorCount * sectorSize),
      ivs: bytesOf(name === "aes-ecb" ? 0 : sectorCount * 16),
      places: fc.tuple(placements, placements, placements),
      isInPlace: fc.boolean(),
    }),
  )

describe.each(engines)("sector ciphers of the $name engine", (engine) => {
  describe.each(CASES)("$name answers as SP 800-38A", ({ name, iv, ciphertexts }) => {
    test.each(ciphertexts.map((ciphertext, index) => ({ key: KEYS[index] ?? "", ciphertext })))(
      "key $key",
      ({ key, ciphertext }) => {
        const cipher = engine.sectorCipher(name, bytes(key))
        expect(cipher.ivSize).toBe(iv.length / 2)
        const target = new Uint8Array(64)
        cipher.encryptSectors(bytes(PLAINTEXT), target, 64, bytes(iv))
        expect(hex(target)).toBe(ciphertext)
        cipher.decryptSectors(target, target, 64, bytes(iv))
        expect(hex(target)).toBe(PLAINTEXT)
      },
    )
  })

  test("every sector is what OpenSSL makes of it alone, at any alignment, in place or not", () => {
    fc.assert(
      fc.property(requests, ({ name, sectorSize, key, data, ivs, places, isInPlace }) => {
        const cipher = engine.sectorCipher(name, key)
        const source = place(data, places[0])
        const target = isInPlace ? source : place(new Uint8Array(data.length), places[1])
        const placedIvs = place(ivs, places[2])
        cipher.encryptSectors(source, target, sectorSize, placedIvs)
        expect(hex(target)).toBe(hex(encryptByOpenSsl(name, key, data, sectorSize, ivs)))
        expect(hex(source)).toBe(hex(isInPlace ? target : data))
        const ciphertext = hex(target)
        const opened = isInPlace ? target : place(new Uint8Array(data.length), places[0])
        cipher.decryptSectors(target, opened, sectorSize, placedIvs)
        expect(hex(opened)).toBe(hex(data))
        expect(hex(target)).toBe(isInPlace ? hex(data) : ciphertext)
        expect(hex(placedIvs)).toBe(hex(ivs))
        expect([source, target, opened, placedIvs].every(isGuarded)).toBe(true)
      }),
      { numRuns: runCount(60) },
    )
  })

  test.each(MODES)("%s: requests of several pieces, and sectors larger than a piece", (name) => {
    const key = patternBytes(name === "aes-xts" ? 64 : 32)
    const cipher = engine.sectorCipher(name, key)
    for (const [sectorSize, sectorCount] of [
      [512, 600],
      [4096, 33],
      [48, 3000],
      [262144, 2],
    ] as const) {
      const data = patternBytes(sectorSize * sectorCount, sectorSize)
      const ivs = patternBytes(sectorCount * cipher.ivSize, 7)
      const target = data.slice()
      cipher.encryptSectors(target, target, sectorSize, ivs)
      expect(equalBytes(target, encryptByOpenSsl(name, key, data, sectorSize, ivs))).toBe(true)
      cipher.decryptSectors(target, target, sectorSize, ivs)
      expect(equalBytes(target, data)).toBe(true)
    }
  })

  test.each(["ffffffffffffffff", "00000000ffffffff", "fffffffffffffffe"])("counters carry beyond ...%s", (low) => {
    const key = patternBytes(16)
    for (const high of ["ffffffffffffffff", "00000000ffffffff", "0000000000000000"]) {
      const iv = bytes(high + low)
      const target = new Uint8Array(512)
      engine.sectorCipher("aes-ctr", key).encryptSectors(new Uint8Array(512), target, 512, iv)
      expect(hex(target)).toBe(hex(encryptByOpenSsl("aes-ctr", key, new Uint8Array(512), 512, iv)))
    }
  })
})
