import { settleAll } from "@blockstrata/device"
import type { BadBlocks, BlockStore } from "./block-store.ts"

/** Blocks that are newer elsewhere than where they belong. Offsets and lengths are bytes of the integrity device. */
export interface OverlayBlocks {
  has(offset: number): boolean
  /** Fills `data`, of blocks all of which it has, and their tags. What it has it gives as it is when called. */
  read(offset: number, data: Uint8Array, tags: Uint8Array | undefined): Promise<void>
}

/** A part of a request whose blocks all stand in the overlay, or none of them. */
interface Run {
  readonly offset: number
  readonly length: number
  readonly isOver: boolean
}

/**
 * Reads of a store, with what stands in the overlay instead of what stands below. Of blocks in the overlay nothing is read
 * below: there they may be half written.
 */
export function overlayReads(
  store: BlockStore,
  overlay: OverlayBlocks,
  { blockSize, tagSize }: { readonly blockSize: number; readonly tagSize: number },
): Pick<BlockStore, "read" | "readUnchecked"> {
  function runsOf(offset: number, length: number): Run[] {
    const runs: Run[] = []
    for (let at = offset; at < offset + length; at += blockSize) {
      const isOver = overlay.has(at)
      const last = runs.at(-1)
      if (last?.isOver === isOver) runs[runs.length - 1] = { ...last, length: last.length + blockSize }
      else runs.push({ offset: at, length: blockSize, isOver })
    }
    return runs
  }

  /** Those over come first, all at once: what stands there now may be written back while the others are read. */
  async function readOver(runs: readonly Run[], offset: number, data: Uint8Array, tags?: Uint8Array): Promise<void> {
    const over = runs.filter(({ isOver }) => isOver)
    await settleAll(over.map((run) => overlay.read(run.offset, part(data, run, offset, 1), tagPart(tags, run, offset))))
  }

  const part = (bytes: Uint8Array, run: Run, offset: number, scale: number) =>
    bytes.subarray((run.offset - offset) * scale, (run.offset - offset + run.length) * scale)
  const tagPart = (tags: Uint8Array | undefined, run: Run, offset: number) =>
    tags && part(tags, run, offset, tagSize / blockSize)

  return {
    async read(offset, buffer) {
      const runs = runsOf(offset, buffer.length)
      await readOver(runs, offset, buffer)
      let bad: BadBlocks | undefined
      for (const run of runs) {
        if (run.isOver) continue
        bad = await store.read(run.offset, part(buffer, run, offset, 1))
        if (bad !== undefined) return bad
      }
      return undefined
    },
    async readUnchecked(offset, buffer, tags) {
      const runs = runsOf(offset, buffer.length)
      await readOver(runs, offset, buffer, tags)
      for (const run of runs) {
        if (run.isOver) continue
        await store.readUnchecked(run.offset, part(buffer, run, offset, 1), tagPart(tags, run, offset))
      }
    },
  }
}
