import type { ByteRange } from "@blockstrata/device"
import type { BadBlocks, BlockStore } from "./block-store.ts"

/** A range cut where tags that may be missing begin and end: ascending, without gaps, each a whole number of blocks. */
export type TagState = (range: ByteRange) => Iterable<ByteRange & { readonly isMarked: boolean }>

/** As `BlockStore.read`, but what is marked is read as it stands: its tags are not computed yet. */
export async function readWithoutMarked(
  store: BlockStore,
  tagState: TagState,
  offset: number,
  buffer: Uint8Array,
): Promise<BadBlocks | undefined> {
  for (const run of tagState({ offset, length: buffer.length })) {
    const part = buffer.subarray(run.offset - offset, run.offset - offset + run.length)
    if (run.isMarked) await store.readUnchecked(run.offset, part, undefined)
    else {
      const bad = await store.read(run.offset, part)
      if (bad !== undefined) return bad
    }
  }
  return undefined
}

/** A volume opened read-only that recovery would have changed: what it would have computed tags for is not checked. */
export function uncheckedStore(store: BlockStore, tagState: TagState): BlockStore {
  return { ...store, read: (offset, buffer) => readWithoutMarked(store, tagState, offset, buffer) }
}
