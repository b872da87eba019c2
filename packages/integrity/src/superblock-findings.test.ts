import { memoryDevice } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { seededRandom } from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { type FormatIntegrityOptions, formatIntegrity } from "./format-integrity.ts"
import { type SuperblockFacts, superblockFindings } from "./superblock-findings.ts"

const SIZE = 1024 * 1024

async function superblockOf(options: Partial<FormatIntegrityOptions> = {}): Promise<Uint8Array> {
  const bytes = new Uint8Array(SIZE)
  const internalHash = { name: "sha256" } as const
  const salt = seededRandom(1, "salt").bytes(16)
  const format = { tagSize: 32, blockSize: 512, internalHash, wipe: false, interleaveSectors: 128 }
  const isSalted = options.legacyHmac !== true
  await formatIntegrity({ lower: memoryDevice({ bytes }), ...format, ...(isSalted ? { salt } : {}), ...options })
  return bytes.slice(0, 4096)
}

const FACTS: SuperblockFacts = {
  metadataBytes: SIZE,
  start: 0,
  dataBytes: undefined,
  expected: {},
  journalMac: undefined,
}

function covers(bytes: Uint8Array, at: number, facts: Partial<SuperblockFacts> = {}): boolean {
  return superblockFindings(bytes, { ...FACTS, ...facts }).some(({ places }) =>
    places.some(({ offset, length }) => at >= offset && at < offset + length),
  )
}

describe("superblockFindings", () => {
  it.each([
    {},
    { legacyPadding: true },
    { legacyHmac: true },
    { blockSize: 4096 },
    { legacyHmac: true, legacyPadding: true },
  ])("finds nothing in a fresh one: %o", async (options) => {
    expect(superblockFindings(await superblockOf(options), FACTS)).toEqual([])
  })

  it("every changed byte is in a finding, but for the salt, of which only the tags tell", async () => {
    const original = await superblockOf()
    const random = seededRandom(inject("seed"), "superblock")
    const missed = new Set<number>()
    for (let at = 0; at < 4096; at++) {
      const bytes = original.slice()
      bytes[at]! ^= 1 + random.below(255)
      // Another size of tags may leave room for just as many blocks: it takes the line to tell.
      if (!covers(bytes, at, { expected: { tagSize: 32 } })) missed.add(at)
    }
    expect([...missed]).toEqual(Array.from({ length: 16 }, (_, index) => 48 + index))
  })

  it("every bit of the 64 bytes is, with the MAC of the sector the salt too", async () => {
    const original = await superblockOf()
    const hash = nodeEngine.hmac("sha256", new Uint8Array(32).fill(1))
    const sealed = original.slice()
    sealed[24]! |= 1
    // One journal section has as many entries with a MAC as without: the geometry stays.
    sealed.set(hash.digest(sealed.subarray(0, 480)), 480)
    const facts = { journalMac: hash, expected: { hasJournalMac: true } }
    expect(superblockFindings(sealed, { ...FACTS, ...facts })).toEqual([])
    for (let bit = 0; bit < 512 * 8; bit++) {
      const bytes = sealed.slice()
      bytes[Math.floor(bit / 8)]! ^= 2 ** (bit % 8)
      expect([bit, covers(bytes, Math.floor(bit / 8), facts)]).toEqual([bit, true])
    }
    const without = superblockFindings(sealed, { ...FACTS, journalMac: nodeEngine.hmac("sha256", new Uint8Array(32)) })
    expect(without).toMatchObject([{ kind: "superblock-mac" }])
  })

  it("places are where the volume starts, and on the device that holds it", async () => {
    const bytes = await superblockOf()
    bytes[100] = 1
    bytes[102] = 1
    const facts = { ...FACTS, metadataBytes: SIZE + 8192, start: 8192 }
    expect(superblockFindings(bytes, facts)).toMatchObject([
      { kind: "superblock-padding", severity: "damage", places: [{ device: "data", offset: 8292, length: 3 }] },
    ])
  })

  it("an enlarged device is a notice, a shrunken one damage", async () => {
    const bytes = await superblockOf()
    const found = (metadataBytes: number) => superblockFindings(bytes, { ...FACTS, metadataBytes })
    expect(found(SIZE * 2)).toMatchObject([{ kind: "superblock-size", severity: "notice" }])
    expect(found(SIZE / 2)).toMatchObject([{ kind: "superblock-size", severity: "damage" }])
  })

  it("a line that says otherwise is told", async () => {
    const bytes = await superblockOf()
    const kinds = (expected: SuperblockFacts["expected"]) =>
      superblockFindings(bytes, { ...FACTS, expected }).map(({ kind, places }) => [kind, places[0]?.offset])
    expect(kinds({ tagSize: 32, blockSize: 512, interleaveSectors: 128, mode: "J", fixHmac: true })).toEqual([])
    expect(kinds({ tagSize: 16 })).toEqual([["superblock-geometry", 10]])
    expect(kinds({ blockSize: 4096 })).toEqual([["superblock-geometry", 28]])
    expect(kinds({ interleaveSectors: 256 })).toEqual([["superblock-geometry", 9]])
    expect(kinds({ journalSectors: 100000 })).toEqual([["superblock-geometry", 12]])
    expect(kinds({ hasJournalMac: true })).toEqual([["superblock-flags", 24]])
    expect(kinds({ sectorsPerBit: 64 })).toEqual([["superblock-bitmap-bit", 29]])
  })

  it("takes any bytes", () => {
    const random = seededRandom(inject("seed"), "hostile")
    for (let round = 0; round < 2000; round++) {
      const bytes = new Uint8Array(4096)
      random.fill(bytes.subarray(0, round % 2 === 0 ? 64 : 4096))
      bytes.set(Uint8Array.from("integrt\0", (character) => character.charCodeAt(0)))
      expect(superblockFindings(bytes, FACTS).length).toBeGreaterThan(0)
    }
  })
})
