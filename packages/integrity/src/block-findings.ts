import type { SweptPiece } from "./block-sweep.ts"
import { type FindingList, type IntegrityFinding, metadataRole, placesOfBlocks } from "./finding.ts"
import { areaRuns, type IntegrityLayout } from "./layout.ts"
import { DISCARD_FILLER, type TagCheck } from "./tag-check.ts"

export interface BlockFindingsOptions {
  readonly layout: IntegrityLayout
  /** Accepts no filler. Undefined on a tag store: then only what cannot be read is found. */
  readonly check: TagCheck | undefined
  /** A discarded block is good. */
  readonly allowDiscards: boolean
  /** Whether the superblock or the bitmap says that the tag of a block is still to be calculated. */
  readonly isToBeCalculated: (offset: number) => boolean
  /** Whether the newest version of a block stands in the journal: then what stands at its place does not count. */
  readonly isInJournal: (offset: number) => boolean
  readonly findings: FindingList
}

/** Blocks by what was found of them. */
export interface BlockCounts {
  /** Data and tag agree. */
  good: number
  mismatch: number
  neverWritten: number
  discarded: number
  notCalculated: number
  unreadable: number
}

type BlockKind = "mismatch" | "never-written" | "discarded" | "not-calculated"

const COUNT_OF = {
  mismatch: "mismatch",
  "never-written": "neverWritten",
  discarded: "discarded",
  "not-calculated": "notCalculated",
} as const
const MESSAGES: Readonly<Record<BlockKind, string>> = {
  mismatch: "data and tag do not match",
  "never-written": "never written: the tag is zero",
  discarded: "discarded: the tag is the filler of discards, which are not allowed here",
  "not-calculated": "the tag is still to be calculated",
}

/** Judges blocks piece by piece, and makes findings of maximal runs, none longer than an area. */
export interface BlockFindings {
  readonly counts: Readonly<BlockCounts>
  look(piece: SweptPiece): void
  /** Reports the last run. */
  end(): void
}

export function blockFindings(options: BlockFindingsOptions): BlockFindings {
  const { layout, check, allowDiscards, isToBeCalculated, isInJournal, findings } = options
  const { blockSize, tagSize } = layout
  const counts = { good: 0, mismatch: 0, neverWritten: 0, discarded: 0, notCalculated: 0, unreadable: 0 }
  let run: { kind: BlockKind; offset: number; length: number } | undefined

  function endRun(): void {
    if (run === undefined) return
    const { kind, offset, length } = run
    run = undefined
    const count = length / blockSize
    const message = `${count} block${count === 1 ? "" : "s"} at offset ${offset}: ${MESSAGES[kind]}`
    const severity = kind === "not-calculated" ? "notice" : "damage"
    findings.add({
      kind,
      severity,
      message,
      places: placesOfBlocks(layout, offset, length),
      blocks: { offset, length },
    })
  }

  function addBlock(kind: BlockKind, offset: number): void {
    const goesOn = run?.kind === kind && run.offset + run.length === offset
    if (run !== undefined && goesOn && areaRuns(layout, run.offset, run.length + blockSize).length === 1) {
      run.length += blockSize
      return
    }
    endRun()
    run = { kind, offset, length: blockSize }
  }

  function kindOf(tag: Uint8Array, expected: Uint8Array, offset: number): BlockKind | "good" {
    if (tag.every((byte, index) => byte === expected[index])) return "good"
    if (tag.every((byte) => byte === DISCARD_FILLER)) return "discarded"
    if (isToBeCalculated(offset)) return "not-calculated"
    return tag.every((byte) => byte === 0) ? "never-written" : "mismatch"
  }

  function judge(tagCheck: TagCheck, { offset, data, tags, unreadable }: SweptPiece): void {
    const expected = new Uint8Array(tags.length)
    tagCheck.compute(offset, data, expected)
    for (let index = 0; index < data.length / blockSize; index++) {
      const at = offset + index * blockSize
      if (unreadable.some(({ blocks }) => at >= blocks.offset && at < blocks.offset + blocks.length)) {
        counts.unreadable += 1
        continue
      }
      const [from, to] = [index * tagSize, (index + 1) * tagSize]
      const kind = kindOf(tags.subarray(from, to), expected.subarray(from, to), at)
      counts[kind === "good" ? "good" : COUNT_OF[kind]] += 1
      if (kind !== "good" && !(kind === "discarded" && allowDiscards) && !isInJournal(at)) addBlock(kind, at)
    }
  }

  return {
    counts,
    end: endRun,
    look(piece) {
      if (piece.unreadable.length > 0) endRun()
      for (const range of piece.unreadable) findings.add(unreadableFinding(layout, range))
      if (check === undefined) return
      const isGood = piece.unreadable.length === 0 && !check.firstMismatch(piece.offset, piece.data, piece.tags)
      if (isGood) counts.good += piece.data.length / blockSize
      else judge(check, piece)
    },
  }
}

function unreadableFinding(
  layout: IntegrityLayout,
  { of, offset, length, blocks, error }: SweptPiece["unreadable"][number],
): IntegrityFinding {
  const place = { device: of === "data" ? "data" : metadataRole(layout), offset, length } as const
  const message = `blocks at offset ${blocks.offset}: their ${of} cannot be read`
  return { kind: "unreadable", severity: "damage", message, places: [place], blocks, error }
}
