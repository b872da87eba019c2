import { hexToBytes as bytes, bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { AEAD_IV_SIZES, sealByOpenSsl } from "../test/openssl-aead.ts"
import { bytesOf, isGuarded, place, placements } from "../test/placement.ts"
import type { AeadName } from "./engine.ts"

const GCM_PLAINTEXT =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
const GCM_AAD = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
const GCM_IV = "cafebabefacedbaddecaf888"

interface AeadCase {
  readonly source: string
  readonly name: AeadName
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly plaintext: string
  readonly ciphertext: string
  readonly tag: string
}

const CASES: readonly AeadCase[] = [
  {
    source: "GCM specification, test case 1",
    name: "aes-gcm",
    key: "00".repeat(16),
    iv: "00".repeat(12),
    aad: "",
    plaintext: "",
    ciphertext: "",
    tag: "58e2fccefa7e3061367f1d57a4e7455a",
  },
  {
    source: "GCM specification, test case 2",
    name: "aes-gcm",
    key: "00".repeat(16),
    iv: "00".repeat(12),
    aad: "",
    plaintext: "00".repeat(16),
    ciphertext: "0388dace60b6a392f328c2b971b2fe78",
    tag: "ab6e47d42cec13bdf53a67b21257bddf",
  },
  {
    source: "GCM specification, test case 3",
    name: "aes-gcm",
    key: "feffe9928665731c6d6a8f9467308308",
    iv: GCM_IV,
    aad: "",
    plaintext: GCM_PLAINTEXT,
    ciphertext:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
    tag: "4d5c2af327cd64a62cf35abd2ba6fab4",
  },
  {
    source: "GCM specification, test case 4",
    name: "aes-gcm",
    key: "feffe9928665731c6d6a8f9467308308",
    iv: GCM_IV,
    aad: GCM_AAD,
    plaintext: GCM_PLAINTEXT.slice(0, 120),
    ciphertext:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
    tag: "5bc94fbc3221a5db94fae95ae7121a47",
  },
  {
    source: "GCM specification, test case 10",
    name: "aes-gcm",
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c",
    iv: GCM_IV,
    aad: GCM_AAD,
    plaintext: GCM_PLAINTEXT.slice(0, 120),
    ciphertext:
      "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
    tag: "2519498e80f1478f37ba55bd6d27618c",
  },
  {
    source: "GCM specification, test case 16",
    name: "aes-gcm",
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    iv: GCM_IV,
    aad: GCM_AAD,
    plaintext: GCM_PLAINTEXT.slice(0, 120),
    ciphertext:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
    tag: "76fc6ece0f4e1768cddf8853bb2d551b",
  },
  {
    source: "RFC 8439, 2.8.2",
    name: "chacha20-poly1305",
    key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    iv: "070000004041424344454647",
    aad: "50515253c0c1c2c3c4c5c6c7",
    plaintext: hex(
      utf8ToBytes(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
      ),
    ),
    ciphertext:
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
    tag: "1ae10b594f09e26a7e902ecbd0600691",
  },
]

const requests = fc
  .record({
    name: fc.constantFrom<AeadName>("aes-gcm", "aes-ccm", "chacha20-poly1305"),
    unitSize: fc.constantFrom(0, 1, 16, 77, 512),
    unitCount: fc.integer({ min: 0, max: 5 }),
    aadSize: fc.constantFrom(0, 1, 8, 24),
    aesKeySize: fc.constantFrom(16, 24, 32),
  })
  // Node makes no tag of an empty CCM unit; known answers have that.
  .map((sizes) => (sizes.name === "aes-ccm" && sizes.unitSize === 0 ? { ...sizes, unitSize: 15 } : sizes))
  .chain(({ name, unitSize, unitCount, aadSize, aesKeySize }) =>
    fc.record({
      name: fc.constant(name),
      unitSize: fc.constant(unitSize),
      key: bytesOf(name === "chacha20-poly1305" ? 32 : aesKeySize),
      data: bytesOf(unitCount * unitSize),
      ivs: bytesOf(unitCount * AEAD_IV_SIZES[name]),
      aads: bytesOf(unitCount * aadSize),
      places: fc.tuple(placements, placements, placements, placements, placements),
      isInPlace: fc.boolean(),
    }),
  )

/** Ciphertexts and tags of all units, each by an object of its own. */
function sealEach(name: AeadName, key: Uint8Array, data: Uint8Array, ivs: Uint8Array, aads: Uint8Array) {
  const count = ivs.length / AEAD_IV_SIZES[name]
  const pieceOf = (all: Uint8Array, index: number) =>
    all.subarray((index * all.length) / count, ((index + 1) * all.length) / count)
  const sealed = { ciphertext: "", tags: "" }
  for (let index = 0; index < count; index++) {
    const unit = { name, key, iv: pieceOf(ivs, index), aad: pieceOf(aads, index) }
    const { ciphertext, tag } = sealByOpenSsl(unit, pieceOf(data, index))
    sealed.ciphertext += hex(ciphertext)
    sealed.tags += hex(tag)
  }
  return sealed
}

describe.each(engines)("AEADs of the $name engine", (engine) => {
  test.each(CASES)("$source", ({ name, key, iv, aad, plaintext, ciphertext, tag }) => {
    const cipher = engine.aeadCipher(name, bytes(key))
    expect([cipher.ivSize, cipher.tagSize]).toEqual([AEAD_IV_SIZES[name], 16])
    const target = bytes(plaintext)
    const batch = { source: target, target, unitSize: target.length, ivs: bytes(iv), aads: bytes(aad) }
    const tags = new Uint8Array(16)
    cipher.encryptUnits({ ...batch, tags })
    expect([hex(target), hex(tags)]).toEqual([ciphertext, tag])
    expect(cipher.decryptUnits({ ...batch, tags })).toBe(-1)
    expect(hex(target)).toBe(plaintext)
  })

  test("every unit is what OpenSSL makes of it alone, at any alignment, in place or not", () => {
    fc.assert(
      fc.property(requests, ({ name, unitSize, key, data, ivs, aads, places, isInPlace }) => {
        const cipher = engine.aeadCipher(name, key)
        const source = place(data, places[0])
        const target = isInPlace ? source : place(new Uint8Array(data.length), places[1])
        const tags = place(new Uint8Array((ivs.length / AEAD_IV_SIZES[name]) * 16), places[2])
        const batch = { source, target, unitSize, ivs: place(ivs, places[3]), aads: place(aads, places[4]), tags }
        cipher.encryptUnits(batch)
        expect({ ciphertext: hex(target), tags: hex(tags) }).toEqual(sealEach(name, key, data, ivs, aads))
        expect(hex(source)).toBe(hex(isInPlace ? target : data))
        const opened = isInPlace ? target : place(new Uint8Array(data.length), places[0])
        expect(cipher.decryptUnits({ ...batch, source: target, target: opened })).toBe(-1)
        expect(hex(opened)).toBe(hex(data))
        expect([source, target, opened, tags, batch.ivs, batch.aads].every(isGuarded)).toBe(true)
      }),
      { numRuns: runCount(60) },
    )
  })
})
