import type { Mutant } from "./mutant.ts"

const SOURCES = "packages/integrity/src"
const VERDICT = `${SOURCES}/block-verdict.ts`
const SWEEP = `${SOURCES}/block-sweep.ts`
const CHECK_TEST = `${SOURCES}/check-integrity.test.ts`
const REPAIR = `${SOURCES}/repair-integrity.ts`
const REPAIR_TEST = `${SOURCES}/repair-integrity.test.ts`
const SUPERBLOCK = `${SOURCES}/superblock-findings.ts`
const SUPERBLOCK_TEST = `${SOURCES}/superblock-findings.test.ts`
const JOURNAL = `${SOURCES}/journal-findings.ts`
const CORRUPTIONS_TEST = `${SOURCES}/doctor-corruptions.test.ts`
const REPLAY = `${SOURCES}/replay-journal.ts`
const REPLAY_TEST = `${SOURCES}/replay-journal.test.ts`
const FINDING = `${SOURCES}/finding.ts`

/** What decides that the doctor finds damage, names its place, says before what it does, and writes nothing unasked. */
export const doctorMutants: readonly Mutant[] = [
  {
    bug: "repair writes without trust",
    file: REPAIR,
    find: "if (trustData) await store.retag",
    replace: "await store.retag",
    tests: [REPAIR_TEST],
  },
  {
    bug: "repair goes by a superblock that is in doubt",
    file: FINDING,
    find: 'kind === "superblock-size" || (severity',
    replace: "(severity",
    tests: [REPAIR_TEST],
  },
  {
    bug: "repair makes tags where nothing matches",
    file: REPAIR,
    find: "if (sample !== undefined && (",
    replace: "if (sample === null && (",
    tests: [REPAIR_TEST],
  },
  {
    bug: "a journal that cannot be replayed is given up unasked",
    file: REPAIR,
    find: 'if (!discardJournal) return "refused"',
    replace: "",
    tests: ["test/cli/integrity-doctor.test.ts"],
  },
  {
    bug: "a dry run writes",
    file: REPLAY,
    find: "options.dryRun !== true && hasWork",
    replace: "hasWork",
    tests: [REPLAY_TEST],
  },
  {
    bug: "a dry run forgets that the journal is cleared",
    file: REPLAY,
    find: "cleared: plan.clears ? place : undefined",
    replace: "cleared: undefined",
    tests: [REPLAY_TEST],
  },
  {
    bug: "a tag of zeroes is good",
    file: VERDICT,
    find: '? "never-written" : "mismatch"',
    replace: '? "good" : "mismatch"',
    tests: [CHECK_TEST],
  },
  {
    bug: "pieces are looked at out of their order",
    file: SWEEP,
    find: "reading[index % SLOT_COUNT] = startPiece(index + SLOT_COUNT)",
    replace: "reading[index % SLOT_COUNT] = startPiece(index + SLOT_COUNT - 1)",
    tests: [CHECK_TEST],
  },
  {
    bug: "the place of tags that cannot be read is that of the data",
    file: `${SOURCES}/block-findings.ts`,
    find: 'of === "data" ? "data" : metadataRole(layout), offset, length }',
    replace: 'of === "data" ? "data" : metadataRole(layout), offset: blocks.offset, length }',
    tests: [CHECK_TEST],
  },
  {
    bug: "a MAC of the superblock that does not match is passed over",
    file: SUPERBLOCK,
    find: "if (!isAuthentic) report",
    replace: "if (isAuthentic === undefined) report",
    tests: [SUPERBLOCK_TEST],
  },
  {
    bug: "the sectors behind the superblock are not looked at",
    file: SUPERBLOCK,
    find: "[SECTOR_SIZE, SUPERBLOCK_SIZE - SECTOR_SIZE],",
    replace: "",
    tests: [SUPERBLOCK_TEST],
  },
  {
    bug: "of an entry that does not match its data only the entry is named",
    file: JOURNAL,
    find: "what, [data, place])",
    replace: "what, [place])",
    tests: [CORRUPTIONS_TEST],
  },
  {
    bug: "a commit id that is not known is passed over",
    file: JOURNAL,
    find: "for (const sectorIndex of unknownSectors) {",
    replace: "for (const sectorIndex of unknownSectors.slice(1)) {",
    tests: [CORRUPTIONS_TEST],
  },
]
