import { BlockError } from "@blockstrata/device"
import type { IntegritySuperblock } from "./superblock.ts"

/**
 * Where everything lies on the one device below, in bytes of that device.
 *
 *     start | superblock | journal | area 0: tag run, data run | area 1: tag run, data run | ... the last may be short
 *
 * Where the data lie on a device of their own, they lie there as here, and the other device has a single tag run:
 *
 *     start | superblock | journal | tags
 *
 * And where the device below keeps the tags with its blocks:
 *
 *     start | superblock | data
 */
export interface IntegrityLayout {
  readonly startBytes: number
  /** Data lie on a device of their own; all else on that of the metadata. */
  readonly isDataApart: boolean
  /** Tags are what the device below keeps with each block. */
  readonly isInline: boolean
  readonly blockSize: number
  readonly tagSize: number
  readonly journal: JournalLayout
  readonly firstAreaOffset: number
  /** Bytes of a tag run, padding included. */
  readonly tagRunBytes: number
  /** Bytes of a data run. */
  readonly interleaveBytes: number
  /** Bytes of data that both the superblock and the device below have room for. */
  readonly providedBytes: number
  /** Bytes of data that the device below has room for: more than `providedBytes` once it was enlarged. */
  readonly possibleBytes: number
}

/** The journal: `sectionCount` sections of 8 metadata sectors, then the data sectors of their entries. */
export interface JournalLayout {
  readonly offset: number
  readonly sectionCount: number
  readonly sectionBytes: number
  readonly entryBytes: number
  /** Entries in one metadata sector. */
  readonly sectorEntryCount: number
}

/** A part of a request that lies in one area, and its tags. */
export interface AreaRun {
  /** Bytes of the integrity device. */
  readonly offset: number
  readonly length: number
  /** Bytes of the device that holds the data. */
  readonly dataOffset: number
  /** Bytes of the device that holds the metadata. */
  readonly tagOffset: number
  /** 0 where tags are inline. */
  readonly tagLength: number
}

/** What of a superblock decides the layout. */
export type Geometry = Pick<
  IntegritySuperblock,
  "interleaveSectors" | "tagSize" | "journalSectionCount" | "hasJournalMac" | "hasFixedPadding" | "blockSize"
> & { readonly isInline?: boolean }

const SECTOR_SIZE = 512
const SUPERBLOCK_SECTORS = 8
/** Metadata sectors of a journal section. */
export const SECTION_METADATA_SECTORS = 8
/** Tag runs are padded to so many; a device has to have more of them behind the journal. */
export const PADDING_SECTORS = 8
/** A first version padded tag runs to 512 << 8 bytes where 8 sectors were meant. */
const LEGACY_PADDING_BYTES = 131072
/** Of each journal sector 8 bytes are its commit id, and 8 of a metadata sector a piece of the MAC. */
const JOURNAL_SECTOR_BYTES = 504
const SECTION_MAC_BYTES = 8

/** How the sections of a journal with these blocks and tags are built. */
export function sectionLayout(geometry: Geometry): Omit<JournalLayout, "offset" | "sectionCount"> {
  const blockSectors = geometry.blockSize / SECTOR_SIZE
  const entryBytes = Math.ceil((8 + 8 * blockSectors + geometry.tagSize) / 8) * 8
  const spaceBytes = JOURNAL_SECTOR_BYTES - (geometry.hasJournalMac ? SECTION_MAC_BYTES : 0)
  const sectorEntryCount = Math.floor(spaceBytes / entryBytes)
  const sectionSectors = sectorEntryCount * SECTION_METADATA_SECTORS * blockSectors + SECTION_METADATA_SECTORS
  return { entryBytes, sectorEntryCount, sectionBytes: sectionSectors * SECTOR_SIZE }
}

/** Whether the superblock says that the data lie on a device of their own. */
export function isDataApart({ interleaveSectors }: Pick<Geometry, "interleaveSectors">): boolean {
  return interleaveSectors === 1
}

/** Sectors of superblock and journal. */
export function initialSectors(geometry: Geometry): number {
  return SUPERBLOCK_SECTORS + (sectionLayout(geometry).sectionBytes / SECTOR_SIZE) * geometry.journalSectionCount
}

/**
 * The data sectors that a volume has room for; 0 if there is none for journal and tags. On one device the largest multiple
 * of 8, found bit by bit from the top as the kernel does.
 *
 * @param lowerBytes of the device of the metadata. @param dataBytes of that of the data: the same one, or not.
 */
export function possibleSectors(geometry: Geometry, lowerBytes: number, startBytes: number, dataBytes: number): number {
  const lowerSectors = Math.floor(lowerBytes / SECTOR_SIZE)
  const startSectors = startBytes / SECTOR_SIZE
  const firstSectors = initialSectors(geometry)
  if (firstSectors + PADDING_SECTORS >= lowerSectors || firstSectors >= 2 ** 32) return 0
  if (isDataApart(geometry)) {
    const provided = (Math.floor(dataBytes / geometry.blockSize) * geometry.blockSize) / SECTOR_SIZE
    return startSectors + firstSectors + apartTagSectors(geometry, provided, 1) <= lowerSectors ? provided : 0
  }
  if (geometry.isInline) {
    const left = Math.max(0, lowerSectors - startSectors - firstSectors)
    return left - (left % 8)
  }
  const { interleaveSectors } = geometry
  const runSectors = tagRunBytes(geometry) / SECTOR_SIZE
  const fits = (sectors: number) => {
    const areaIndex = Math.floor((sectors - 1) / interleaveSectors)
    const lastSector = startSectors + firstSectors + (areaIndex + 1) * runSectors + sectors - 1
    return lastSector < lowerSectors
  }
  let provided = 0
  for (let bit = Math.floor(Math.log2(lowerSectors)); bit >= 3; bit--) {
    if (fits(provided + 2 ** bit)) provided += 2 ** bit
  }
  return provided
}

/** Sectors of the tags of `dataSectors`, which lie apart, in whole buffers. */
export function apartTagSectors({ tagSize, blockSize }: Geometry, dataSectors: number, bufferSectors: number): number {
  const tagBytes = Math.floor((dataSectors * SECTOR_SIZE) / blockSize) * tagSize
  return Math.ceil(tagBytes / (bufferSectors * SECTOR_SIZE)) * bufferSectors
}

/**
 * The layout of a volume whose superblock stands at `startBytes` of a device of `lowerBytes`.
 *
 * @param dataBytes of the device of the data, where they lie on one of their own.
 * @throws BlockError `CORRUPT` if journal and one area, or journal and all tags, do not fit.
 */
export function layoutOf(
  superblock: IntegritySuperblock,
  lowerBytes: number,
  startBytes: number,
  dataBytes: number = lowerBytes,
): IntegrityLayout {
  const section = sectionLayout(superblock)
  const possibleBytes = possibleSectors(superblock, lowerBytes, startBytes, dataBytes) * SECTOR_SIZE
  if (possibleBytes === 0) {
    throw new BlockError("CORRUPT", `integrity: the superblock does not fit on a device of ${lowerBytes} bytes`)
  }
  const isApart = isDataApart(superblock)
  const hasOneRun = isApart || superblock.isInline
  const journalOffset = startBytes + SUPERBLOCK_SECTORS * SECTOR_SIZE
  return {
    startBytes,
    isDataApart: isApart,
    isInline: superblock.isInline,
    blockSize: superblock.blockSize,
    tagSize: superblock.tagSize,
    journal: { offset: journalOffset, sectionCount: superblock.journalSectionCount, ...section },
    firstAreaOffset: startBytes + initialSectors(superblock) * SECTOR_SIZE,
    tagRunBytes: runBytes(superblock, possibleBytes),
    interleaveBytes: hasOneRun ? possibleBytes : superblock.interleaveSectors * SECTOR_SIZE,
    providedBytes: Math.min(superblock.providedSectors * SECTOR_SIZE, possibleBytes),
    possibleBytes,
  }
}

function runBytes(superblock: IntegritySuperblock, possibleBytes: number): number {
  if (superblock.isInline) return 0
  if (isDataApart(superblock)) return (possibleBytes / superblock.blockSize) * superblock.tagSize
  return tagRunBytes(superblock)
}

/** Splits a request at the ends of areas: ascending, without gaps. `offset` and `length` are whole blocks. */
export function areaRuns(layout: IntegrityLayout, offset: number, length: number): AreaRun[] {
  const { blockSize, interleaveBytes, isDataApart: isApart } = layout
  const tagSize = layout.isInline ? 0 : layout.tagSize
  const areaBytes = layout.tagRunBytes + interleaveBytes
  const runs: AreaRun[] = []
  const end = offset + length
  for (let at = offset; at < end; ) {
    const areaIndex = Math.floor(at / interleaveBytes)
    const within = at - areaIndex * interleaveBytes
    const runLength = Math.min(end - at, interleaveBytes - within)
    const areaOffset = layout.firstAreaOffset + areaIndex * areaBytes
    runs.push({
      offset: at,
      length: runLength,
      dataOffset: isApart ? at : areaOffset + layout.tagRunBytes + within,
      tagOffset: areaOffset + (within / blockSize) * tagSize,
      tagLength: (runLength / blockSize) * tagSize,
    })
    at += runLength
  }
  return runs
}

/** Bytes of the tags of one area, padding included; not of data that lie apart. */
export function tagRunBytes({ tagSize, interleaveSectors, blockSize, hasFixedPadding }: Geometry): number {
  const padding = hasFixedPadding ? PADDING_SECTORS * SECTOR_SIZE : LEGACY_PADDING_BYTES
  const tagBytes = tagSize * ((interleaveSectors * SECTOR_SIZE) / blockSize)
  return Math.ceil(tagBytes / padding) * padding
}
