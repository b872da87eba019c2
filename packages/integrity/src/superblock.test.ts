import { BlockError } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { layoutOf } from "./layout.ts"
import { decodeSuperblock, encodeSuperblock, type IntegritySuperblock } from "./superblock.ts"

const journaled: fc.Arbitrary<IntegritySuperblock> = fc.record({
  version: fc.integer({ min: 1, max: 5 }),
  interleaveSectors: fc.integer({ min: 3, max: 31 }).map((log2) => 2 ** log2),
  tagSize: fc.integer({ min: 1, max: 255 }),
  journalSectionCount: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  providedSectors: fc.nat(2 ** 44 - 1),
  hasJournalMac: fc.boolean(),
  isRecalculating: fc.boolean(),
  hasDirtyBitmap: fc.boolean(),
  hasFixedPadding: fc.boolean(),
  hasFixedHmac: fc.boolean(),
  isInline: fc.constant(false),
  blockSize: fc.constantFrom(512, 1024, 2048, 4096),
  bitmapBitBlocksLog2: fc.nat(255),
  recalculatedSectors: fc.nat(2 ** 44 - 1),
  salt: fc.uint8Array({ minLength: 16, maxLength: 16 }),
})

/** One of six has inline tags, and then no journal. */
const superblocks = fc.tuple(journaled, fc.nat(5)).map(
  ([superblock, kind]): IntegritySuperblock =>
    kind > 0
      ? superblock
      : {
          ...superblock,
          version: 6,
          isInline: true,
          journalSectionCount: 0,
          hasJournalMac: false,
          hasDirtyBitmap: false,
        },
)

describe("integrity superblock", () => {
  it("survives a round trip", () => {
    fc.assert(
      fc.property(superblocks, (superblock) => {
        expect(decodeSuperblock(encodeSuperblock(superblock))).toEqual(superblock)
      }),
    )
  })

  it("decodes or refuses any bytes, with a typed error, and lays out whatever it decodes", () => {
    const bytes = fc
      .tuple(superblocks, fc.array(fc.tuple(fc.integer({ min: 8, max: 63 }), fc.nat(255)), { maxLength: 6 }))
      .map(([superblock, changes]) => {
        const encoded = encodeSuperblock(superblock)
        for (const [at, byte] of changes) encoded[at] = byte
        return encoded
      })
    fc.assert(
      fc.property(bytes, fc.nat(2 ** 40), (encoded, lowerSectors) => {
        try {
          const layout = layoutOf(decodeSuperblock(encoded), lowerSectors * 512, 0)
          expect(layout.providedBytes).toBeLessThanOrEqual(lowerSectors * 512)
        } catch (error) {
          expect(error).toBeInstanceOf(BlockError)
          expect(["CORRUPT", "UNSUPPORTED"]).toContain((error as BlockError).code)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    [0, 0, "CORRUPT"],
    [8, 0, "CORRUPT"],
    [8, 6, "UNSUPPORTED"],
    [8, 7, "UNSUPPORTED"],
    [9, 2, "CORRUPT"],
    [9, 32, "CORRUPT"],
    [10, 0, "CORRUPT"],
    [11, 1, "UNSUPPORTED"],
    [12, 0, "CORRUPT"],
    [23, 1, "CORRUPT"],
    [24, 0x38, "UNSUPPORTED"],
    [24, 0x58, "UNSUPPORTED"],
    [28, 4, "CORRUPT"],
    [39, 1, "CORRUPT"],
  ])("byte %i = %i is %s", (at, byte, code) => {
    const bytes = encodeSuperblock({
      version: 5,
      interleaveSectors: 32768,
      tagSize: 4,
      journalSectionCount: 1,
      providedSectors: 3656,
      hasJournalMac: false,
      isRecalculating: false,
      hasDirtyBitmap: false,
      hasFixedPadding: true,
      hasFixedHmac: true,
      isInline: false,
      blockSize: 512,
      bitmapBitBlocksLog2: 15,
      recalculatedSectors: 0,
      salt: new Uint8Array(16),
    })
    expect(decodeSuperblock(bytes).providedSectors).toBe(3656)
    bytes[at] = byte
    expect(() => decodeSuperblock(bytes)).toThrow(expect.objectContaining({ code }))
  })

  it("is not encoded outside its invariant", () => {
    const [superblock] = fc.sample(journaled, 1)
    expect(() => encodeSuperblock({ ...superblock!, version: 6 })).toThrow(RangeError)
    expect(() => encodeSuperblock({ ...superblock!, isInline: true })).toThrow(RangeError)
    expect(() => encodeSuperblock({ ...superblock!, version: 6, isInline: true })).toThrow(RangeError)
    expect(() => encodeSuperblock({ ...superblock!, interleaveSectors: 2 })).toThrow(RangeError)
    expect(() => decodeSuperblock(new Uint8Array(63))).toThrow(RangeError)
  })
})
