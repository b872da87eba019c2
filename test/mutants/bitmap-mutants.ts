import type { Mutant } from "./mutant.ts"

const STORE = "packages/integrity/src/bitmap-store.ts"
const STORE_TEST = "packages/integrity/src/bitmap-store.test.ts"
const DIRTY_TEST = "packages/integrity/src/dirty-bitmap.test.ts"
const RECOVER = "packages/integrity/src/recover-volume.ts"
const RECALCULATION = "packages/integrity/src/recalculation.ts"
const RECALCULATION_TEST = "packages/integrity/src/recalculation.test.ts"
const POLICY = "packages/integrity/src/recovery-policy.ts"
const POLICY_TEST = "packages/integrity/src/recovery-policy.test.ts"

/** What makes a crash in mode B harmless, and what keeps a keyed hash from vouching for anybody's data. */
export const bitmapMutants: readonly Mutant[] = [
  {
    bug: "the bits of a page are counted from the top",
    file: "packages/integrity/src/bitmap.ts",
    find: "const mask = 2 ** (bit % 8)",
    replace: "const mask = 2 ** (7 - (bit % 8))",
    tests: ["packages/integrity/src/bitmap.test.ts"],
  },
  {
    bug: "marks are not durable before the data",
    file: STORE,
    find: "await metadata.write(journal.offset + offset, pages, { fua: true })",
    replace: "await metadata.write(journal.offset + offset, pages)",
    tests: [STORE_TEST],
  },
  {
    bug: "a region is marked after it changed",
    file: STORE,
    find: "      await mark(range)\n",
    replace: "",
    tests: [STORE_TEST],
  },
  {
    bug: "marks are cleared before data and tags are durable",
    file: STORE,
    find: "      const pending = pendingFrom()\n      await flush()\n",
    replace: "      const pending = pendingFrom()\n",
    tests: [STORE_TEST],
  },
  {
    bug: "marks that were cleared are taken to be still on the medium",
    file: STORE,
    find: "      durable.bytes.set(wanted.bytes)\n",
    replace: "",
    tests: [STORE_TEST],
  },
  {
    bug: "a failed write leaves its region clean",
    file: STORE,
    find: "    } catch (error) {\n      isDoubtful = true\n",
    replace: "    } catch (error) {\n",
    tests: [STORE_TEST],
  },
  {
    bug: "regions whose tags are still to be calculated are cleared with the others",
    file: STORE,
    find: "      if (pending < size) wanted.mark({ offset: pending, length: size - pending })\n",
    replace: "",
    tests: [RECALCULATION_TEST],
  },
  {
    bug: "the volume is clean before its journal is empty",
    file: STORE,
    find: "      await options.resetJournal()\n",
    replace: "",
    tests: [STORE_TEST],
  },
  {
    bug: "recovery is done with, before the tags are durable",
    file: RECOVER,
    find: "    await options.flush()\n",
    replace: "",
    tests: [DIRTY_TEST],
  },
  {
    bug: "a volume in mode B does not say that its bitmap counts",
    file: RECOVER,
    find: "await superblock.update({ hasDirtyBitmap: true, bitmapBitBlocksLog2 })",
    replace: "await superblock.update({ hasDirtyBitmap: false, bitmapBitBlocksLog2 })",
    tests: [STORE_TEST],
  },
  {
    bug: "what lies behind the position of recalculation is not checked",
    file: RECALCULATION,
    find: "Math.min(Math.max(position - offset, 0), length)",
    replace: "Math.min(Math.max(position - offset, 0), 0)",
    tests: [RECALCULATION_TEST],
  },
  {
    bug: "the superblock says recalculated before the tags are durable",
    file: RECALCULATION,
    find: "    await flush()\n",
    replace: "",
    tests: [RECALCULATION_TEST],
  },
  {
    bug: "closing forgets how far recalculation went",
    file: RECALCULATION,
    find: "      await running\n      if (savedPosition < position) await save()\n",
    replace: "      await running\n",
    tests: [RECALCULATION_TEST],
  },
  {
    bug: "mode B with a keyed hash opens without a word",
    file: POLICY,
    find: '  if (mode === "B") throw refused("mode B with a keyed hash")\n',
    replace: "",
    tests: [POLICY_TEST],
  },
  {
    bug: "anybody can have keyed tags made by the flag for a dirty bitmap",
    file: POLICY,
    find: '  if (superblock.hasDirtyBitmap) throw refused("a dirty bitmap with a keyed hash")\n',
    replace: "",
    tests: [POLICY_TEST],
  },
  {
    bug: "recalculation of a keyed hash needs no more than the line",
    file: POLICY,
    find: "if (isKeyed && isRisky && !allows)",
    replace: "if (isKeyed && isRisky && allows)",
    tests: [POLICY_TEST],
  },
]
