import { type Geometry, tagRunBytes } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"

const SECTOR_SIZE = 512
const BUFFER_SECTORS = 128
const BUFFER_SECTORS_MAX = 2 ** 22

/** Why a volume is refused that `hasTagsInPlace` is not true for. */
export const DISPLACED_TAGS = "Linux would write its tags over its data (but not with buffer_sectors:8)"

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
export function hasTagsInPlace(
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
