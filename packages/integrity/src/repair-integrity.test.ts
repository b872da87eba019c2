import { memoryDevice } from "@blockstrata/device"
import { describe, expect, it } from "vitest"
import { checkIntegrity } from "./check-integrity.ts"
import { type FormatIntegrityOptions, formatIntegrity } from "./format-integrity.ts"
import type { InternalHash } from "./internal-hash.ts"
import { areaRuns, type IntegrityLayout, layoutOf } from "./layout.ts"
import { type IntegrityRepairReport, type RepairIntegrityOptions, repairIntegrity } from "./repair-integrity.ts"

const SIZE = 512 * 1024
const HASHES: readonly InternalHash[] = [
  { name: "crc32c" },
  { name: "sha256" },
  { name: "hmac(sha256)", key: new Uint8Array(32).fill(9) },
]

interface Damaged {
  readonly bytes: Uint8Array
  readonly layout: IntegrityLayout
  repair(options?: Partial<RepairIntegrityOptions>): Promise<IntegrityRepairReport>
  findingKinds(): Promise<readonly string[]>
}

/** Blocks 3 and 4 have other data, block 70 another tag, block 9 none, block 12 the filler. */
async function damaged(internalHash: InternalHash, options: Partial<FormatIntegrityOptions> = {}): Promise<Damaged> {
  const bytes = new Uint8Array(SIZE)
  const tagSize = internalHash.name === "crc32c" ? 4 : 32
  const shape = { tagSize, blockSize: 512, interleaveSectors: 64, wipe: true }
  const superblock = await formatIntegrity({ lower: memoryDevice({ bytes }), internalHash, ...shape, ...options })
  const layout = layoutOf(superblock, SIZE, 0)
  const run = (block: number) => areaRuns(layout, block * 512, 512)[0]!
  for (const block of [3, 4]) bytes[run(block).dataOffset]! ^= 1
  bytes[run(70).tagOffset]! ^= 1
  bytes.fill(0, run(9).tagOffset, run(9).tagOffset + tagSize)
  bytes.fill(0xf6, run(12).tagOffset, run(12).tagOffset + tagSize)
  const volume = { lower: memoryDevice({ bytes }), internalHash }
  return {
    bytes,
    layout,
    repair: (more) => repairIntegrity({ ...volume, ...more }),
    findingKinds: async () => (await checkIntegrity(volume)).findings.map(({ kind }) => kind),
  }
}

describe.each(HASHES.map((hash) => [hash.name, hash] as const))("repairIntegrity, %s", (_, internalHash) => {
  it("changes no byte without trust, and says what it would do", async () => {
    const { bytes, layout, repair, findingKinds } = await damaged(internalHash)
    const before = bytes.slice()
    const report = await repair()
    expect(Buffer.compare(bytes, before)).toBe(0)
    expect(report).toMatchObject({ hasWritten: false, blockCount: 5, runCount: 4, unreadableCount: 0, findings: [] })
    expect(report.runs.map(({ offset, length }) => [offset / 512, length / 512])).toEqual([
      [3, 2],
      [9, 1],
      [12, 1],
      [70, 1],
    ])
    const [run] = areaRuns(layout, 70 * 512, 512)
    expect(report.runs[3]?.places).toEqual([
      { device: "data", offset: run!.dataOffset, length: 512 },
      { device: "data", offset: run!.tagOffset, length: layout.tagSize },
    ])
    expect(await findingKinds()).toHaveLength(4)
    const readOnly = { lower: memoryDevice({ bytes, readOnly: true }) }
    expect(await repair(readOnly)).toMatchObject({ hasWritten: false, blockCount: 5 })
    await expect(repair({ ...readOnly, trustData: true })).rejects.toMatchObject({ code: "READ_ONLY" })
  })

  it("with trust makes the tags of bad blocks, and changes nothing else", async () => {
    const { bytes, layout, repair, findingKinds } = await damaged(internalHash)
    const before = bytes.slice()
    const planned = await repair()
    const report = await repair({ trustData: true })
    expect(report).toEqual({ ...planned, hasWritten: true })
    expect(await findingKinds()).toEqual([])
    const allowed = new Set(
      report.runs.flatMap(({ offset, length }) => {
        const [run] = areaRuns(layout, offset, length)
        return Array.from({ length: run!.tagLength }, (__, index) => run!.tagOffset + index)
      }),
    )
    const changed = [...bytes.keys()].filter((at) => bytes[at] !== before[at])
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.filter((at) => !allowed.has(at))).toEqual([])
    expect(await repair({ trustData: true })).toMatchObject({ hasWritten: false, blockCount: 0, runs: [] })
  })

  it("keeps to its ranges, and leaves discarded blocks where discards are allowed", async () => {
    const { repair, findingKinds } = await damaged(internalHash)
    const ranges = [
      { offset: 4 * 512, length: 512 },
      { offset: 64 * 512, length: 64 * 512 },
    ]
    expect(await repair({ ranges, trustData: true })).toMatchObject({ blockCount: 2, runCount: 2 })
    expect(await findingKinds()).toEqual(["mismatch", "never-written", "discarded"])
    expect(await repair({ trustData: true, allowDiscards: true })).toMatchObject({ blockCount: 2 })
    expect(await findingKinds()).toEqual(["discarded"])
    for (const range of [
      { offset: 1, length: 512 },
      { offset: 0, length: 2 ** 40 },
      { offset: -512, length: 512 },
    ]) {
      await expect(repair({ ranges: [range] })).rejects.toThrow(RangeError)
    }
  })

  it("refuses where nothing matches, and where the superblock cannot be believed", async () => {
    const { bytes, repair } = await damaged(internalHash)
    const before = bytes.slice()
    bytes[48]! ^= 1
    await expect(repair({ trustData: true })).rejects.toMatchObject({ code: "REFUSED" })
    const named = await repair({ ranges: [{ offset: 0, length: 512 }] })
    expect(named).toMatchObject({ hasWritten: false, blockCount: 1 })
    bytes[48]! ^= 1
    for (const at of [0, 9, 10, 12, 16, 24, 28]) {
      bytes[at]! ^= 1
      // A tag size that moves nothing shows in the tags alone.
      await expect(repair({ trustData: true })).rejects.toMatchObject({
        code: at === 10 ? /CORRUPT|REFUSED/ : "CORRUPT",
      })
      bytes[at]! ^= 1
    }
    expect(Buffer.compare(bytes, before)).toBe(0)
    bytes[2000] = 1
    expect(await repair()).toMatchObject({ findings: [{ kind: "superblock-padding" }] })
  })
})

it("wants to know the hash", async () => {
  const { repair } = await damaged({ name: "crc32c" })
  await expect(repair({ internalHash: undefined })).rejects.toThrow(TypeError)
})
