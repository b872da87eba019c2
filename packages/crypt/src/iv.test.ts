import { createCipheriv, createHash } from "node:crypto"
import { hostRuntime } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { essivCipher } from "./essiv.ts"
import { eboivIv, randomIv, type SectorNumbering, sectorNumberIv, writeSectorNumbers } from "./iv.ts"

const SECTOR_SIZES = [512, 1024, 2048, 4096]

/** The definition, one sector at a time, in whole numbers. */
function sectorNumber(
  { ivOffsetSectors, sectorSize, ivLargeSectors }: SectorNumbering,
  offset: number,
  index: number,
): bigint {
  const perSector = BigInt(sectorSize / 512)
  const sector = BigInt.asUintN(64, BigInt(offset / 512) + ivOffsetSectors + BigInt(index) * perSector)
  return ivLargeSectors ? sector / perSector : sector
}

const numberings = fc.record({
  sectorSize: fc.constantFrom(...SECTOR_SIZES),
  ivLargeSectors: fc.boolean(),
  // Around the places where 32 and 64 bits end.
  near: fc.constantFrom(0n, 2n ** 32n, 2n ** 35n, 2n ** 53n, 2n ** 61n, 2n ** 63n, 2n ** 64n),
  distance: fc.bigInt({ min: -40n, max: 40n }),
})

test("sector numbers, around every carry and wrap", () => {
  fc.assert(
    fc.property(
      numberings,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 70 }),
      (made, sectors, count) => {
        const ivOffsetSectors = BigInt.asUintN(64, (made.near + made.distance) * BigInt(made.sectorSize / 512))
        const numbering = { ...made, ivOffsetSectors }
        const offset = sectors * made.sectorSize
        const target = new Uint8Array(count * 24).fill(0xee)
        writeSectorNumbers(numbering, offset, target, 24)
        const view = new DataView(target.buffer)
        for (let index = 0; index < count; index++) {
          expect(view.getBigUint64(index * 24, true)).toBe(sectorNumber(numbering, offset, index))
          expect(target[index * 24 + 8]).toBe(0xee)
        }
      },
    ),
  )
})

test("sector numbers far into a large device", () => {
  const target = new Uint8Array(8)
  writeSectorNumbers({ ivOffsetSectors: 0n, sectorSize: 512, ivLargeSectors: false }, 3 * 2 ** 41, target, 8)
  expect(new DataView(target.buffer).getBigUint64(0, true)).toBe(3n * 2n ** 32n)
})

/** An IV by its definition; undefined bytes are zeros. */
function ivByDefinition(name: string, sector: bigint, ivSize: number, blockSize: number): Uint8Array {
  const iv = new Uint8Array(ivSize)
  const view = new DataView(iv.buffer)
  if (name === "plain") view.setUint32(0, Number(BigInt.asUintN(32, sector)), true)
  else if (name === "plain64") view.setBigUint64(0, sector, true)
  else view.setBigUint64(ivSize - 8, name === "benbi" ? (sector * 512n) / BigInt(blockSize) + 1n : sector)
  return iv
}

test("IVs of sector numbers, of each kind and size, are their definitions", () => {
  const kinds = fc.constantFrom("plain", "plain64", "plain64be", "benbi")
  fc.assert(
    fc.property(
      kinds,
      fc.constantFrom(8, 12, 16, 32),
      fc.constantFrom(1, 16),
      numberings,
      fc.integer({ min: 0, max: 40 }),
      (name, ivSize, cipherBlockSize, made, sectors) => {
        const ivOffsetSectors = BigInt.asUintN(64, (made.near + made.distance) * BigInt(made.sectorSize / 512))
        const numbering = { ...made, ivOffsetSectors }
        const offset = sectors * made.sectorSize
        const ivs = new Uint8Array(ivSize * 9).fill(0xee)
        sectorNumberIv(numbering, { name, ivSize, cipherBlockSize }).fill(offset, ivs)
        for (let index = 0; index < 9; index++) {
          const expected = ivByDefinition(name, sectorNumber(numbering, offset, index), ivSize, cipherBlockSize)
          expect([...ivs.subarray(index * ivSize, (index + 1) * ivSize)]).toEqual([...expected])
        }
      },
    ),
  )
})

describe.each([nodeEngine, portableEngine])("on $name", (engine) => {
  const numbering = { ivOffsetSectors: 2n ** 64n - 2n, sectorSize: 512, ivLargeSectors: false }
  const plain = new Uint8Array(4 * 16)
  sectorNumberIv(numbering, { name: "plain64", ivSize: 16, cipherBlockSize: 16 }).fill(0, plain)
  const key = new Uint8Array(16).fill(3)

  test("essiv is AES under the hash of the key, once for each template", () => {
    const create = (salt: Uint8Array) => engine.blockCipher("aes", salt)
    const byHash = (ivs: Uint8Array) =>
      createCipheriv("aes-256-ecb", createHash("sha256").update(key).digest(), null).setAutoPadding(false).update(ivs)
    for (const hashes of [["sha256"], ["sha256", "sha256"]] as const) {
      const ivs = new Uint8Array(plain)
      const cipher = essivCipher(hashes, key, engine, create)
      cipher?.encrypt(ivs)
      expect(Buffer.from(ivs).equals(hashes.reduce((each) => byHash(each), plain))).toBe(true)
      cipher?.destroy()
    }
    expect(essivCipher([], key, engine, create)).toBeUndefined()
  })

  test("eboiv encrypts the place of a sector in bytes, modulo 2^64", () => {
    const ivs = new Uint8Array(4 * 16)
    eboivIv(numbering, engine.sectorCipher("aes-cbc", key)).fill(0, ivs)
    const offsets = new Uint8Array(4 * 16)
    const view = new DataView(offsets.buffer)
    for (let index = 0; index < 4; index++)
      view.setBigUint64(index * 16, BigInt.asUintN(64, (BigInt(index) - 2n) * 512n), true)
    const expected = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(offsets)
    expect(expected.equals(ivs)).toBe(true)
  })
})

test("random IVs come from the runtime, fresh at each call", () => {
  let calls = 0
  const iv = randomIv(12, { ...hostRuntime, fillRandom: (bytes) => void bytes.fill(++calls) })
  const ivs = new Uint8Array(24)
  iv.fill(0, ivs)
  iv.fill(0, ivs)
  expect([...ivs]).toEqual(Array(24).fill(2))
})
