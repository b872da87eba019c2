import { type BlockDevice, RangeLock } from "@blockstrata/device"
import { readSuperblockSectors } from "./inspect-integrity.ts"
import type { IntegrityMode } from "./integrity-target.ts"
import { decodeSuperblock, encodeSuperblock, type IntegritySuperblock } from "./superblock.ts"

/** The superblock of an open volume. */
export interface SuperblockWriter {
  /** As it stands on the medium. */
  readonly current: IntegritySuperblock
  /** Durable when it resolves. One change at a time; `current` follows once it is written. */
  update(change: Partial<IntegritySuperblock>): Promise<void>
}

const FIELDS_SIZE = 64

/**
 * Changes fields of a superblock, and leaves every byte behind them as it is.
 *
 * @param seal computes what authenticates the sectors, in place, before they are written.
 */
export async function superblockWriter(
  metadata: BlockDevice,
  start: number,
  mode: IntegrityMode,
  seal?: (sectors: Uint8Array) => void,
): Promise<SuperblockWriter> {
  const sectors = await readSuperblockSectors(metadata, start)
  let current = decodeSuperblock(sectors)
  const lock = new RangeLock()

  async function write(change: Partial<IntegritySuperblock>): Promise<void> {
    const changed = { ...current, ...change }
    const next = { ...changed, version: writtenVersion(changed, mode) }
    sectors.set(encodeSuperblock(next).subarray(0, FIELDS_SIZE))
    seal?.(sectors)
    await metadata.write(start, sectors, { fua: true })
    current = next
  }

  return {
    get current() {
      return current
    },
    update: (change) => lock.hold([{ offset: 0, length: 1 }], "exclusive", () => write(change)),
  }
}

/** Linux finds the version anew at every write: the lowest that has what the volume uses. */
function writtenVersion(superblock: IntegritySuperblock, mode: IntegrityMode): number {
  if (superblock.version > 5) return superblock.version
  if (superblock.hasFixedHmac) return 5
  if (superblock.hasFixedPadding) return 4
  if (mode === "B" || superblock.hasDirtyBitmap) return 3
  return superblock.interleaveSectors === 1 || superblock.isRecalculating ? 2 : 1
}
