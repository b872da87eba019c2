import { bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { AEAD_IV_SIZES, opensByOpenSsl } from "../test/openssl-aead.ts"
import { bytesOf, flipBit, patternBytes } from "../test/placement.ts"
import type { AeadBatch, AeadName, Engine } from "./engine.ts"

const NAMES = ["aes-gcm", "aes-ccm", "chacha20-poly1305"] as const
const KEY = patternBytes(32)
const PARTS = ["source", "tags", "aads", "ivs"] as const
type Part = (typeof PARTS)[number]

/** A sealed request, in memory of its own: what was sealed is `patternBytes(size, 9)`. */
function sealedBatch(engine: Engine, name: AeadName, unitCount: number, unitSize: number, aadSize: number): AeadBatch {
  const source = patternBytes(unitCount * unitSize, 9)
  const batch = {
    source,
    target: new Uint8Array(source.length),
    unitSize,
    ivs: patternBytes(unitCount * AEAD_IV_SIZES[name], 3),
    aads: patternBytes(unitCount * aadSize, 4),
    tags: new Uint8Array(unitCount * 16),
  }
  engine.aeadCipher(name, KEY).encryptUnits(batch)
  return { ...batch, source: batch.target, target: new Uint8Array(source.length).fill(0xee) }
}

function pieceOf(batch: AeadBatch, part: Part, unit: number): Uint8Array {
  const size = batch[part].length / (batch.tags.length / 16)
  return batch[part].subarray(unit * size, (unit + 1) * size)
}

/** The index of the first unit that OpenSSL refuses on its own, or -1. */
function firstRefused(name: AeadName, batch: AeadBatch): number {
  for (let unit = 0; unit < batch.tags.length / 16; unit++) {
    const parts = { name, key: KEY, iv: pieceOf(batch, "ivs", unit), aad: pieceOf(batch, "aads", unit) }
    if (!opensByOpenSsl(parts, pieceOf(batch, "source", unit), pieceOf(batch, "tags", unit))) return unit
  }
  return -1
}

/** `decryptUnits` names `failedUnit`; before it everything is plaintext, from it on everything zero; also in place. */
function expectFailure(engine: Engine, name: AeadName, batch: AeadBatch, failedUnit: number): void {
  const cipher = engine.aeadCipher(name, KEY)
  const end = failedUnit * batch.unitSize
  const expected = patternBytes(batch.source.length, 9).fill(0, end)
  const inPlace = batch.source.slice()
  const own = engine.allocate(batch.source.length)
  own.set(batch.source)
  for (const request of [
    batch,
    { ...batch, source: inPlace, target: inPlace },
    { ...batch, source: own, target: own },
  ]) {
    expect(cipher.decryptUnits(request)).toBe(failedUnit)
    expect(hex(request.target)).toBe(hex(expected))
  }
  cipher.destroy()
}

interface Change {
  readonly part: Part
  readonly unit: number
  readonly mask: Uint8Array
}

const changedRequests = fc
  .record({
    unitCount: fc.integer({ min: 1, max: 64 }),
    unitSize: fc.constantFrom(16, 48, 64, 512, 77),
    aadSize: fc.constantFrom(1, 16, 20),
  })
  .chain(({ unitCount, unitSize, aadSize }) => {
    const change = fc.record({
      part: fc.constantFrom(...PARTS),
      unit: fc.integer({ min: 0, max: unitCount - 1 }),
      mask: bytesOf(Math.max(16, aadSize)),
    })
    return fc.record({
      sizes: fc.constant([unitCount, unitSize, aadSize] as const),
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      // The mask of the first change goes to all of them: related changes are those that might cancel out.
      isRelated: fc.boolean(),
    })
  })

function applyChanges(batch: AeadBatch, changes: readonly Change[], isRelated: boolean): void {
  for (const { part, unit, mask: ownMask } of changes) {
    const bytes = pieceOf(batch, part, unit)
    const mask = (isRelated && changes[0]?.mask) || ownMask
    bytes.set(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)))
  }
}

describe.each(engines)("batches of the $name engine", (engine) => {
  describe.each(NAMES)("%s", (name) => {
    test("any changes in 1 to 64 units: the first unit that OpenSSL refuses alone is named", () => {
      fc.assert(
        fc.property(changedRequests, ({ sizes, changes, isRelated }) => {
          const batch = sealedBatch(engine, name, ...sizes)
          applyChanges(batch, changes, isRelated)
          const failedUnit = firstRefused(name, batch)
          if (failedUnit < 0) expect(engine.aeadCipher(name, KEY).decryptUnits(batch)).toBe(-1)
          else expectFailure(engine, name, batch, failedUnit)
        }),
        { numRuns: runCount(15) },
      )
    })

    test("every single bit of a small request", () => {
      const cipher = engine.aeadCipher(name, KEY)
      const batch = sealedBatch(engine, name, 5, 16, 3)
      for (const part of PARTS) {
        const bitCount = batch[part].length * 8
        for (let bit = 0; bit < bitCount; bit++) {
          flipBit(batch[part], bit)
          expect(cipher.decryptUnits(batch), `${part}, bit ${bit}`).toBe(Math.floor((bit * 5) / bitCount))
          flipBit(batch[part], bit)
        }
      }
      expect(cipher.decryptUnits(batch)).toBe(-1)
    })

    test.each([
      { unitCount: 300, unitSize: 512, aadSize: 20, unit: 299 },
      { unitCount: 70, unitSize: 4096, aadSize: 24, unit: 40 },
      { unitCount: 33, unitSize: 4096, aadSize: 0, unit: 32 },
      { unitCount: 3, unitSize: 65536, aadSize: 20, unit: 2 },
      { unitCount: 3, unitSize: 512, aadSize: 70000, unit: 1 },
    ])(
      "$unitCount units of $unitSize bytes: the last pieces are no worse",
      ({ unitCount, unitSize, aadSize, unit }) => {
        const batch = sealedBatch(engine, name, unitCount, unitSize, aadSize)
        expect(firstRefused(name, batch)).toBe(-1)
        flipBit(batch.tags, unit * 128 + 77)
        expectFailure(engine, name, batch, unit)
        flipBit(batch.tags, unit * 128 + 77)
        expect(engine.aeadCipher(name, KEY).decryptUnits(batch)).toBe(-1)
        expect(hex(batch.target)).toBe(hex(patternBytes(batch.source.length, 9)))
      },
    )

    test("swapped tags, data, AADs or IVs of two units", () => {
      for (const part of PARTS) {
        const batch = sealedBatch(engine, name, 20, 64, 16)
        const third = pieceOf(batch, part, 3).slice()
        pieceOf(batch, part, 3).set(pieceOf(batch, part, 11))
        pieceOf(batch, part, 11).set(third)
        expectFailure(engine, name, batch, 3)
      }
    })

    test("one sealed unit passed off as two halves, or two as one", () => {
      const batch = sealedBatch(engine, name, 16, 64, 0)
      const ivSize = AEAD_IV_SIZES[name]
      const twice = (bytes: Uint8Array, size: number) =>
        Uint8Array.from({ length: 2 * bytes.length }, (_, index) => {
          const unit = Math.floor(index / size / 2)
          return bytes[unit * size + (index % size)] ?? 0
        })
      const halves = { ...batch, unitSize: 32, ivs: twice(batch.ivs, ivSize), tags: twice(batch.tags, 16) }
      expectFailure(engine, name, halves, 0)
      const pairs = {
        ...batch,
        unitSize: 128,
        ivs: batch.ivs.subarray(0, 8 * ivSize),
        tags: batch.tags.subarray(0, 128),
      }
      expectFailure(engine, name, pairs, 0)
    })

    test("the start of the data passed off as AAD", () => {
      const batch = sealedBatch(engine, name, 8, 64, 0)
      const shifted = { ...batch, unitSize: 48, source: new Uint8Array(8 * 48), target: new Uint8Array(8 * 48) }
      const aads = new Uint8Array(8 * 16)
      for (let unit = 0; unit < 8; unit++) {
        aads.set(pieceOf(batch, "source", unit).subarray(0, 16), unit * 16)
        shifted.source.set(pieceOf(batch, "source", unit).subarray(16), unit * 48)
      }
      expectFailure(engine, name, { ...shifted, aads }, 0)
    })
  })
})
