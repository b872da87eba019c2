import { bytesToHex as hex } from "@noble/hashes/utils.js"
import { describe, expect, test } from "vitest"
import { engines } from "../test/engines.ts"
import { patternBytes } from "../test/placement.ts"
import type { AeadCipher, Engine } from "./engine.ts"

const MIB = 1024 * 1024
const zeros = (length: number) => new Uint8Array(length)

describe.each(engines)("misuse of the $name engine", (engine) => {
  test("wrong names are RangeErrors that say which there are", () => {
    const loose = engine as unknown as Record<keyof Engine, (name: unknown, key?: Uint8Array) => unknown>
    for (const name of ["des", "toString", "__proto__"]) {
      expect(() => loose.blockCipher(name, zeros(16))).toThrow(RangeError)
      expect(() => loose.sectorCipher(name, zeros(16))).toThrow(/aes-ecb, aes-cbc, aes-ctr, aes-xts/)
      expect(() => loose.aeadCipher(name, zeros(32))).toThrow(RangeError)
      expect(() => loose.hash(name)).toThrow(RangeError)
      expect(() => loose.hmac(name, zeros(32))).toThrow(RangeError)
    }
    expect(() => loose.hmac("crc32c", zeros(32))).toThrow(RangeError)
  })

  test("wrong key lengths are RangeErrors without the key", () => {
    const key = patternBytes(33)
    const builds: readonly ((wrongKey: Uint8Array) => unknown)[] = [
      (wrongKey) => engine.blockCipher("aes", wrongKey),
      (wrongKey) => engine.sectorCipher("aes-cbc", wrongKey),
      (wrongKey) => engine.sectorCipher("aes-xts", wrongKey),
      (wrongKey) => engine.aeadCipher("aes-gcm", wrongKey),
      (wrongKey) => engine.aeadCipher("aes-ccm", wrongKey),
      (wrongKey) => engine.aeadCipher("chacha20-poly1305", wrongKey),
      (wrongKey) => engine.authenc({ hash: "sha256", macKey: key, cipher: "aes-xts", cipherKey: wrongKey }),
    ]
    for (const build of builds) {
      expect(() => build(key)).toThrow(RangeError)
      expect(() => build(key)).not.toThrow(new RegExp(hex(key.subarray(0, 3))))
      expect(() => build(zeros(0))).toThrow(RangeError)
      expect(() => build("0123456789abcdef" as unknown as Uint8Array)).toThrow(TypeError)
    }
    expect(() => engine.sectorCipher("aes-xts", zeros(16))).toThrow(RangeError)
    expect(() => engine.aeadCipher("chacha20-poly1305", zeros(16))).toThrow(RangeError)
  })

  test("block and sector ciphers refuse wrong lengths and touch nothing", () => {
    const blocks = engine.blockCipher("aes", patternBytes(16))
    expect(() => blocks.encryptBlocks(zeros(17), zeros(17))).toThrow(RangeError)
    expect(() => blocks.decryptBlocks(zeros(16), zeros(32))).toThrow(RangeError)
    const sectors = engine.sectorCipher("aes-xts", patternBytes(32))
    const target = zeros(1024)
    const encrypt = (source: Uint8Array, sectorSize: number, ivs: Uint8Array) =>
      sectors.encryptSectors(source, target, sectorSize, ivs)
    expect(() => encrypt(zeros(512), 512, zeros(16))).toThrow(RangeError)
    expect(() => encrypt(zeros(1024), 512, zeros(31))).toThrow(RangeError)
    for (const sectorSize of [0, -512, 8, 24, 512.5, 768, NaN, Infinity, 2 * MIB]) {
      expect(() => encrypt(zeros(1024), sectorSize, zeros(32))).toThrow(RangeError)
    }
    expect(() => encrypt([] as unknown as Uint8Array, 512, zeros(0))).toThrow(TypeError)
    expect(hex(target)).toBe(hex(zeros(1024)))
  })

  test("a target that overlaps its source by a part is refused", () => {
    const memory = zeros(1000)
    const blocks = engine.blockCipher("aes", patternBytes(16))
    const encrypt = (from: number, to: number) =>
      blocks.encryptBlocks(memory.subarray(from, from + 160), memory.subarray(to, to + 160))
    expect(() => encrypt(0, 159)).toThrow(RangeError)
    expect(() => encrypt(1, 0)).toThrow(RangeError)
    expect(() => encrypt(0, 160)).not.toThrow()
    expect(() => encrypt(3, 3)).not.toThrow()
  })

  test("AEADs refuse wrong lengths and touch nothing", () => {
    const expectRefusals = (cipher: AeadCipher) => {
      const good = {
        source: zeros(64),
        target: zeros(64),
        unitSize: 32,
        ivs: zeros(2 * cipher.ivSize),
        aads: zeros(16),
        tags: zeros(2 * cipher.tagSize),
      }
      const wrongParts = [
        { source: zeros(32) },
        { unitSize: 16 },
        { unitSize: -32 },
        { unitSize: 0.5 },
        { unitSize: 2 ** 32 },
        { ivs: zeros(cipher.ivSize) },
        { aads: zeros(15) },
        { tags: zeros(2 * cipher.tagSize - 1) },
        { source: zeros(0), target: zeros(0), ivs: zeros(0), tags: zeros(0) },
      ]
      for (const wrongPart of wrongParts) {
        expect(() => cipher.encryptUnits({ ...good, ...wrongPart })).toThrow(RangeError)
        expect(() => cipher.decryptUnits({ ...good, ...wrongPart })).toThrow(RangeError)
      }
      expect(hex(good.target) + hex(good.tags)).toBe(hex(zeros(64 + 2 * cipher.tagSize)))
    }
    expectRefusals(engine.aeadCipher("aes-gcm", patternBytes(32)))
    expectRefusals(engine.aeadCipher("aes-ccm", patternBytes(32)))
    const cipherKey = patternBytes(32)
    const authenc = engine.authenc({ hash: "sha256", macKey: zeros(0), cipher: "aes-cbc", cipherKey })
    expectRefusals(authenc)
    const odd = { source: zeros(8), target: zeros(8), unitSize: 8, ivs: zeros(16), aads: zeros(0), tags: zeros(32) }
    expect(() => authenc.encryptUnits(odd)).toThrow(RangeError)
  })

  test("hashes refuse wrong lengths", () => {
    const hash = engine.hash("sha256")
    expect(() => hash.digestUnits({ data: zeros(64), unitSize: 32 }, zeros(63))).toThrow(RangeError)
    expect(() => hash.digestUnits({ data: zeros(63), unitSize: 32 }, zeros(64))).toThrow(RangeError)
    expect(() => hash.digestUnits({ data: zeros(64), unitSize: 32, heads: zeros(3) }, zeros(64))).toThrow(RangeError)
    expect(() => hash.digest("abc" as unknown as Uint8Array)).toThrow(TypeError)
    expect(() => engine.hmac("sha1", "key" as unknown as Uint8Array)).toThrow(TypeError)
  })

  test("a destroyed object says so with a TypeError, and destroys once", () => {
    const blocks = engine.blockCipher("aes", patternBytes(32))
    const sectors = engine.sectorCipher("aes-xts", patternBytes(64))
    const aead = engine.aeadCipher("aes-gcm", patternBytes(32))
    const keys = { macKey: patternBytes(20), cipherKey: patternBytes(32) }
    const authenc = engine.authenc({ hash: "sha1", cipher: "aes-cbc", ...keys })
    const hashes = [engine.hash("sha256"), engine.hash("crc32c"), engine.hmac("sha1", keys.macKey)]
    sectors.encryptSectors(zeros(512), zeros(512), 512, zeros(16))
    for (const object of [blocks, sectors, aead, authenc, ...hashes]) {
      object.destroy()
      object.destroy()
    }
    const empty = { source: zeros(0), target: zeros(0), unitSize: 16, ivs: zeros(0), aads: zeros(0), tags: zeros(0) }
    expect(() => blocks.encryptBlocks(zeros(16), zeros(16))).toThrow(TypeError)
    expect(() => sectors.decryptSectors(zeros(0), zeros(0), 512, zeros(0))).toThrow(TypeError)
    expect(() => aead.decryptUnits(empty)).toThrow(TypeError)
    expect(() => authenc.encryptUnits(empty)).toThrow(TypeError)
    for (const hash of hashes) expect(() => hash.digest()).toThrow(TypeError)
  })
})
