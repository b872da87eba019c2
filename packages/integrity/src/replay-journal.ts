import { BlockError, encodeHex } from "@blockstrata/device"
import { defaultEngine } from "@blockstrata/primitives"
import { blockStore } from "./block-store.ts"
import { type ClosedVolume, type ClosedVolumeOptions, closedVolume } from "./closed-volume.ts"
import { type ExaminedJournal, examineJournal, hasJournal } from "./examined-journal.ts"
import {
  FINDINGS_MAX,
  findingList,
  type IntegrityFinding,
  type IntegrityPlace,
  metadataRole,
  placesOfBlocks,
  superblockDoubt,
} from "./finding.ts"
import { applyReplay } from "./journal-replay.ts"
import { sectionEntryCount, takeEntry } from "./journal-section.ts"
import { journalPlaces } from "./journal-survey.ts"
import { forBatches, type ReplayPlan } from "./replay-plan.ts"

export interface ReplayJournalOptions extends ClosedVolumeOptions {
  /** Writes nothing: the report says what would be written. False if absent. */
  readonly dryRun?: boolean | undefined
  /** Blocks that the report lists at most; 1000 if absent. Further ones are counted. */
  readonly blocksMax?: number | undefined
}

/** A block that is written from the journal. */
export interface ReplayedBlock {
  /** Bytes of the volume. */
  readonly offset: number
  readonly length: number
  readonly sectionIndex: number
  readonly slot: number
  /** The entry, then its block, in the journal. */
  readonly journalPlaces: readonly IntegrityPlace[]
  /** The block's data, then its tag. */
  readonly places: readonly IntegrityPlace[]
  /** SHA-256 of the data that are written, hexadecimal. */
  readonly sha256: string
  /** The tag that is written, hexadecimal. */
  readonly tag: string
}

export interface JournalReplayReport {
  readonly hasWritten: boolean
  /** In the order of the journal, oldest first. */
  readonly blocks: readonly ReplayedBlock[]
  readonly blockCount: number
  /** Entries of blocks that a later entry has too, and of blocks that the volume does not have: they are dropped. */
  readonly supersededCount: number
  readonly beyondCount: number
  /** Sections that hold together, oldest first. */
  readonly sections: readonly number[]
  /** The place of the journal if it ends cleared; undefined if it stays as it is, for nothing is in it. */
  readonly cleared: IntegrityPlace | undefined
  /** What is wrong with superblock and journal. */
  readonly findings: readonly IntegrityFinding[]
}

/**
 * Brings a volume that nobody has open up to what its journal says, and clears the journal. Everything is verified before
 * anything is written; a crash in between leaves a volume that is replayed as well as this one.
 *
 * What it says with `dryRun` is what it does without.
 *
 * @throws BlockError `CORRUPT` or `INTEGRITY` for a journal that is damaged, encrypted otherwise or not authentic, or a
 * superblock that cannot be believed; `INVALID` without the journal MAC of a volume that has one; `UNSUPPORTED` for a
 * bitmap in the place of a journal; `READ_ONLY` on such a device without `dryRun`; as the devices below.
 */
export async function replayJournal(options: ReplayJournalOptions): Promise<JournalReplayReport> {
  const { lower, metadata = lower, dryRun = false } = options
  if (!dryRun && !(lower.features.write && metadata.features.write)) {
    throw new BlockError("READ_ONLY", "integrity: replay on a read-only device")
  }
  const findings = findingList(FINDINGS_MAX)
  const volume = await closedVolume(options, findings)
  try {
    const believed = believedVolume(volume, findings.kept, options)
    const journal = await examineJournal(believed, options, findings)
    try {
      return await replay(believed, journal, findings.kept, options)
    } finally {
      journal.destroy()
    }
  } finally {
    volume?.destroy()
  }
}

function believedVolume(
  volume: ClosedVolume | undefined,
  findings: readonly IntegrityFinding[],
  { journalMac }: ReplayJournalOptions,
): ClosedVolume {
  const doubt = superblockDoubt(findings)
  if (volume === undefined || doubt !== undefined) {
    throw new BlockError("CORRUPT", `integrity: replay: ${doubt?.message ?? "no volume"}`)
  }
  if (!hasJournal(volume.superblock)) {
    const what = volume.superblock.isInline
      ? "inline tags have no journal"
      : "a bitmap stands in the place of the journal"
    throw new BlockError("UNSUPPORTED", `integrity: replay: ${what}`)
  }
  if (volume.superblock.hasJournalMac && journalMac === undefined) {
    throw new BlockError("INVALID", "integrity: replay: the journal has a MAC, expected its key (journal_mac)")
  }
  return volume
}

async function replay(
  { media, layout }: ClosedVolume,
  journal: ExaminedJournal,
  findings: readonly IntegrityFinding[],
  options: ReplayJournalOptions,
): Promise<JournalReplayReport> {
  const { plan, refusal, area } = journal
  if (plan === undefined) throw refusal ?? new BlockError("CORRUPT", "integrity: replay: no plan")
  const fates = { written: 0, superseded: 0, beyond: 0 }
  for (const { fate } of plan.entries()) fates[fate] += 1
  const blocks = await blocksOf(plan, journal, layout, options)
  const { offset, sectionCount, sectionBytes } = area.shape.journal
  const place = { device: metadataRole(layout), offset, length: sectionCount * sectionBytes }
  const hasWork = plan.writtenCount > 0 || plan.clears
  const hasWritten = options.dryRun !== true && hasWork
  if (hasWritten) {
    const store = blockStore(media, layout, undefined)
    const flush = () => store.flush()
    await applyReplay(plan, { ...journal.replay, store, flush })
    await flush()
  }
  return {
    hasWritten,
    blocks,
    blockCount: plan.writtenCount,
    supersededCount: fates.superseded,
    beyondCount: fates.beyond,
    sections: plan.round.isEmpty ? [] : plan.round.sections,
    cleared: plan.clears ? place : undefined,
    findings,
  }
}

async function blocksOf(
  plan: ReplayPlan,
  { area }: ExaminedJournal,
  layout: ClosedVolume["layout"],
  { blocksMax = FINDINGS_MAX, engine = defaultEngine }: ReplayJournalOptions,
): Promise<ReplayedBlock[]> {
  const { shape } = area
  const hash = engine.hash("sha256")
  const block = { data: new Uint8Array(shape.blockSize), tag: new Uint8Array(shape.tagSize) }
  const device = metadataRole(layout)
  const blocks: ReplayedBlock[] = []
  await forBatches(area, plan.round.isEmpty ? [] : plan.round.sections, async (batch) => {
    for (const [sectionIndex, section] of batch) {
      const places = plan.placesOf(sectionIndex)
      for (let slot = 0; slot < sectionEntryCount(shape) && blocks.length < blocksMax; slot++) {
        if (!plan.isNewest(sectionIndex, slot)) continue
        takeEntry(section, shape, slot, block)
        const { entry, data } = journalPlaces(area, { sectionIndex, slot })
        const offset = places[slot] ?? 0
        blocks.push({
          ...{ offset, length: shape.blockSize, sectionIndex, slot },
          journalPlaces: [entry, data].map((range) => ({ device, ...range })),
          places: placesOfBlocks(layout, offset, shape.blockSize),
          sha256: encodeHex(hash.digest(block.data)),
          tag: encodeHex(block.tag),
        })
      }
    }
  })
  hash.destroy()
  return blocks
}
