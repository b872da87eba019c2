import type { Mutant } from "./mutant.ts"

const CHECK = "packages/integrity/src/tag-check.ts"
const CHECK_TEST = "packages/integrity/src/tag-check.test.ts"
const STORE = "packages/integrity/src/block-store.ts"
const LAYOUT = "packages/integrity/src/layout.ts"
const LAYOUT_TEST = "packages/integrity/src/layout.test.ts"
const TARGET = "packages/integrity/src/integrity-target.ts"
const TARGET_TEST = "packages/integrity/src/integrity-target.test.ts"
const OPEN = "packages/integrity/src/open-integrity.ts"
const OPEN_TEST = "packages/integrity/src/open-integrity.test.ts"
const FORMAT = "packages/integrity/src/format-integrity.ts"
const FORMAT_TEST = "packages/integrity/src/format-integrity.test.ts"

/** What decides that a changed block is found, that tags are where Linux has them, and that no unclean volume opens. */
export const integrityMutants: readonly Mutant[] = [
  {
    bug: "the last byte of a tag is not compared",
    file: CHECK,
    find: "at < (blockIndex + 1) * tagSize; at++",
    replace: "at < (blockIndex + 1) * tagSize - 1; at++",
    tests: [TARGET_TEST],
  },
  {
    bug: "a tag of discard filler goes with any data, also where discards are not allowed",
    file: CHECK,
    find: "(acceptsFiller && filler === 0)",
    replace: "filler === 0",
    tests: [CHECK_TEST],
  },
  {
    bug: "the salt is dropped: a block fits into another volume of the same key",
    file: CHECK,
    find: "prefix: salt, heads",
    replace: "prefix: undefined, heads",
    tests: [CHECK_TEST],
  },
  {
    bug: "tags are made with numbers of blocks instead of sectors",
    file: CHECK,
    find: "(offset + index * blockSize) / SECTOR_SIZE",
    replace: "(offset + index * blockSize) / blockSize",
    tests: [CHECK_TEST],
  },
  {
    bug: "tags are made with sector numbers of 32 bits",
    file: CHECK,
    find: "Math.floor(sector / WORD_RANGE), true)",
    replace: "0, true)",
    tests: [CHECK_TEST],
  },
  {
    bug: "a device block of several blocks is checked by its first",
    file: CHECK,
    find: "index < start + unitBlockCount; index++",
    replace: "index < start + 1; index++",
    tests: [TARGET_TEST],
  },
  {
    bug: "blocks before one that cannot be read are not verified",
    file: STORE,
    find: "if (bad !== undefined) return bad\n      throw error",
    replace: "if (bad === undefined) return bad\n      throw error",
    tests: [TARGET_TEST],
  },
  {
    bug: "the failure of a tag's sector is placed as if tags were as large as blocks",
    file: STORE,
    find: "Math.floor(first / layout.tagSize) * layout.blockSize",
    replace: "Math.floor(first / layout.blockSize) * layout.blockSize",
    tests: [TARGET_TEST],
  },
  {
    bug: "a discard leaves the old tags: what it leaves does not match them",
    file: STORE,
    find: "tags.fill(DISCARD_FILLER)",
    replace: "tags",
    tests: [TARGET_TEST],
  },
  {
    bug: "the tags of the second piece of a long write are those of the first",
    file: STORE,
    find: "tagger?.compute(piece.offset, pieceData, pieceTags)",
    replace: "tagger?.compute(offset, pieceData, pieceTags)",
    tests: [TARGET_TEST],
  },
  {
    bug: "a volume provides one block more than fits below",
    file: LAYOUT,
    find: "return lastSector < lowerSectors",
    replace: "return lastSector <= lowerSectors",
    tests: [LAYOUT_TEST],
  },
  {
    bug: "a run of tags is not padded",
    file: LAYOUT,
    find: "return Math.ceil(tagBytes / padding) * padding",
    replace: "return Math.ceil(tagBytes / SECTOR_SIZE) * SECTOR_SIZE",
    tests: [LAYOUT_TEST],
  },
  {
    bug: "the areas of a volume are looked for without the tags between them",
    file: LAYOUT,
    find: "const areaBytes = layout.tagRunBytes + interleaveBytes",
    replace: "const areaBytes = interleaveBytes",
    tests: [TARGET_TEST],
  },
  {
    bug: "writing tags destroys the tags behind them in the same sector",
    file: "packages/integrity/src/tag-cache.ts",
    find: "    unit.bytes.set(bytes)\n",
    replace: "",
    tests: ["packages/integrity/src/tag-cache.test.ts"],
  },
  {
    bug: "a read finds new data with its old tag",
    file: TARGET,
    find: "ordered: true,",
    replace: "ordered: false,",
    tests: [TARGET_TEST],
  },
  {
    bug: "only mode D checks tags",
    file: TARGET,
    find: 'const isChecked = hash !== undefined && mode !== "R"',
    replace: 'const isChecked = hash !== undefined && mode === "D"',
    tests: [OPEN_TEST],
  },
  {
    bug: "a volume is flushed without the device below",
    file: STORE,
    find: "      await flushBoth(dataBelow, metadata)\n",
    replace: "",
    tests: [OPEN_TEST],
  },
  {
    bug: "a flush leaves the tags in memory",
    file: STORE,
    find: "async flush() {\n      await tagsBelow.writeBack()\n",
    replace: "async flush() {\n",
    tests: [TARGET_TEST],
  },
  {
    bug: "data are given up before their tags say so",
    file: STORE,
    find: "    await tagsBelow.writeBack()\n    await flush?.()",
    replace: "    await flush?.()",
    tests: [TARGET_TEST],
  },
  {
    bug: "an older copy of a block of tags lands on a newer one",
    file: "packages/integrity/src/tag-cache.ts",
    find: "const written = this.#lastWrite.then(() => this.#writeDirty())",
    replace: "const written = this.#writeDirty()",
    tests: ["packages/integrity/src/tag-cache.test.ts"],
  },
  {
    bug: "tags that could not be written are forgotten",
    file: "packages/integrity/src/tag-cache.ts",
    find: "      for (const unit of run) unit.isDirty = true\n",
    replace: "",
    tests: ["packages/integrity/src/tag-cache.test.ts"],
  },
  {
    bug: "what stood in a block of tags comes back over what is newer",
    file: "packages/integrity/src/tag-cache.ts",
    find: "    bytes.set(unit.bytes.subarray(unit.from, unit.to), unit.from)\n",
    replace: "",
    tests: ["packages/integrity/src/tag-cache.test.ts"],
  },
  {
    bug: "tags that are not written yet are read as they were",
    file: "packages/integrity/src/tag-cache.ts",
    find: "      if (from < to) tags.set(unit.bytes.subarray(from, to), part.at + from - part.from)\n",
    replace: "",
    tests: ["packages/integrity/src/tag-cache.test.ts"],
  },
  {
    bug: "closing leaves the key of the tags in memory",
    file: TARGET,
    find: "        hash?.destroy()\n",
    replace: "",
    tests: [OPEN_TEST],
  },
  {
    bug: "a read-only opening can write",
    file: OPEN,
    find: "options.readOnly === true || !lower.features.write",
    replace: "!lower.features.write",
    tests: [OPEN_TEST],
  },
  {
    bug: "an unknown flag of the superblock is overlooked",
    file: "packages/integrity/src/superblock.ts",
    find: "if (bit >= FLAG_NAMES.length)",
    replace: "if (bit > FLAG_NAMES.length + 1)",
    tests: ["packages/integrity/src/superblock.test.ts"],
  },
  {
    bug: "only the first sections of a long journal are looked at",
    file: "packages/integrity/src/journal-state.ts",
    find: "for (let first = 0; first < sectionCount; first += batchCount) {",
    replace: "for (let first = 0; first < 1; first += batchCount) {",
    tests: [OPEN_TEST],
  },
  {
    bug: "a commit id does not say which section it belongs to",
    file: "packages/integrity/src/commit-id.ts",
    find: "high[sequence]! ^ sectionIndex",
    replace: "high[sequence]!",
    tests: [OPEN_TEST],
  },
  {
    bug: "the new superblock is written before the tags are durable",
    file: FORMAT,
    find: "    await store.flush()\n",
    replace: "",
    tests: [FORMAT_TEST],
  },
  {
    bug: "formatting leaves the old superblock until it is done",
    file: FORMAT,
    find: "    await metadata.write(start, new Uint8Array(SUPERBLOCK_SIZE))\n",
    replace: "",
    tests: [FORMAT_TEST],
  },
  {
    bug: "of tags whose size is no multiple of four the last bytes are not compared",
    file: "packages/primitives/src/unit-hash.ts",
    find: "for (let byte = wordEnd; byte < sharedSize; byte++)",
    replace: "for (let byte = wordEnd; byte < wordEnd; byte++)",
    tests: ["packages/primitives/src/unit-tags.test.ts"],
  },
]
