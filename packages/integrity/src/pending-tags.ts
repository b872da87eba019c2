import type { ClosedVolume } from "./closed-volume.ts"
import { markedRegions } from "./dirty-bitmap.ts"

const SECTOR_SIZE = 512

/** Tells of a block whether superblock or bitmap say that its tag is still to be calculated. To be asked in ascending order. */
export async function pendingTags({
  media,
  layout,
  superblock,
  unitSize,
}: ClosedVolume): Promise<(offset: number) => boolean> {
  const pendingFrom = superblock.isRecalculating ? superblock.recalculatedSectors * SECTOR_SIZE : layout.providedBytes
  const regions = superblock.hasDirtyBitmap
    ? await markedRegions(media.metadata, layout, superblock, unitSize)
    : undefined
  // A run of a bitmap may be long: it is looked for once.
  let run = { offset: 0, length: 0, isMarked: false }
  return (offset) => {
    if (offset >= pendingFrom) return true
    if (regions === undefined) return false
    if (offset >= run.offset + run.length || offset < run.offset) {
      const [next] = regions.runs({ offset, length: layout.providedBytes - offset })
      run = next ?? run
    }
    return run.isMarked
  }
}
