import { type BlockDevice, BlockError } from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import type { VolumeMedia } from "./block-store.ts"
import type { FindingList } from "./finding.ts"
import { checkOf } from "./integrity-target.ts"
import { createInternalHash, type InternalHash, internalHashNamed } from "./internal-hash.ts"
import { type IntegrityLayout, layoutOf } from "./layout.ts"
import type { JournalAlgorithm } from "./open-integrity.ts"
import { decodeSuperblock, type IntegritySuperblock, SUPERBLOCK_SIZE, saltOf } from "./superblock.ts"
import { type SuperblockExpectation, superblockFindings } from "./superblock-findings.ts"
import { readSuperblockSectors } from "./superblock-sectors.ts"
import type { TagCheck } from "./tag-check.ts"

/** A volume that nobody has open: its devices, and what is known of its keys. */
export interface ClosedVolumeOptions {
  /** Stays open; nothing else may write it meanwhile. */
  readonly lower: BlockDevice
  /** The device of superblock, journal and tags, where `lower` holds nothing but data. */
  readonly metadata?: BlockDevice | undefined
  /** Bytes into `metadata`, or into `lower` if there is none; 0 if absent. */
  readonly start?: number | undefined
  /** Undefined on a tag store, and where it is not known: then no block is verified. */
  readonly internalHash: InternalHash | undefined
  readonly journalMac?: JournalAlgorithm | undefined
  readonly journalCrypt?: JournalAlgorithm | undefined
  /** A discarded block is then a good one. False if absent. */
  readonly allowDiscards?: boolean | undefined
  /** What else is known of the superblock, as from a table line. */
  readonly expected?: SuperblockExpectation | undefined
  readonly engine?: Engine | undefined
}

/** The volume as far as its superblock can be believed. */
export interface ClosedVolume {
  readonly media: VolumeMedia
  readonly superblock: IntegritySuperblock
  readonly layout: IntegrityLayout
  /** Bytes: the larger of its block and of one of the data below. */
  readonly unitSize: number
  /** Bytes, in whole units. */
  readonly sizeBytes: number
  /** Accepts no filler. */
  readonly check: TagCheck | undefined
  destroy(): void
}

/**
 * Reads the superblock, reports what is wrong with it, and makes of it what can be made.
 *
 * @returns undefined if nothing can: then a finding says why.
 * @throws BlockError of the devices below; `INVALID` where no superblock has room; `UNSUPPORTED` for another hash.
 */
export async function closedVolume(
  options: ClosedVolumeOptions,
  findings: FindingList,
): Promise<ClosedVolume | undefined> {
  const { lower, metadata = lower, start = 0, internalHash, journalMac, engine = defaultEngine } = options
  if (lower.blockSize > SUPERBLOCK_SIZE) throw new BlockError("INVALID", "integrity: expected blocks <= 4096 below")
  const bytes = await readSuperblockSectors(metadata, start)
  const macHash = journalMac && createInternalHash(engine, internalHashNamed(journalMac.name, journalMac.key))
  const facts = {
    metadataBytes: metadata.size,
    start,
    dataBytes: options.metadata && lower.size,
    expected: { hasJournalMac: journalMac && true, ...options.expected },
    journalMac: macHash,
  }
  const found = superblockFindings(bytes, facts)
  macHash?.destroy()
  for (const finding of found) findings.add(finding)
  try {
    const superblock = decodeSuperblock(bytes)
    const layout = layoutOf(superblock, metadata.size, start, lower.size)
    if (layout.isDataApart !== (options.metadata !== undefined)) return undefined
    if (layout.isInline && (lower.blockSize !== layout.blockSize || lower.tagSize < layout.tagSize)) {
      throw new BlockError("INVALID", "integrity: inline tags: expected a device that keeps them with its blocks")
    }
    const hash = internalHash && createInternalHash(engine, internalHash)
    const check = hash && checkOf({ layout, salt: saltOf(superblock), hash }, false, 1)
    const unitSize = Math.max(layout.blockSize, lower.blockSize)
    const sizeBytes = Math.floor(layout.providedBytes / unitSize) * unitSize
    const media = { data: lower, metadata }
    return { media, superblock, layout, unitSize, sizeBytes, check, destroy: () => hash?.destroy() }
  } catch (error) {
    if (!(error instanceof BlockError) || !["CORRUPT", "UNSUPPORTED"].includes(error.code)) throw error
    if (!found.some(({ severity }) => severity === "damage")) throw error
    return undefined
  }
}
