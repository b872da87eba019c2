import { type BlockDevice, BlockError, defineDevice, memoryDevice } from "@blockstrata/device"
import { seededRandom } from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { type CheckIntegrityOptions, checkIntegrity, type IntegrityCheckReport } from "./check-integrity.ts"
import { type FormatIntegrityOptions, formatIntegrity } from "./format-integrity.ts"
import type { InternalHash } from "./internal-hash.ts"
import { areaRuns, type IntegrityLayout, layoutOf } from "./layout.ts"
import { repairIntegrity } from "./repair-integrity.ts"

const SIZE = 512 * 1024
const HMAC: InternalHash = { name: "hmac(sha256)", key: new Uint8Array(32).fill(7) }

interface Formatted {
  readonly bytes: Uint8Array
  readonly layout: IntegrityLayout
  readonly internalHash: InternalHash
  check(options?: Partial<CheckIntegrityOptions>): Promise<IntegrityCheckReport>
}

async function format(options: Partial<FormatIntegrityOptions> = {}, size = SIZE): Promise<Formatted> {
  const bytes = new Uint8Array(size)
  const internalHash: InternalHash = options.internalHash ?? { name: "crc32c" }
  const tagSize = internalHash.name === "crc32c" ? 4 : 32
  const lower = memoryDevice({ bytes })
  const shape = { tagSize, blockSize: 512, interleaveSectors: 64, wipe: true }
  const superblock = await formatIntegrity({ lower, ...shape, ...options, internalHash })
  return {
    bytes,
    internalHash,
    layout: layoutOf(superblock, size, 0),
    check: (more) => checkIntegrity({ lower: memoryDevice({ bytes, readOnly: true }), internalHash, ...more }),
  }
}

function failing(bytes: Uint8Array, from: number, length: number): BlockDevice {
  const lower = memoryDevice({ bytes })
  return defineDevice({
    name: "failing",
    size: lower.size,
    blockSize: 512,
    features: { write: false },
    lowers: [],
    async read(offset, buffer) {
      const [first, last] = [Math.max(offset, from), Math.min(offset + buffer.length, from + length)]
      if (first < last) throw new BlockError("IO", "failing: gone", { offset: first, length: last - first })
      await lower.read(offset, buffer)
    },
    flush: () => lower.flush(),
  })
}

describe("checkIntegrity", () => {
  it.each([
    ["crc32c", { name: "crc32c" }, 512],
    ["sha256", { name: "sha256" }, 4096],
    ["hmac", HMAC, 1024],
  ] as const)(
    "finds nothing in a sound volume, and each changed byte of one: %s",
    async (_, internalHash, blockSize) => {
      const volume = await format({ internalHash, blockSize })
      const { layout, bytes } = volume
      const sound = await volume.check()
      expect(sound).toMatchObject({ findings: [], findingCount: 0, damageCount: 0, checkedBytes: layout.providedBytes })
      expect(sound.blocks.good).toBe(layout.providedBytes / blockSize)
      const random = seededRandom(inject("seed"), "bytes")
      const original = bytes.slice()
      for (let round = 0; round < 20; round++) {
        const offset = random.below(layout.providedBytes / blockSize) * blockSize
        const [run] = areaRuns(layout, offset, blockSize)
        const isTag = round % 2 === 0
        const at = isTag ? run!.tagOffset + random.below(layout.tagSize) : run!.dataOffset + random.below(blockSize)
        bytes[at]! ^= 1 + random.below(255)
        const { findings, findingCount } = await volume.check()
        expect(findingCount).toBe(1)
        expect(findings).toMatchObject([
          {
            kind: "mismatch",
            severity: "damage",
            blocks: { offset, length: blockSize },
            places: [
              { device: "data", offset: run!.dataOffset, length: blockSize },
              { device: "data", offset: run!.tagOffset, length: layout.tagSize },
            ],
          },
        ])
        bytes.set(original)
      }
    },
  )

  it("joins blocks into runs, and ends a run with its area", async () => {
    const { layout, bytes, check } = await format()
    const [first, second] = areaRuns(layout, 60 * 512, 8 * 512)
    for (const run of [first!, second!]) bytes.fill(1, run.dataOffset, run.dataOffset + run.length)
    const { findings, blocks } = await check()
    expect(findings.map(({ kind, blocks: place }) => [kind, place])).toEqual([
      ["mismatch", { offset: 60 * 512, length: 4 * 512 }],
      ["mismatch", { offset: 64 * 512, length: 4 * 512 }],
    ])
    expect(blocks.mismatch).toBe(8)
    const few = await check({ findingsMax: 1 })
    expect([few.findings.length, few.findingCount, few.damageCount]).toEqual([1, 2, 2])
  })

  it("tells what was never written and what was discarded", async () => {
    const { layout, bytes, check } = await format()
    const [run] = areaRuns(layout, 3 * 512, 2 * 512)
    bytes.fill(0, run!.tagOffset, run!.tagOffset + run!.tagLength)
    const [other] = areaRuns(layout, 9 * 512, 512)
    bytes.fill(0xf6, other!.tagOffset, other!.tagOffset + other!.tagLength)
    expect((await check()).findings.map(({ kind, blocks }) => [kind, blocks])).toEqual([
      ["never-written", { offset: 3 * 512, length: 1024 }],
      ["discarded", { offset: 9 * 512, length: 512 }],
    ])
    const { findings, blocks } = await check({ allowDiscards: true })
    expect(findings.map(({ kind }) => kind)).toEqual(["never-written"])
    expect(blocks).toMatchObject({ neverWritten: 2, discarded: 1, mismatch: 0 })
    const unwiped = await format({ wipe: false })
    const { blocks: all, findingCount } = await unwiped.check()
    expect(all.neverWritten).toBe(unwiped.layout.providedBytes / 512)
    expect(findingCount).toBe(Math.ceil(unwiped.layout.providedBytes / (64 * 512)))
  })

  it("says that the salt or the key is another one, and where the salt stands", async () => {
    const { bytes, check } = await format({ internalHash: HMAC })
    bytes[50]! ^= 1
    const salted = await check()
    expect(salted.findings[0]).toMatchObject({
      kind: "salt-or-key",
      places: expect.arrayContaining([{ device: "data", offset: 48, length: 16 }]),
    })
    bytes[50]! ^= 1
    const keyed = await check({ internalHash: { ...HMAC, key: new Uint8Array(32) } })
    expect(keyed.findings[0]?.kind).toBe("salt-or-key")
    expect((await check()).findingCount).toBe(0)
  })

  it.each([8, 10, 16, 28])(
    "names the tag size where another one of %i bytes moves nothing but tags",
    async (tagSize) => {
      const [data, metadata] = [new Uint8Array(64 * 1024), new Uint8Array(64 * 1024)]
      const media = { lower: memoryDevice({ bytes: data }), metadata: memoryDevice({ bytes: metadata }) }
      const internalHash = { name: "sha256" } as const
      await formatIntegrity({ ...media, tagSize: 32, blockSize: 512, internalHash, wipe: true })
      metadata[10] = tagSize
      const { findings } = await checkIntegrity({ ...media, internalHash })
      expect(findings[0]).toMatchObject({
        kind: expect.stringMatching(/^salt-or-key$|^superblock-(size|geometry)$/) as string,
        places: expect.arrayContaining([{ device: "metadata", offset: 10, length: 2 }]) as unknown,
      })
    },
  )

  it("goes on after what cannot be read, and names the blocks that stand on it", async () => {
    const { layout, bytes, check } = await format()
    const [run] = areaRuns(layout, 16 * 512, 512)
    const byData = await check({ lower: failing(bytes, run!.dataOffset, 512) })
    expect(byData.findings).toMatchObject([
      {
        kind: "unreadable",
        blocks: { offset: 16 * 512, length: 512 },
        places: [{ offset: run!.dataOffset, length: 512 }],
      },
    ])
    expect(byData.blocks).toMatchObject({ unreadable: 1, mismatch: 0, good: layout.providedBytes / 512 - 1 })
    const byTags = await check({ lower: failing(bytes, layout.firstAreaOffset, 512) })
    expect(byTags.findings).toMatchObject([{ kind: "unreadable", blocks: { offset: 0, length: 64 * 512 } }])
    expect(byTags.blocks).toMatchObject({ unreadable: 64, mismatch: 0 })
  })

  it("reports progress up to the end, and stops when it is told to", async () => {
    const { check } = await format({}, 4 * SIZE)
    const progress: number[] = []
    await check({ onProgress: (done, total) => progress.push(done / total) })
    expect([progress.length > 1, progress.at(-1)]).toEqual([true, 1])
    expect(progress).toEqual([...progress].sort((left, right) => left - right))
    const controller = new AbortController()
    await expect(
      check({ signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) }),
    ).rejects.toThrow("enough")
  })

  it("looks at every piece of a volume that is longer than what is read ahead", async () => {
    const { layout, bytes, check } = await format({ blockSize: 4096 }, 6 * 1024 * 1024)
    const offsets = Array.from({ length: 11 }, (_, index) => (index * 128 + index) * 4096)
    for (const offset of offsets) bytes[areaRuns(layout, offset, 4096)[0]!.dataOffset]! ^= 1
    const { findings, blocks } = await check()
    expect(findings.map((finding) => finding.blocks?.offset)).toEqual(offsets)
    expect([blocks.mismatch, blocks.good]).toEqual([11, layout.providedBytes / 4096 - 11])
  })

  it("checks data on a device of their own, and names the device of each place", async () => {
    const [data, metadata] = [new Uint8Array(64 * 1024), new Uint8Array(64 * 1024)]
    const media = { lower: memoryDevice({ bytes: data }), metadata: memoryDevice({ bytes: metadata }) }
    const internalHash = { name: "sha256" } as const
    await formatIntegrity({ ...media, tagSize: 32, blockSize: 512, internalHash, wipe: true })
    expect(await checkIntegrity({ ...media, internalHash })).toMatchObject({ findingCount: 0, checkedBytes: 64 * 1024 })
    data[1024]! ^= 1
    const { findings } = await checkIntegrity({ ...media, internalHash })
    expect(findings[0]?.places.map(({ device }) => device)).toEqual(["data", "metadata"])
    expect(findings[0]?.places[0]).toEqual({ device: "data", offset: 1024, length: 512 })
  })

  it("checks tags that the device below keeps with its blocks", async () => {
    const lower = memoryDevice({ size: 256 * 1024, blockSize: 4096, tagSize: 40 })
    const internalHash = { name: "sha256" } as const
    await formatIntegrity({ lower, tagSize: 32, blockSize: 4096, internalHash, mode: "I", wipe: true })
    expect(await checkIntegrity({ lower, internalHash })).toMatchObject({ findings: [], blocks: { mismatch: 0 } })
    const [data, tags] = [new Uint8Array(4096), new Uint8Array(40)]
    await lower.read(8 * 4096, data, tags)
    tags[31]! ^= 1
    await lower.write(8 * 4096, data, { tags })
    const { findings, blocks } = await checkIntegrity({ lower, internalHash })
    expect(findings).toMatchObject([{ kind: "mismatch", places: [{ device: "data", offset: 8 * 4096, length: 4096 }] }])
    expect(blocks).toMatchObject({ mismatch: 1 })
    expect(await repairIntegrity({ lower, internalHash })).toMatchObject({ hasWritten: false, blockCount: 1 })
    expect(await repairIntegrity({ lower, internalHash, trustData: true })).toMatchObject({ blockCount: 1 })
    expect(await checkIntegrity({ lower, internalHash })).toMatchObject({ findings: [] })
  })

  it("a superblock that makes a journal of a whole device is one finding, and one of the journal", async () => {
    const { bytes } = await format()
    const large = memoryDevice({ size: 64 * 1024 * 1024 })
    const superblock = bytes.slice(0, 4096)
    const view = new DataView(superblock.buffer)
    // With tags of 4 bytes on blocks of 512 a section has 176 sectors.
    const sectionCount = Math.floor((64 * 2048 - 300) / 176)
    view.setUint32(12, sectionCount, true)
    await large.write(0, superblock)
    const { findings, findingCount } = await checkIntegrity({ lower: large, internalHash: { name: "crc32c" } })
    expect(findings.map(({ kind }) => kind).slice(0, 3)).toEqual([
      "superblock-size",
      "superblock-geometry",
      "journal-commit-id",
    ])
    expect(findings[2]?.places).toEqual([{ device: "data", offset: 4096, length: sectionCount * 176 * 512 }])
    expect(findingCount).toBeLessThan(10)
  })

  it("reads a volume over larger blocks, and a tag store", async () => {
    const { bytes, check } = await format()
    expect((await check({ lower: memoryDevice({ bytes, blockSize: 4096 }) })).findingCount).toBe(0)
    const store = await check({ internalHash: undefined })
    expect(store).toMatchObject({ findingCount: 0, blocks: { good: 0 } })
    expect(store.checkedBytes).toBeGreaterThan(0)
  })
})
