import { seededRandom } from "@blockstrata/testkit"
import { fc, test } from "@fast-check/vitest"
import { describe, expect, it } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { commitIds, nextSequence, plainBases } from "./commit-id.ts"
import {
  clearSection,
  entryDataOffset,
  entryOffset,
  entryPlace,
  putSection,
  type SectionShape,
  sectionEntryCount,
  takeEntry,
  viewOf,
} from "./journal-section.ts"
import { sectionLayout } from "./layout.ts"

const SECTOR_SIZE = 512

function shapeOf(blockSize: number, tagSize: number, hasJournalMac = true): SectionShape {
  const geometry = { blockSize, tagSize, hasJournalMac, hasFixedPadding: true, interleaveSectors: 8 }
  return {
    blockSize,
    tagSize,
    journal: { offset: 4096, sectionCount: 3, ...sectionLayout({ ...geometry, journalSectionCount: 3 }) },
  }
}

const shapes = fc.record({
  blockSize: fc.constantFrom(512, 1024, 2048, 4096),
  tagSize: fc.integer({ min: 1, max: 255 }),
})

describe("a section", () => {
  test.prop([shapes, fc.nat()], { numRuns: runCount(20) })(
    "gives back every block, tag and place, whatever the commit ids displace",
    (size, seed) => {
      const shape = shapeOf(size.blockSize, size.tagSize)
      const random = seededRandom(seed, "section")
      const section = random.bytes(shape.journal.sectionBytes)
      const entryCount = sectionEntryCount(shape)
      const count = random.below(entryCount + 1)
      const { blockSize, tagSize } = shape
      const offsets = Float64Array.from({ length: count }, (_, slot) => (slot * 977 + 2 ** 33) * blockSize)
      const [data, tags] = [random.bytes(count * blockSize), random.bytes(count * tagSize)]
      putSection(section, shape, { count, offsets, data, tags })
      commitIds(plainBases()).put(section, 2, 1)
      const found = { data: new Uint8Array(blockSize), tag: new Uint8Array(tagSize) }
      for (let slot = 0; slot < entryCount; slot++) {
        expect(entryPlace(viewOf(section), shape, slot)).toBe(offsets[slot])
        if (slot >= count) continue
        takeEntry(section, shape, slot, found)
        expect(Buffer.compare(found.data, data.subarray(slot * blockSize, (slot + 1) * blockSize))).toBe(0)
        expect(Buffer.compare(found.tag, tags.subarray(slot * tagSize, (slot + 1) * tagSize))).toBe(0)
      }
    },
  )

  test.prop([shapes, fc.boolean()], { numRuns: runCount(20) })(
    "has room for its entries, none over another, the MAC or a commit id",
    (size, hasMac) => {
      const shape = shapeOf(size.blockSize, size.tagSize, hasMac)
      const used = new Uint8Array(shape.journal.sectionBytes)
      const take = (start: number, length: number) => {
        expect(used.subarray(start, start + length).every((count) => count === 0)).toBe(true)
        used.fill(1, start, start + length)
        expect(start + length).toBeLessThanOrEqual(used.length)
      }
      for (let sector = 0; sector < used.length / SECTOR_SIZE; sector++) {
        const metadata = sector < 8 && hasMac ? 16 : 8
        if (sector < 8) take(sector * SECTOR_SIZE + SECTOR_SIZE - metadata, metadata)
      }
      for (let slot = 0; slot < sectionEntryCount(shape); slot++) {
        take(entryOffset(shape, slot), 8 + (shape.blockSize / SECTOR_SIZE) * 8 + shape.tagSize)
        take(entryDataOffset(shape, slot), shape.blockSize)
      }
    },
  )

  it("says of an entry that is being filled that it belongs beyond every volume", () => {
    const shape = shapeOf(512, 4)
    const section = new Uint8Array(shape.journal.sectionBytes)
    clearSection(section, shape)
    viewOf(section).setUint32(entryOffset(shape, 9) + 4, 0xfffffffe, true)
    expect(entryPlace(viewOf(section), shape, 9)).toBeGreaterThan(Number.MAX_SAFE_INTEGER)
    expect(entryPlace(viewOf(section), shape, 8)).toBeUndefined()
  })
})

describe("commit ids", () => {
  it("are told apart by sequence, section and sector", () => {
    const ids = commitIds(plainBases())
    const section = new Uint8Array(40 * SECTOR_SIZE)
    for (const sectionIndex of [0, 1, 0x7fffffff, 0xfffffffe]) {
      for (let sequence = 0; sequence < 4; sequence++) {
        ids.put(section, sectionIndex, sequence)
        const view = viewOf(section)
        for (let sector = 0; sector < 40; sector++) {
          expect(ids.sequenceAt(view, sectionIndex, sector)).toBe(sequence)
          expect(ids.sequenceAt(view, sectionIndex + 1, sector)).toBeUndefined()
        }
        expect(ids.sequenceAt(view, sectionIndex, 4)).toBe(sequence)
        section.copyWithin(0, SECTOR_SIZE, 2 * SECTOR_SIZE)
        expect(ids.sequenceAt(view, sectionIndex, 0)).toBeUndefined()
      }
    }
  })

  it("are those that Linux writes for section 2, sector 3, sequence 1", () => {
    const section = new Uint8Array(4 * SECTOR_SIZE)
    commitIds(plainBases()).put(section, 2, 1)
    expect([...section.subarray(4 * SECTOR_SIZE - 8)]).toEqual([0x21, 0x22, 0x22, 0x22, 0x20, 0x22, 0x22, 0x22])
  })

  it("differ where a cipher gives two bases that are the same", () => {
    const ids = commitIds(new Uint8Array(32).fill(0xff))
    const section = new Uint8Array(SECTOR_SIZE)
    for (let sequence = 0; sequence < 4; sequence++) {
      ids.put(section, 0, sequence)
      expect(ids.sequenceAt(viewOf(section), 0, 0)).toBe(sequence)
    }
  })

  it("count modulo four", () => {
    expect([nextSequence(3), nextSequence(0, -1), nextSequence(1, -2)]).toEqual([0, 3, 3])
  })
})
