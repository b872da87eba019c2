import type { IntegrityReport, JournalContents } from "blockstrata"
import { findingLine, placeList } from "./finding-line.ts"

/** What `strata integrity dump --journal` prints behind the superblock. */
export function* journalLines(report: IntegrityReport): Generator<string> {
  const { journalContents, dirtyRegions, findings } = report
  for (const finding of findings) yield findingLine(finding)
  if (dirtyRegions !== undefined) {
    yield `bitmap: ${dirtyRegions.length} marked range(s)`
    for (const { offset, length } of dirtyRegions) yield `  blocks at ${offset}+${length}: tags may be missing`
  }
  if (journalContents === undefined) return
  const { sections, replayedBlockCount, refusal } = journalContents
  const entries = [...journalContents.entries()]
  const verdict = refusal === undefined ? `a replay would write ${replayedBlockCount} block(s)` : refusal.message
  yield `journal: ${sections.length} section(s), ${entries.length} entr${entries.length === 1 ? "y" : "ies"}; ${verdict}`
  let shown: number | undefined
  for (const entry of entries) {
    if (entry.sectionIndex !== shown) yield sectionLine(sections[entry.sectionIndex])
    shown = entry.sectionIndex
    const fate = entry.isNewest ? ", newest" : ""
    yield `  entry ${entry.slot}: block at ${entry.offset}, ${entry.state}${fate} ${placeList(entry.places)}`
  }
}

function sectionLine(section: JournalContents["sections"][number] | undefined): string {
  if (section === undefined) return ""
  const { index, offset, length, sequences, isReplayed } = section
  const sequence =
    sequences.length === 1 ? `sequence ${sequences[0]}` : `sequences ${sequences.join(" and ") || "unknown"}`
  return `section ${index} at ${offset}+${length}: ${sequence}, ${isReplayed ? "replayed" : "not replayed"}`
}
