import fc from "fast-check"
import { describe, expect, it, test } from "vitest"
import { areaRuns, layoutOf, tagRunBytes } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"

function superblock(changes: Partial<IntegritySuperblock>): IntegritySuperblock {
  return {
    version: 4,
    interleaveSectors: 64,
    tagSize: 32,
    journalSectionCount: 1,
    providedSectors: 2 ** 40,
    hasJournalMac: false,
    isRecalculating: false,
    hasDirtyBitmap: false,
    hasFixedPadding: true,
    hasFixedHmac: false,
    isInline: false,
    blockSize: 512,
    bitmapBitBlocksLog2: 0,
    recalculatedSectors: 0,
    salt: new Uint8Array(16),
    ...changes,
  }
}

describe("a run of tags", () => {
  it.each([
    [64, 32, 512, true, 4096],
    [1024, 16, 512, true, 16384],
    [1032, 16, 512, true, 20480],
    [128, 4, 4096, true, 4096],
    [64, 32, 512, false, 131072],
    [32768, 4, 512, false, 131072],
    [65536, 4, 512, false, 262144],
  ])(
    "of %i sectors, tags of %i bytes, blocks of %i, fixed padding %s",
    (interleaveSectors, tagSize, blockSize, hasFixedPadding, bytes) => {
      expect(tagRunBytes(superblock({ interleaveSectors, tagSize, blockSize, hasFixedPadding }))).toBe(bytes)
    },
  )
})

test("all that a volume provides lies below, and no more would fit, whatever the size below", () => {
  const geometry = fc.record({
    interleaveSectors: fc.integer({ min: 3, max: 8 }).map((log2) => 2 ** log2),
    tagSize: fc.constantFrom(1, 4, 28, 32),
    hasFixedPadding: fc.boolean(),
    journalSectionCount: fc.integer({ min: 1, max: 3 }),
  })
  const start = fc.nat(9).map((sectors) => sectors * 512)
  fc.assert(
    fc.property(geometry, start, fc.integer({ min: 2000, max: 6000 }), (changes, startBytes, firstSectors) => {
      // Eight sizes in a row: volumes grow by eight sectors.
      for (let sectors = firstSectors; sectors < firstSectors + 8; sectors++) {
        const layout = layoutOf(superblock(changes), sectors * 512, startBytes)
        const endOf = (bytes: number) => {
          const last = areaRuns(layout, 0, bytes).at(-1)!
          return last.dataOffset + last.length
        }
        expect(endOf(layout.possibleBytes)).toBeLessThanOrEqual(sectors * 512)
        expect(endOf(layout.possibleBytes + 4096)).toBeGreaterThan(sectors * 512)
      }
    }),
  )
})
