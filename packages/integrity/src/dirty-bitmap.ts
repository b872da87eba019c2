import { type BlockDevice, BlockError } from "@blockstrata/device"
import { Bitmap, readBitmap } from "./bitmap.ts"
import type { BlockStore } from "./block-store.ts"
import type { IntegrityLayout } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"

/**
 * The regions that a volume with a dirty bitmap has marked, none smaller than `unit` bytes: all of them, where no such
 * bitmap fits into the journal area.
 */
export async function markedRegions(
  metadata: BlockDevice,
  layout: IntegrityLayout,
  superblock: IntegritySuperblock,
  unit: number,
): Promise<Bitmap> {
  const size = layout.providedBytes
  const regionBytes = layout.blockSize * 2 ** superblock.bitmapBitBlocksLog2
  const stored = await readBitmap(metadata, layout.journal, size, regionBytes).catch((error: unknown) => {
    if (error instanceof BlockError && error.code === "CORRUPT") return undefined
    throw error
  })
  if (stored === undefined) {
    const whole = new Bitmap(size, size)
    whole.mark({ offset: 0, length: size })
    return whole
  }
  if (regionBytes >= unit) return stored
  const widened = new Bitmap(size, unit)
  for (const run of stored.runs({ offset: 0, length: size })) if (run.isMarked) widened.mark(run)
  return widened
}

/** Computes the tags of all marked regions before `end`. Whether there was any, beyond it too. */
export async function retagMarked(store: BlockStore, regions: Bitmap, size: number, end: number): Promise<boolean> {
  let hasMarked = false
  for (const run of regions.runs({ offset: 0, length: size })) {
    if (!run.isMarked) continue
    hasMarked = true
    const length = Math.min(run.length, end - run.offset)
    if (length > 0) await store.retag(run.offset, length)
  }
  return hasMarked
}
