import type { Mutant } from "./mutant.ts"

const PLAN = "packages/integrity/src/replay-plan.ts"
const SECTION = "packages/integrity/src/journal-section.ts"
const SECTION_TEST = "packages/integrity/src/journal-section.test.ts"
const WRITER = "packages/integrity/src/journal-writer.ts"
const STORE_TEST = "packages/integrity/src/journal-store.test.ts"
const OPEN_TEST = "packages/integrity/src/open-integrity.test.ts"
const AREA_TEST = "packages/integrity/src/journal-area.test.ts"
const RECOVERY_TEST = "packages/integrity/src/recovery.test.ts"

/** What decides that a journal brings back what was flushed, all of it and nothing else. */
export const journalMutants: readonly Mutant[] = [
  {
    bug: "of the tags of a discard that failed half may stand below for good",
    file: "packages/integrity/src/journal-store.ts",
    find: "if (owesTags) await payTags()",
    replace: "if (!owesTags) await payTags()",
    tests: [STORE_TEST],
  },
  {
    bug: "tags that could not be written are a flush that failed, for good",
    file: "packages/integrity/src/open-journal.ts",
    find: "flush: () => flushBoth(lower, metadata),",
    replace: "flush,",
    tests: [STORE_TEST],
  },
  {
    bug: "an entry is replayed whatever its tag says",
    file: PLAN,
    find: "if (check.firstMismatch(place, block.data, block.tag) === undefined) continue",
    replace: "if (check.firstMismatch(place, block.data, block.tag) !== null) continue",
    tests: [OPEN_TEST],
  },
  {
    bug: "of several entries of a block the oldest is written back",
    file: PLAN,
    find: "if (place < layout.providedBytes) newest.set(place, first + slot)",
    replace: "if (place < layout.providedBytes && !newest.has(place)) newest.set(place, first + slot)",
    tests: [RECOVERY_TEST],
  },
  {
    bug: "blocks come out of the journal with commit ids in them",
    file: SECTION,
    find: "data[end + byte] = section[endsAt + index * END_SIZE + byte]!",
    replace: "data[end + byte] = data[end + byte]!",
    tests: [SECTION_TEST],
  },
  {
    bug: "a section is replayed that a crash left half written",
    file: "packages/integrity/src/journal-round.ts",
    find: "if (sequences[index] !== sequence) break",
    replace: "if (sequences[index] !== sequence && sequences[index] !== MIXED) break",
    tests: [STORE_TEST],
  },
  {
    bug: "the newest sections of a journal are not replayed",
    file: "packages/integrity/src/journal-round.ts",
    find: "if (index === sectionCount - 1) sequence = nextSequence(sequence)",
    replace: "if (index === sectionCount - 1) break",
    tests: [RECOVERY_TEST],
  },
  {
    bug: "the MAC of a section does not say which section it is of",
    file: "packages/integrity/src/journal-mac.ts",
    find: "viewOf(index).setUint32(0, sectionIndex, true)",
    replace: "viewOf(index).setUint32(0, 0, true)",
    tests: [AREA_TEST],
  },
  {
    bug: "every section is encrypted with the same IV",
    file: "packages/integrity/src/journal-crypt.ts",
    find: "view.setUint32(index * ivSize, sectionIndex + index, true)",
    replace: "view.setUint32(index * ivSize, 0, true)",
    tests: [AREA_TEST],
  },
  {
    bug: "a flush does not write the section that is being filled",
    file: "packages/integrity/src/section-ring.ts",
    find: "return this.#sections.slice(this.#committedCount)",
    replace: "return this.#sections.slice(this.#committedCount, -1)",
    tests: [STORE_TEST],
  },
  {
    bug: "reads do not look into the journal",
    file: "packages/integrity/src/overlay-store.ts",
    find: "const isOver = overlay.has(at)",
    replace: "const isOver = overlay.has(-1 - at)",
    tests: [STORE_TEST],
  },
  {
    bug: "a failed flush is tried again",
    file: WRITER,
    find: "      this.#failure = error\n",
    replace: "",
    tests: [STORE_TEST],
  },
  {
    bug: "a closed volume leaves its entries in the journal",
    file: WRITER,
    find: "if (!this.#hasWritten) return",
    replace: "return",
    tests: [STORE_TEST],
  },
  {
    bug: "the journal is never written back before it is full",
    file: WRITER,
    find: "if (!isNeeded && (this.#isCleaning || this.ring.usedCount < this.#wantedCount)) return",
    replace: "if (!isNeeded) return",
    tests: [STORE_TEST],
  },
]
