import { type BlockDevice, BlockError, memoryDevice } from "@blockstrata/device"
import { type SeededRandom, seededRandom, seededRuntime } from "@blockstrata/testkit"
import { describe, expect, inject, it } from "vitest"
import { closedVector } from "../../../test/closed-vector.ts"
import { runCount } from "../../../test/run-count.ts"
import { listVectors, loadSharedVectors, loadVector, type Vector } from "../../../test/vector.ts"
import { checkIntegrity } from "./check-integrity.ts"
import type { ClosedVolumeOptions } from "./closed-volume.ts"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity } from "./inspect-integrity.ts"
import type { InternalHash } from "./internal-hash.ts"
import { areaRuns, type IntegrityLayout } from "./layout.ts"
import type { JournalEntryReport } from "./metadata-contents.ts"
import { type JournalAlgorithm, openIntegrity } from "./open-integrity.ts"
import { repairIntegrity } from "./repair-integrity.ts"
import { replayJournal } from "./replay-journal.ts"

const SIZE = 1536 * 1024
const key = (name: string, length = 32) => seededRandom(1, name).bytes(length)
const HMAC: InternalHash = { name: "hmac(sha256)", key: key("integrity") }
const MAC: JournalAlgorithm = { name: "hmac(sha256)", key: key("journal") }

interface Kind {
  readonly tagSize: number
  readonly blockSize: number
  readonly internalHash: InternalHash
  readonly journalMac?: JournalAlgorithm
  readonly journalCrypt?: JournalAlgorithm
  readonly isApart?: boolean
}

const KINDS: Readonly<Record<string, Kind>> = {
  crc32c: { tagSize: 4, blockSize: 512, internalHash: { name: "crc32c" } },
  "sha256, 4 KiB, cut": { tagSize: 20, blockSize: 4096, internalHash: { name: "sha256" } },
  "hmac, journal MAC": { tagSize: 32, blockSize: 512, internalHash: HMAC, journalMac: MAC },
  "crc32c, journal MAC and ctr(aes)": {
    ...{ tagSize: 4, blockSize: 1024, internalHash: { name: "crc32c" }, journalMac: MAC },
    journalCrypt: { name: "ctr(aes)", key: key("stream") },
  },
  "hmac, journal MAC and cbc(aes)": {
    ...{ tagSize: 32, blockSize: 512, internalHash: HMAC, journalMac: MAC },
    journalCrypt: { name: "cbc(aes)", key: key("block") },
  },
  "sha256, data apart": { tagSize: 32, blockSize: 512, internalHash: { name: "sha256" }, isApart: true },
}

interface Dirty {
  readonly images: Readonly<Record<"data" | "metadata", Uint8Array>>
  readonly layout: IntegrityLayout
  readonly entries: readonly JournalEntryReport[]
  volume(images?: Dirty["images"]): ClosedVolumeOptions & { readonly lower: BlockDevice }
}

/** A volume as a crash left it that had committed some writes and written none of them back. */
async function dirtyVolume({ isApart = false, ...kind }: Kind): Promise<Dirty> {
  const data = new Uint8Array(SIZE)
  const images = { data, metadata: isApart ? new Uint8Array(SIZE) : data }
  const volume: Dirty["volume"] = ({ data: lower, metadata } = images) => ({
    lower: memoryDevice({ bytes: lower }),
    ...(isApart ? { metadata: memoryDevice({ bytes: metadata }) } : {}),
    ...kind,
  })
  const random = seededRandom(2, "content")
  const shape = { interleaveSectors: 64, journalSectors: 1400, salt: key("salt", 16), wipe: true }
  const { providedSectors } = await formatIntegrity({ ...volume(), ...kind, ...shape })
  const options = { size: providedSectors * 512, mode: "J", runtime: seededRuntime(1), journalWatermark: 100 } as const
  const device = await openIntegrity({ ...volume(), ...options })
  for (let round = 0; round < 24; round++) {
    const offset = random.below(20) * kind.blockSize
    await device.write(offset, random.bytes(kind.blockSize))
    if (round % 8 === 7) await device.flush()
  }
  const left = { data: images.data.slice(), metadata: images.metadata.slice() }
  const crashed = { data: left.data, metadata: isApart ? left.metadata : left.data }
  await device.close()
  const closed = volume(crashed)
  const report = await inspectIntegrity(closed.metadata ?? closed.lower, 0, {
    ...closed,
    data: closed.metadata && closed.lower,
  })
  const entries = [...report.journalContents!.entries()]
  return { images: crashed, layout: report.layout!, entries, volume }
}

const CLASSES = ["superblock", "journal entry", "journal data", "commit id", "tag", "data"] as const
const KINDS_OF: Readonly<Record<(typeof CLASSES)[number], RegExp>> = {
  superblock: /^superblock-|^salt-or-key$/,
  "journal entry": /^journal-/,
  "journal data": /^journal-/,
  "commit id": /^journal-/,
  tag: /^mismatch$/,
  data: /^mismatch$/,
}

/** A byte of such a kind: where a change matters. */
function placeOf(what: (typeof CLASSES)[number], { layout, entries }: Dirty, random: SeededRandom) {
  const metadata = layout.isDataApart ? "metadata" : "data"
  const inside = (offset: number, length: number) => offset + random.below(length)
  if (what === "superblock") return { device: metadata, at: inside(0, random.pick([64, 64, 512, 4096])) } as const
  if (what === "commit id") {
    const { offset, sectionCount, sectionBytes } = layout.journal
    const sector = offset + random.below((sectionCount * sectionBytes) / 512) * 512
    return { device: metadata, at: inside(sector + 504, 8) } as const
  }
  const entry = random.pick(entries)
  // What pads an entry means nothing.
  const entryLength = 8 + (8 * layout.blockSize) / 512 + layout.tagSize
  if (what === "journal entry") return { device: metadata, at: inside(entry.places[0]!.offset, entryLength) } as const
  if (what === "journal data")
    return { device: metadata, at: inside(entry.places[1]!.offset, layout.blockSize) } as const
  const journaled = new Set(entries.map(({ offset }) => offset))
  const offsets = Array.from(
    { length: layout.providedBytes / layout.blockSize },
    (_, index) => index * layout.blockSize,
  )
  const [run] = areaRuns(layout, random.pick(offsets.filter((offset) => !journaled.has(offset))), layout.blockSize)
  if (what === "tag") return { device: metadata, at: inside(run!.tagOffset, run!.tagLength) } as const
  return { device: "data", at: inside(run!.dataOffset, run!.length) } as const
}

/** Changes a byte of each class in turn, and expects a finding of its class to have that byte among its places. */
async function expectNamed(dirty: Dirty, count: number, stream: string): Promise<void> {
  const random = seededRandom(inject("seed"), stream)
  for (let round = 0; round < count; round++) {
    const what = CLASSES[round % CLASSES.length]!
    const { device, at } = placeOf(what, dirty, random)
    const image = dirty.images[device]
    const change = 1 + random.below(255)
    image[at]! ^= change
    const { findings } = await checkIntegrity(dirty.volume(dirty.images))
    image[at]! ^= change
    const has = (place: { device: string; offset: number; length: number }) =>
      place.device === device && place.offset <= at && at < place.offset + place.length
    const naming = findings.filter(({ kind, places }) => KINDS_OF[what].test(kind) && places.some(has))
    expect([what, at, naming.length > 0]).toEqual([what, at, true])
    // What tells data from tag stands nowhere.
    if (what === "tag" || what === "data") expect(naming[0]?.places).toHaveLength(2)
  }
}

const shared = loadSharedVectors()
const vectors: readonly Vector[] = (shared.length > 0 ? shared : listVectors().map(loadVector)).filter(
  ({ name }) => name.startsWith("integrity-dirty-journal") && !name.endsWith("uncommitted"),
)

it.each(vectors.map((vector) => [vector.name, vector] as const))(
  "every changed byte of a volume that Linux left is named: %s",
  async (name, vector) => {
    const data = vector.image("disk.img")
    const volume = closedVector(vector, data)
    const { layout, journalContents } = await inspectIntegrity(volume.lower, 0, volume)
    const entries = [...journalContents!.entries()].filter(({ isNewest }) => isNewest)
    expect(entries.length).toBeGreaterThan(0)
    const dirty = { images: { data, metadata: data }, layout: layout!, entries, volume: () => volume }
    await expectNamed(dirty, runCount(20), name)
  },
)

describe.each(Object.entries(KINDS))("a dirty volume: %s", (name, kind) => {
  it("is sound, its journal too", async () => {
    const dirty = await dirtyVolume(kind)
    expect(dirty.entries.length).toBeGreaterThanOrEqual(12)
    const { findings, blocks } = await checkIntegrity(dirty.volume())
    expect(findings.filter(({ severity }) => severity === "damage")).toEqual([])
    expect(blocks.good).toBe(dirty.layout.providedBytes / kind.blockSize)
  })

  it("every changed byte of superblock, journal, tags and data is named with its place", async () => {
    await expectNamed(await dirtyVolume(kind), runCount(50), name)
  })

  it("hostile metadata give findings or typed errors, nothing else, and without leave no byte is written", async () => {
    const dirty = await dirtyVolume(kind)
    const random = seededRandom(inject("seed"), `hostile ${name}`)
    const { journal } = dirty.layout
    const journalEnd = journal.offset + journal.sectionCount * journal.sectionBytes
    for (let round = 0; round < runCount(25); round++) {
      const data = dirty.images.data.slice()
      const metadata = dirty.layout.isDataApart ? dirty.images.metadata.slice() : data
      for (let count = 1 + random.below(4); count > 0; count--) {
        if (random.below(2) === 0) metadata[8 + random.below(56)] = random.below(256)
        else {
          const at = journal.offset + random.below(journalEnd - journal.offset)
          random.fill(metadata.subarray(at, Math.min(journalEnd, at + random.pick([1, 8, 64, 1024]))))
        }
      }
      const before = [data.slice(), metadata.slice()]
      const volume = dirty.volume({ data, metadata })
      const verbs = [
        () => checkIntegrity(volume),
        () =>
          inspectIntegrity(volume.metadata ?? volume.lower, 0, { ...volume, data: volume.metadata && volume.lower }),
        () => replayJournal({ ...volume, dryRun: true }),
        () => repairIntegrity(volume),
      ]
      for (const verb of verbs) {
        const error: unknown = await verb().then(
          () => undefined,
          (failure: unknown) => failure,
        )
        if (error !== undefined) expect(error).toBeInstanceOf(BlockError)
      }
      expect([Buffer.compare(data, before[0]!), Buffer.compare(metadata, before[1]!)]).toEqual([0, 0])
      for (const verb of [
        () => replayJournal(volume),
        () => repairIntegrity({ ...volume, trustData: true, discardJournal: true }),
      ]) {
        const error: unknown = await verb().then(
          () => undefined,
          (failure: unknown) => failure,
        )
        if (error !== undefined) expect(error).toBeInstanceOf(BlockError)
      }
    }
  })
})
