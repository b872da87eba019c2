import type { BlockDevice } from "@blockstrata/device"
import { apartTagSectors, type Geometry, initialSectors, isDataApart, PADDING_SECTORS, tagRunBytes } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"

const SECTOR_SIZE = 512
export const BUFFER_SECTORS = 128
const BUFFER_SECTORS_MAX = 2 ** 22
/** Where data lie apart, buffers are made smaller down to this. */
export const APART_BUFFER_SECTORS_MIN = 8

type Provided = Geometry & Pick<IntegritySuperblock, "providedSectors">

/**
 * Why the kernel's tag buffers spoil this volume, over blocks of the device with the tags; undefined if they do not.
 *
 * @param wanted as on the line. @param start bytes.
 */
export function tagBufferProblem(
  superblock: Provided,
  wanted: number | undefined,
  metadata: Pick<BlockDevice, "size" | "blockSize">,
  start: number,
): string | undefined {
  const bufferSectors = tagBufferSectors(superblock, wanted, metadata.size)
  if (!hasTagsInPlace(superblock, bufferSectors)) {
    return `interleave_sectors:${superblock.interleaveSectors} without fix_padding: Linux would write its tags over its data (but not with buffer_sectors:8)`
  }
  // Linux compares the end of the last buffer with the size of the device, but forgets where the volume starts.
  const isTaken = isDataApart(superblock) && haveRoom(superblock, bufferSectors, metadata.size)
  if (isTaken && start + endOfBuffers(superblock, bufferSectors) * SECTOR_SIZE > metadata.size) {
    return `start: tag buffers of ${bufferSectors} sectors reach beyond the end of the device, where Linux fails every request`
  }
  // The device below reads and writes no part of a block: in Linux 6.1 every request fails for want of its tags.
  if (bufferSectors * SECTOR_SIZE < metadata.blockSize) {
    return `buffer_sectors:${wanted} over blocks of ${metadata.blockSize} bytes, on which Linux fails every request`
  }
  return undefined
}

/**
 * Sectors of the buffers through which the kernel reads and writes tags: a power of two that divides the tag run, or, where
 * data lie apart, one of whose multiples the tags and `metadataBytes` have room.
 *
 * @param wanted as on the line; 128 if undefined.
 */
export function tagBufferSectors(
  geometry: Provided,
  wanted: number = BUFFER_SECTORS,
  metadataBytes: number = Number.POSITIVE_INFINITY,
): number {
  let buffer = Math.min(floorPowerOfTwo(Math.max(1, wanted)), BUFFER_SECTORS_MAX)
  if (isDataApart(geometry)) {
    while (buffer > APART_BUFFER_SECTORS_MIN && !haveRoom(geometry, buffer, metadataBytes)) buffer /= 2
    return buffer
  }
  // Without a tag run there is nothing to divide.
  if (geometry.isInline === true) return buffer
  const runSectors = tagRunBytes(geometry) / SECTOR_SIZE
  while (runSectors % buffer !== 0) buffer /= 2
  return buffer
}

/** Whether the tags of data that lie apart fit behind the journal in whole buffers. */
export function haveRoom(geometry: Provided, bufferSectors: number, metadataBytes: number): boolean {
  const sectors = Math.floor(metadataBytes / SECTOR_SIZE)
  return initialSectors(geometry) + PADDING_SECTORS < sectors && endOfBuffers(geometry, bufferSectors) <= sectors
}

/** Sectors from the superblock to the end of the last tag buffer, where data lie apart. */
function endOfBuffers(geometry: Provided, bufferSectors: number): number {
  return initialSectors(geometry) + apartTagSectors(geometry, geometry.providedSectors, bufferSectors)
}

/**
 * Whether the kernel keeps the tags of this volume where they belong. It finds a tag run by its buffers, so that one
 * that begins inside a buffer is taken to begin with it, over the data of the area before: with the first padding, whose
 * runs many buffers divide, and areas shorter than a buffer. Up to Linux 7.2 such a volume destroys its own data.
 */
function hasTagsInPlace(geometry: Provided, bufferSectors: number): boolean {
  const { interleaveSectors, providedSectors } = geometry
  const isOneArea = isDataApart(geometry) || providedSectors <= interleaveSectors
  return isOneArea || interleaveSectors % bufferSectors === 0
}

/** The largest power of two that is not above `value`, which is at least 1. */
export function floorPowerOfTwo(value: number): number {
  let power = 1
  while (power * 2 <= value) power *= 2
  return power
}
