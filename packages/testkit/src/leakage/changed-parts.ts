import type { Media } from "../media/media.ts"
import { PagedBytes } from "../media/paged-bytes.ts"

/** A part of a medium that two snapshots have differently. */
export interface ChangedPart {
  readonly medium: string
  /** Of the blocks, or of the tags that a medium keeps with them. */
  readonly area: "data" | "tags"
  /** Bytes into that area; a multiple of the size of a part. */
  readonly offset: number
}

const PAGE_SIZE = 4096

/**
 * Which parts of `partSize` bytes (a divisor of 4096) of the media differ between two snapshots, ascending in each area.
 * Between a snapshot and one that was forked from the same media later, the cost is that of what changed.
 */
export function changedParts(before: Media, after: Media, partSize: number): ChangedPart[] {
  if (!Number.isSafeInteger(partSize) || partSize < 1 || PAGE_SIZE % partSize !== 0)
    throw new RangeError(`changedParts: partSize: expected a divisor of ${PAGE_SIZE}, got ${partSize}`)
  return [...after.byName].flatMap(([medium, { current }]) => {
    const old = before.byName.get(medium)?.current
    return (["data", "tags"] as const).flatMap((area) =>
      changedOffsets(old?.[area] ?? new PagedBytes(), current[area], partSize).map((offset) => ({
        medium,
        area,
        offset,
      })),
    )
  })
}

function changedOffsets(before: PagedBytes, after: PagedBytes, partSize: number): number[] {
  const [left, right] = [new Uint8Array(PAGE_SIZE), new Uint8Array(PAGE_SIZE)]
  const offsets: number[] = []
  for (const page of after.changedPageOffsets(before)) {
    before.read(page, left)
    after.read(page, right)
    for (let part = 0; part < PAGE_SIZE; part += partSize)
      if (differs(left, right, part, part + partSize)) offsets.push(page + part)
  }
  return offsets
}

function differs(left: Uint8Array, right: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (left[index] !== right[index]) return true
  return false
}
