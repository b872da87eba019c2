import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesOnStripe, deviceOffsetOf, splitByChunk, splitByStripe, stripeAt } from "./stripe-map.ts"

const maps = fc.record({ stripeCount: fc.integer({ min: 1, max: 5 }), chunkSize: fc.integer({ min: 1, max: 7 }) })
const ranges = fc.record({ offset: fc.nat(200), length: fc.integer({ min: 1, max: 100 }) })

/** The mapping one byte at a time, as its definition says. */
function naive({ stripeCount, chunkSize }: { stripeCount: number; chunkSize: number }, offset: number) {
  const chunkIndex = Math.floor(offset / chunkSize)
  return {
    stripe: chunkIndex % stripeCount,
    offset: Math.floor(chunkIndex / stripeCount) * chunkSize + (offset % chunkSize),
  }
}

test("a byte lies on its chunk's stripe, in its chunk's row", () => {
  fc.assert(
    fc.property(maps, fc.nat(1000), (map, offset) => {
      const { stripe, offset: onStripe } = naive(map, offset)
      expect(stripeAt(map, offset)).toBe(stripe)
      expect(bytesOnStripe(map, stripe, offset)).toBe(onStripe)
      expect(deviceOffsetOf(map, stripe, onStripe)).toBe(offset)
    }),
  )
})

test("pieces cover a request in order, and stripes cover what the pieces cover", () => {
  fc.assert(
    fc.property(maps, ranges, (map, { offset, length }) => {
      const pieces = splitByChunk(map, offset, length)
      const bytes = pieces.flatMap((piece) =>
        Array.from({ length: piece.length }, (_, index) => ({ stripe: piece.stripe, offset: piece.offset + index })),
      )
      expect(bytes).toEqual(Array.from({ length }, (_, index) => naive(map, offset + index)))
      for (const range of splitByStripe(map, offset, length)) {
        const own = bytes.filter((byte) => byte.stripe === range.stripe).map((byte) => byte.offset)
        expect(own).toEqual(Array.from({ length: range.length }, (_, index) => range.offset + index))
      }
    }),
  )
})

test("offsets of petabytes stay exact", () => {
  const map = { stripeCount: 3, chunkSize: 3 * 512 }
  const offset = 3 * 3 * 512 * 1_900_000_000_000 + 2 * 3 * 512 + 511
  expect(stripeAt(map, offset)).toBe(2)
  expect(bytesOnStripe(map, 2, offset)).toBe(3 * 512 * 1_900_000_000_000 + 511)
  expect(deviceOffsetOf(map, 2, bytesOnStripe(map, 2, offset))).toBe(offset)
})
