import { type Geometry, tagRunBytes } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"

const SECTOR_SIZE = 512
const BUFFER_SECTORS = 128
const BUFFER_SECTORS_MAX = 2 ** 22

/**
 * Why the kernel's tag buffers spoil this volume, over blocks of `lowerBlockSize` bytes; undefined if they do not.
 *
 * @param wanted as on the line.
 */
export function tagBufferProblem(
  superblock: Geometry & Pick<IntegritySuperblock, "providedSectors">,
  wanted: number | undefined,
  lowerBlockSize: number,
): string | undefined {
  if (!hasTagsInPlace(superblock, wanted)) {
    return `interleave_sectors:${superblock.interleaveSectors} without fix_padding: Linux would write its tags over its data (but not with buffer_sectors:8)`
  }
  // The device below reads and writes no part of a block: in Linux 6.1 every request fails for want of its tags.
  if (tagBufferSectors(superblock, wanted) * SECTOR_SIZE < lowerBlockSize) {
    return `buffer_sectors:${wanted} over blocks of ${lowerBlockSize} bytes, on which Linux fails every request`
  }
  return undefined
}

/**
 * Sectors of the buffers through which the kernel reads and writes tags: a power of two that divides the tag run.
 *
 * @param wanted as on the line; 128 if undefined.
 */
export function tagBufferSectors(geometry: Geometry, wanted: number = BUFFER_SECTORS): number {
  const runSectors = tagRunBytes(geometry) / SECTOR_SIZE
  let buffer = Math.min(floorPowerOfTwo(Math.max(1, wanted)), BUFFER_SECTORS_MAX)
  while (runSectors % buffer !== 0) buffer /= 2
  return buffer
}

/**
 * Whether the kernel keeps the tags of this volume where they belong. It finds a tag run by its buffers, so that one
 * that begins inside a buffer is taken to begin with it, over the data of the area before: with the first padding, whose
 * runs many buffers divide, and areas shorter than a buffer. Up to Linux 7.2 such a volume destroys its own data.
 */
function hasTagsInPlace(
  geometry: Geometry & Pick<IntegritySuperblock, "providedSectors">,
  wantedBufferSectors: number | undefined,
): boolean {
  const { interleaveSectors, providedSectors } = geometry
  const isOneArea = providedSectors <= interleaveSectors
  return isOneArea || interleaveSectors % tagBufferSectors(geometry, wantedBufferSectors) === 0
}

/** The largest power of two that is not above `value`, which is at least 1. */
export function floorPowerOfTwo(value: number): number {
  let power = 1
  while (power * 2 <= value) power *= 2
  return power
}
