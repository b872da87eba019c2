import { createCipheriv, createHash } from "node:crypto"
import { hostRuntime } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import fc from "fast-check"
import { expect, test } from "vitest"
import { essivIv, plain64Iv, randomIv, type SectorNumbering, writeSectorNumbers } from "./iv.ts"

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

test.each([nodeEngine, portableEngine])("essiv is AES under the hash of the key, on $name", (engine) => {
  const numbering = { ivOffsetSectors: 2n ** 64n - 2n, sectorSize: 512, ivLargeSectors: false }
  const key = new Uint8Array(16).fill(3)
  const iv = essivIv(numbering, key, engine)
  const ivs = new Uint8Array(4 * 16)
  iv.fill(0, ivs)
  const plain = new Uint8Array(4 * 16)
  plain64Iv(numbering).fill(0, plain)
  const cipher = createCipheriv("aes-256-ecb", createHash("sha256").update(key).digest(), null).setAutoPadding(false)
  expect(Buffer.from(ivs).equals(cipher.update(plain))).toBe(true)
  iv.destroy()
})

test("random IVs come from the runtime, fresh at each call", () => {
  let calls = 0
  const iv = randomIv(12, { ...hostRuntime, fillRandom: (bytes) => void bytes.fill(++calls) })
  const ivs = new Uint8Array(24)
  iv.fill(0, ivs)
  iv.fill(0, ivs)
  expect([...ivs]).toEqual(Array(24).fill(2))
})
