import { bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { batches, joinBytes, type PlacedBatch } from "../test/hash-batch.ts"
import { HASH_NAMES } from "../test/host-digest.ts"
import { flipBit, isGuarded, patternBytes, place } from "../test/placement.ts"
import type { Engine, HashBatch, UnitHash } from "./engine.ts"

const KIB = 1024

const HASHES: readonly { name: string; create: (engine: Engine) => UnitHash }[] = [
  { name: "crc32c", create: (engine) => engine.hash("crc32c") },
  ...HASH_NAMES.map((name) => ({ name: name as string, create: (engine: Engine) => engine.hash(name) })),
  ...HASH_NAMES.map((name) => ({
    name: `HMAC ${name}`,
    create: (engine: Engine) => engine.hmac(name, utf8ToBytes("key")),
  })),
]

/** A digest cut, or with zeroes behind it. */
function tagOf(digest: Uint8Array, tagSize: number): Uint8Array {
  const tag = new Uint8Array(tagSize)
  tag.set(digest.subarray(0, tagSize))
  return tag
}

function tagsOneByOne(hash: UnitHash, { units, heads, prefix, suffix }: PlacedBatch, tagSize: number): Uint8Array {
  const nothing = new Uint8Array(0)
  return joinBytes(
    units.map((unit, index) =>
      tagOf(hash.digest(prefix ?? nothing, heads?.[index] ?? nothing, unit, suffix ?? nothing), tagSize),
    ),
  )
}

/** A batch with its data and everything else in place. */
function placedBatch({ unitSize, units, heads, prefix, suffix, places }: PlacedBatch, tagSize: number): HashBatch {
  const at = (bytes: Uint8Array | undefined) => bytes && place(bytes, places[0])
  const data = place(joinBytes(units), places[0])
  return { data, unitSize, heads: at(heads && joinBytes(heads)), prefix: at(prefix), suffix: at(suffix), tagSize }
}

describe.each(engines)("tags of units on the $name engine", (engine) => {
  test.each(HASHES)("$name: of any size, written and verified", ({ create }) => {
    const hash = create(engine)
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 80 }), (shape, tagSize) => {
        const batch = placedBatch(shape, tagSize)
        const tags = place(new Uint8Array(shape.units.length * tagSize).fill(0xa5), shape.places[1])
        hash.digestUnits(batch, tags)
        expect(hex(tags)).toBe(hex(tagsOneByOne(hash, shape, tagSize)))
        expect(hash.verifyUnits(batch, tags)).toBe(-1)
        expect(isGuarded(tags) && isGuarded(batch.data)).toBe(true)
      }),
      { numRuns: runCount(12) },
    )
  })

  test.each(HASHES)("$name: the lowest unit is named, whichever bits are wrong", ({ create }) => {
    const hash = create(engine)
    const flips = fc.array(fc.record({ isTag: fc.boolean(), at: fc.nat() }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(batches, fc.integer({ min: 4, max: 40 }), flips, (shape, tagSize, chosen) => {
        fc.pre(shape.units.length > 0 && shape.unitSize > 0)
        const batch = placedBatch(shape, tagSize)
        const tags = new Uint8Array(shape.units.length * tagSize)
        hash.digestUnits(batch, tags)
        const wrong = new Map<string, number>()
        for (const { isTag, at } of chosen) {
          const bytes = isTag ? tags : batch.data
          const bit = at % (bytes.length * 8)
          // Two flips of a bit are none.
          if (wrong.has(`${isTag} ${bit}`)) continue
          flipBit(bytes, bit)
          wrong.set(`${isTag} ${bit}`, Math.floor(bit / 8 / (isTag ? tagSize : shape.unitSize)))
        }
        expect(hash.verifyUnits(batch, tags)).toBe(Math.min(...wrong.values()))
      }),
      { numRuns: runCount(12) },
    )
  })

  test.each(HASHES.filter(({ name }) => /crc32c|sha256/.test(name)))(
    "$name: every bit of a tag counts",
    ({ create }) => {
      const hash = create(engine)
      const data = patternBytes(3 * 64)
      for (const tagSize of [4, 7, hash.digestSize, hash.digestSize + 5]) {
        const tags = new Uint8Array(3 * tagSize)
        hash.digestUnits({ data, unitSize: 64, tagSize }, tags)
        for (let bit = 0; bit < tags.length * 8; bit++) {
          flipBit(tags, bit)
          expect(hash.verifyUnits({ data, unitSize: 64, tagSize }, tags)).toBe(Math.floor(bit / 8 / tagSize))
          flipBit(tags, bit)
        }
      }
    },
  )

  test.each([
    { unitSize: 0, unitCount: 3000, headSize: 3 },
    { unitSize: 5, unitCount: 5001, headSize: 8 },
    { unitSize: 512, unitCount: 777, headSize: 8 },
    { unitSize: 4096, unitCount: 70, headSize: 0 },
    { unitSize: 64, unitCount: 5, headSize: 70 * KIB },
    { unitSize: 130 * KIB + 1, unitCount: 3, headSize: 8 },
    { unitSize: 1100 * KIB, unitCount: 2, headSize: 8 },
  ])(
    "$unitCount units of $unitSize with heads of $headSize are cut into pieces",
    ({ unitSize, unitCount, headSize }) => {
      const prefix = patternBytes(32, 3)
      const batch = {
        data: patternBytes(unitSize * unitCount),
        unitSize,
        heads: patternBytes(headSize * unitCount, 2),
        prefix,
      }
      const isSmall = unitSize * unitCount < KIB * KIB
      for (const hash of [engine.hash("crc32c"), engine.hash("sha256"), engine.hmac("sha256", prefix)]) {
        const tags = new Uint8Array(unitCount * hash.digestSize)
        hash.digestUnits(batch, tags)
        for (const index of isSmall ? [0, 1, Math.floor(unitCount / 2), unitCount - 1] : [unitCount - 1]) {
          const head = batch.heads.subarray(index * headSize, (index + 1) * headSize)
          const digest = hash.digest(prefix, head, batch.data.subarray(index * unitSize, (index + 1) * unitSize))
          expect(hex(tags.subarray(index * hash.digestSize, (index + 1) * hash.digestSize))).toBe(hex(digest))
        }
        expect(hash.verifyUnits(batch, tags)).toBe(-1)
        flipBit(tags, tags.length * 8 - 1)
        expect(hash.verifyUnits(batch, tags)).toBe(unitCount - 1)
        hash.destroy()
      }
    },
  )

  test.each(HASHES)("$name: units of no bytes have digests too", ({ create }) => {
    const hash = create(engine)
    const tags = new Uint8Array(2 * hash.digestSize).fill(0xa5)
    hash.digestUnits({ data: new Uint8Array(0), unitSize: 0 }, tags)
    expect(hex(tags)).toBe(hex(hash.digest()).repeat(2))
    expect(hash.verifyUnits({ data: new Uint8Array(0), unitSize: 0 }, tags)).toBe(-1)
    flipBit(tags, 0)
    expect(hash.verifyUnits({ data: new Uint8Array(0), unitSize: 0 }, tags)).toBe(0)
  })

  test("units in the engine's own memory, and one hash after another in the same", () => {
    const data = engine.allocate(9 * 512)
    data.set(patternBytes(data.length))
    const hashes = [engine.hash("crc32c"), engine.hash("sha256"), engine.hash("crc32c")]
    for (const hash of [...hashes, ...hashes]) {
      const tags = engine.allocate(9 * hash.digestSize)
      hash.digestUnits({ data, unitSize: 512, suffix: data.subarray(0, 3) }, tags)
      expect(hex(tags.subarray(-hash.digestSize))).toBe(hex(hash.digest(data.subarray(-512), data.subarray(0, 3))))
    }
    expect(hex(data)).toBe(hex(patternBytes(data.length)))
  })

  test("wrong lengths and a destroyed hash are refused", () => {
    const hash = engine.hash("sha256")
    const verify = (tagSize: number, length: number) =>
      hash.verifyUnits({ data: new Uint8Array(64), unitSize: 32, tagSize }, new Uint8Array(length))
    for (const tagSize of [0, -1, 1.5, NaN, Infinity]) expect(() => verify(tagSize, 64)).toThrow(RangeError)
    expect(() => verify(16, 33)).toThrow(RangeError)
    expect(() => verify(16, 48)).toThrow(RangeError)
    expect(verify(16, 32)).toBe(0)
    hash.destroy()
    expect(() => verify(16, 32)).toThrow(TypeError)
  })
})
