import { createCipheriv } from "node:crypto"
import { readFileSync } from "node:fs"
import { chacha12, xchacha20 } from "@noble/ciphers/chacha.js"
import { equalBytes } from "@noble/ciphers/utils.js"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { loadSharedVectors, loadVector, sha256, type Vector } from "../../../test/vector.ts"
import { engines } from "../test/engines.ts"
import { bytesOf, patternBytes } from "../test/placement.ts"
import type { SectorCipherName } from "./engine.ts"
import { xchacha } from "./xchacha.ts"

interface VectorCase {
  readonly name: SectorCipherName
  readonly key: string
  readonly iv: string
  readonly plaintext: string
  readonly ciphertext: string
}

/** The authors' own; the file says which. */
const { cases: CASES } = JSON.parse(
  readFileSync(new URL("../test/adiantum-vectors.json", import.meta.url), "utf8"),
) as { readonly cases: readonly VectorCase[] }
const NAMES = ["adiantum-xchacha12", "adiantum-xchacha20"] as const

/** Volumes that Linux wrote: one is in this repository, the others are where they are. */
const VOLUMES: readonly Vector[] = [
  loadVector("crypt-adiantum-xchacha12"),
  ...loadSharedVectors().filter(({ name }) => name.startsWith("crypt-adiantum-xchacha20")),
]

const BLOCK = 2n ** 128n
const PRIME = 2n ** 130n - 5n
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn

const numberOf = (little: Uint8Array) => BigInt(`0x00${hex(little.toReversed())}`)
const blockOf = (value: bigint) => bytes(BigInt.asUintN(128, value).toString(16).padStart(32, "0")).toReversed()
const piecesOf = (data: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(data.length / size) }, (_, index) => data.subarray(index * size, (index + 1) * size))

/** Poly1305 without what is added at the end. */
function evaluate(point: Uint8Array, message: Uint8Array): bigint {
  const r = numberOf(point) & CLAMP
  return piecesOf(message, 16).reduce((sum, block) => ((sum + numberOf(block) + BLOCK) * r) % PRIME, 0n)
}

function nhByDefinition(key: Uint8Array, message: Uint8Array): Uint8Array {
  const wordsOf = (data: Uint8Array) => piecesOf(data, 4).map(numberOf)
  const [keyWords, words] = [wordsOf(key), wordsOf(message)]
  const sum = (index: number, pass: number) => BigInt.asUintN(32, words[index]! + keyWords[index + 4 * pass]!)
  return Uint8Array.from(
    [0, 1, 2, 3].flatMap((pass) => {
      let total = 0n
      for (let unit = 0; unit < words.length; unit += 4) {
        total += sum(unit, pass) * sum(unit + 2, pass) + sum(unit + 1, pass) * sum(unit + 3, pass)
      }
      return [...blockOf(BigInt.asUintN(64, total)).subarray(0, 8)]
    }),
  )
}

/** One sector with XChaCha20 as the paper has it, in numbers of any size. */
function encryptByDefinition(key: Uint8Array, tweak: Uint8Array, sector: Uint8Array): Uint8Array {
  const stream = (start: Uint8Array, data: Uint8Array) =>
    xchacha20(
      key,
      Uint8Array.from({ length: 24 }, (_, index) => start[index] ?? (index === start.length ? 1 : 0)),
      data,
    )
  const keys = stream(new Uint8Array(0), new Uint8Array(32 + 16 + 16 + 1072))
  const [aesKey, tweakPoint, messagePoint, nhKey] = [
    keys.subarray(0, 32),
    keys.subarray(32, 48),
    keys.subarray(48, 64),
    keys.subarray(64),
  ]
  const hash = (left: Uint8Array) =>
    evaluate(tweakPoint, Uint8Array.of(...blockOf(BigInt(left.length) * 8n), ...tweak)) +
    evaluate(messagePoint, Uint8Array.from(piecesOf(left, 1024).flatMap((piece) => [...nhByDefinition(nhKey, piece)])))
  const left = sector.subarray(0, -16)
  const middle = createCipheriv("aes-256-ecb", aesKey, null)
    .setAutoPadding(false)
    .update(blockOf(numberOf(sector.subarray(-16)) + hash(left)))
  const masked = stream(middle, left)
  return Uint8Array.of(...masked, ...blockOf(numberOf(middle) - hash(masked)))
}

describe.each(engines)("Adiantum of the $name engine", (engine) => {
  test.each(CASES)("$name, $iv", ({ name, key, iv, plaintext, ciphertext }) => {
    const cipher = engine.sectorCipher(name, bytes(key))
    const target = bytes(plaintext)
    cipher.encryptSectors(target, target, target.length, bytes(iv))
    expect(hex(target)).toBe(ciphertext)
    cipher.decryptSectors(target, target, target.length, bytes(iv))
    expect(hex(target)).toBe(plaintext)
  })

  test.each(VOLUMES)("a volume of Linux is opened whole, and made again: $name", ({ manifest, image }) => {
    const [, , , spec = "", key = "", ivOffset = ""] = manifest.stack![0]!.line.split(" ")
    const sectorSize = Number(/sector_size:(\d+)/.exec(manifest.stack![0]!.line)?.[1] ?? 512)
    const sealed = image("disk.img")
    // plain64: the number of the sector, in 512 bytes, little-endian.
    const ivs = new Uint8Array((sealed.length / sectorSize) * 32)
    const view = new DataView(ivs.buffer)
    for (let start = 0, at = 0; start < sealed.length; start += sectorSize, at += 32) {
      view.setBigUint64(at, BigInt(start / 512) + BigInt(ivOffset), true)
    }
    const cipher = engine.sectorCipher(`adiantum-${spec.split(",")[0]}` as SectorCipherName, bytes(key))
    const opened = new Uint8Array(sealed.length)
    cipher.decryptSectors(sealed, opened, sectorSize, ivs)
    expect(sha256(opened)).toBe(manifest.expect.sha256)
    cipher.encryptSectors(opened, opened, sectorSize, ivs)
    expect(equalBytes(opened, sealed)).toBe(true)
  })

  test("sectors of any size are what the definition says", () => {
    const sizes = fc.constantFrom(16, 32, 48, 512, 1024, 1040, 1056, 2064, 4096)
    const requests = fc.tuple(bytesOf(32), bytesOf(2 * 32), sizes, bytesOf(2 * 4096))
    fc.assert(
      fc.property(requests, ([key, ivs, sectorSize, memory]) => {
        const data = memory.subarray(0, 2 * sectorSize)
        const target = new Uint8Array(data.length)
        engine.sectorCipher("adiantum-xchacha20", key).encryptSectors(data, target, sectorSize, ivs)
        const expected = [0, 1].flatMap((index) => [
          ...encryptByDefinition(key, piecesOf(ivs, 32)[index]!, piecesOf(data, sectorSize)[index]!),
        ])
        expect(hex(target)).toBe(hex(Uint8Array.from(expected)))
      }),
      { numRuns: runCount(20) },
    )
  })

  test.each(NAMES)("%s: requests of several pieces, and sectors larger than a piece", (name) => {
    const cipher = engine.sectorCipher(name, patternBytes(32))
    for (const [sectorSize, sectorCount] of [
      [16, 8200],
      [512, 300],
      [262144, 1],
      [1048576, 1],
    ] as const) {
      const data = patternBytes(sectorSize * sectorCount, sectorSize)
      const ivs = patternBytes(sectorCount * 32, 7)
      const target = new Uint8Array(data)
      cipher.encryptSectors(target, target, sectorSize, ivs)
      // The last sector alone: what a batch makes of a sector does not depend on its place.
      const last = data.slice(-sectorSize)
      cipher.encryptSectors(last, last, sectorSize, ivs.subarray(-32))
      expect(equalBytes(target.subarray(-sectorSize), last)).toBe(true)
      cipher.decryptSectors(target, target, sectorSize, ivs)
      expect(equalBytes(target, data)).toBe(true)
    }
  })

  test.each(NAMES)("%s: one bit of a sector or of its IV changes every block", (name) => {
    const cipher = engine.sectorCipher(name, patternBytes(32))
    const encrypt = (plaintext: Uint8Array, iv: Uint8Array) => {
      const target = new Uint8Array(512)
      cipher.encryptSectors(plaintext, target, 512, iv)
      return piecesOf(target, 16).map(hex)
    }
    const [plaintext, iv] = [patternBytes(512, 3), patternBytes(32, 5)]
    const before = encrypt(plaintext, iv)
    const flip = (data: Uint8Array, at: number) => data.map((byte, index) => (index === at ? byte ^ 1 : byte))
    for (const at of [0, 255, 495, 496, 511]) {
      const after = encrypt(flip(plaintext, at), iv)
      expect(after.filter((block, index) => block === before[index])).toEqual([])
    }
    for (const at of [0, 31]) {
      const after = encrypt(plaintext, flip(iv, at))
      expect(after.filter((block, index) => block === before[index])).toEqual([])
    }
  })

  test("a key of another length is refused", () => {
    for (const name of NAMES) {
      for (const length of [16, 31, 64]) {
        expect(() => engine.sectorCipher(name, new Uint8Array(length))).toThrow(RangeError)
      }
    }
  })
})

describe("XChaCha in TypeScript", () => {
  test("20 rounds are noble's XChaCha20", () => {
    fc.assert(
      fc.property(bytesOf(32), bytesOf(24), bytesOf(200), (key, nonce, data) => {
        const target = new Uint8Array(data)
        xchacha(key, 20).mask(target, nonce)
        expect(hex(target)).toBe(hex(xchacha20(key, nonce, data)))
      }),
      { numRuns: runCount(30) },
    )
  })

  test("the first word of a nonce may be 2^32 - 1, which noble's streams refuse as a counter", () => {
    const [key, nonce, data] = [patternBytes(32), patternBytes(24, 1).fill(0xff, 0, 4), new Uint8Array(100)]
    expect(() => chacha12(key, nonce.subarray(4, 16), data, undefined, 0xffffffff)).toThrow("counter")
    xchacha(key, 20).mask(data, nonce)
    expect(hex(data)).toBe(hex(xchacha20(key, nonce, new Uint8Array(100))))
  })
})
