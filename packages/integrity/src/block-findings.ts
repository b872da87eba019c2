import type { SweptPiece } from "./block-sweep.ts"
import { type BlockVerdict, type JudgeOptions, judgeBlocks } from "./block-verdict.ts"
import { type FindingList, type IntegrityFinding, metadataRole, placesOfBlocks } from "./finding.ts"
import { areaRuns, type IntegrityLayout } from "./layout.ts"
import type { TagCheck } from "./tag-check.ts"

export interface BlockFindingsOptions extends Omit<JudgeOptions, "check"> {
  /** Undefined on a tag store: then only what cannot be read is found. */
  readonly check: TagCheck | undefined
  /** A discarded block is good. */
  readonly allowDiscards: boolean
  /** Whether the newest version of a block stands in the journal: then what stands at its place does not count. */
  readonly isInJournal: (offset: number) => boolean
  readonly findings: FindingList
}

/** Blocks by what was found of them, at their places: whatever the journal holds. */
export interface BlockCounts {
  /** Data and tag agree. */
  good: number
  mismatch: number
  neverWritten: number
  discarded: number
  notCalculated: number
  unreadable: number
}

type BadVerdict = Exclude<BlockVerdict, "good" | "unreadable">

const COUNT_OF = {
  good: "good",
  mismatch: "mismatch",
  "never-written": "neverWritten",
  discarded: "discarded",
  "not-calculated": "notCalculated",
  unreadable: "unreadable",
} as const
const MESSAGES: Readonly<Record<BadVerdict, string>> = {
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
  const { layout, check, allowDiscards, isInJournal, findings } = options
  const { blockSize } = layout
  const counts = { good: 0, mismatch: 0, neverWritten: 0, discarded: 0, notCalculated: 0, unreadable: 0 }
  let run: { kind: BadVerdict; offset: number; length: number } | undefined

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

  function addBlock(kind: BadVerdict, offset: number): void {
    const goesOn = run?.kind === kind && run.offset + run.length === offset
    if (run !== undefined && goesOn && areaRuns(layout, run.offset, run.length + blockSize).length === 1) {
      run.length += blockSize
      return
    }
    endRun()
    run = { kind, offset, length: blockSize }
  }

  return {
    counts,
    end: endRun,
    look(piece) {
      if (piece.unreadable.length > 0) endRun()
      for (const range of piece.unreadable) findings.add(unreadableFinding(layout, range))
      const judged = check && judgeBlocks({ ...options, check }, piece)
      if (judged === undefined) counts.good += check === undefined ? 0 : piece.data.length / blockSize
      for (const [index, verdict] of judged?.verdicts.entries() ?? []) {
        counts[COUNT_OF[verdict]] += 1
        const at = piece.offset + index * blockSize
        if (verdict === "good" || verdict === "unreadable" || isInJournal(at)) continue
        if (verdict !== "discarded" || !allowDiscards) addBlock(verdict, at)
      }
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
