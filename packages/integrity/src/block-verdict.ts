import type { SweptPiece } from "./block-sweep.ts"
import type { IntegrityLayout } from "./layout.ts"
import { DISCARD_FILLER, type TagCheck } from "./tag-check.ts"

/** What is to be said of a block and its tag; the words are those of `IntegrityFindingKind`. */
export type BlockVerdict = "good" | "mismatch" | "never-written" | "discarded" | "not-calculated" | "unreadable"

export interface JudgeOptions {
  readonly layout: IntegrityLayout
  /** Accepts no filler. */
  readonly check: TagCheck
  /** Whether superblock or bitmap say that the tag of a block is still to be calculated. */
  readonly isToBeCalculated: (offset: number) => boolean
}

/** A verdict for each block of a piece, and the tags that the blocks should have; undefined if all are good. */
export function judgeBlocks(
  { layout, check, isToBeCalculated }: JudgeOptions,
  { offset, data, tags, unreadable }: SweptPiece,
): { readonly verdicts: readonly BlockVerdict[]; readonly expected: Uint8Array } | undefined {
  const { blockSize, tagSize } = layout
  if (unreadable.length === 0 && check.firstMismatch(offset, data, tags) === undefined) return undefined
  const expected = new Uint8Array(tags.length)
  check.compute(offset, data, expected)
  const verdicts = Array.from({ length: data.length / blockSize }, (_, index): BlockVerdict => {
    const at = offset + index * blockSize
    if (unreadable.some(({ blocks }) => at >= blocks.offset && at < blocks.offset + blocks.length)) return "unreadable"
    const tag = tags.subarray(index * tagSize, (index + 1) * tagSize)
    if (tag.every((byte, byteIndex) => byte === expected[index * tagSize + byteIndex])) return "good"
    if (tag.every((byte) => byte === DISCARD_FILLER)) return "discarded"
    if (isToBeCalculated(at)) return "not-calculated"
    return tag.every((byte) => byte === 0) ? "never-written" : "mismatch"
  })
  return { verdicts, expected }
}
