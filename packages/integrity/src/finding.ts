import type { BlockError } from "@blockstrata/device"
import { areaRuns, type IntegrityLayout } from "./layout.ts"

/**
 * What the doctor finds.
 *
 * - `superblock-...`: a field that is not as Linux writes it; `superblock-mac`: the sector is not authentic.
 * - `salt-or-key`: no block of a sample matches: another salt, key, hash or geometry than the volume was written with.
 * - `mismatch`: data and tag of blocks disagree, and nothing tells which of the two changed.
 * - `never-written`: the tags are zero, as a format without wiping leaves them; `discarded`: they are the filler of discards.
 * - `not-calculated`: as `mismatch`, where the superblock says that tags are still to be calculated.
 * - `unreadable`: a device below failed.
 * - `journal-commit-id`: a sector of the journal is none of it, or, as a notice, a section was being written; `journal-mac`:
 *   a section is not authentic; `journal-entry`: an entry is of no block of the volume; `journal-data`: entry, data and place
 *   do not match, and nothing tells which of them changed.
 */
export type IntegrityFindingKind =
  | "superblock-signature"
  | "superblock-version"
  | "superblock-flags"
  | "superblock-geometry"
  | "superblock-size"
  | "superblock-bitmap-bit"
  | "superblock-recalculation"
  | "superblock-padding"
  | "superblock-salt"
  | "superblock-mac"
  | "salt-or-key"
  | "mismatch"
  | "never-written"
  | "discarded"
  | "not-calculated"
  | "unreadable"
  | "journal-commit-id"
  | "journal-mac"
  | "journal-entry"
  | "journal-data"

/** Bytes of one of the devices below. */
export interface IntegrityPlace {
  /** As the roles of the lowers of an open volume: `metadata` only where the data lie on a device of their own. */
  readonly device: "data" | "metadata"
  readonly offset: number
  readonly length: number
}

export interface IntegrityFinding {
  readonly kind: IntegrityFindingKind
  /** `notice`: what a sound volume may have too, such as bytes that stand in no superblock of these defaults. */
  readonly severity: "damage" | "notice"
  readonly message: string
  /** All bytes that may be the cause. Of blocks: their data, then their tags. */
  readonly places: readonly IntegrityPlace[]
  /** Bytes of the volume, where it is about blocks. */
  readonly blocks?: { readonly offset: number; readonly length: number } | undefined
  readonly error?: BlockError | undefined
}

/** Collects findings: keeps the first ones, and counts all. */
export interface FindingList {
  readonly kept: readonly IntegrityFinding[]
  readonly count: number
  /** Those of severity `damage`. */
  readonly damageCount: number
  add(finding: IntegrityFinding): void
  /** Adds what another list has. */
  addAll(other: FindingList): void
}

/** Findings that are kept where nobody says otherwise. */
export const FINDINGS_MAX = 1000

/** @param max findings that are kept. */
export function findingList(max: number): FindingList {
  const kept: IntegrityFinding[] = []
  let count = 0
  let damageCount = 0
  return {
    kept,
    get count() {
      return count
    },
    get damageCount() {
      return damageCount
    },
    add(finding) {
      count += 1
      if (finding.severity === "damage") damageCount += 1
      if (kept.length < max) kept.push(finding)
    },
    addAll(other) {
      kept.push(...other.kept.slice(0, max - kept.length))
      count += other.count
      damageCount += other.damageCount
    },
  }
}

/** Where blocks and their tags lie: two places for each area, or one where the tags travel with the blocks. */
export function placesOfBlocks(layout: IntegrityLayout, offset: number, length: number): IntegrityPlace[] {
  return areaRuns(layout, offset, length).flatMap((run): IntegrityPlace[] => {
    const data = { device: "data", offset: run.dataOffset, length: run.length } as const
    if (layout.isInline) return [data]
    return [data, { device: metadataRole(layout), offset: run.tagOffset, length: run.tagLength }]
  })
}

/** What the device is called that holds everything but the data. */
export function metadataRole({ isDataApart }: Pick<IntegrityLayout, "isDataApart">): IntegrityPlace["device"] {
  return isDataApart ? "metadata" : "data"
}

/** Damage to a superblock that says nothing of where tags and data lie. */
const HARMLESS: ReadonlySet<IntegrityFindingKind> = new Set([
  "superblock-bitmap-bit",
  "superblock-padding",
  "superblock-recalculation",
])

/**
 * Why nothing should be written by what a superblock says, if so. A size that does not fit is a doubt too: it may come from
 * an enlarged device, or from fields by which tags would go over data.
 */
export function superblockDoubt(findings: readonly IntegrityFinding[]): IntegrityFinding | undefined {
  return findings.find(
    ({ kind, severity }) => kind === "superblock-size" || (severity === "damage" && !HARMLESS.has(kind)),
  )
}
