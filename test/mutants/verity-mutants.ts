import type { Mutant } from "./mutant.ts"

const TREE = "packages/verity/src/hash-tree.ts"
const TREE_TEST = "packages/verity/src/hash-tree.test.ts"
const VERIFIED = "packages/verity/src/verified-tree.ts"
const HASH = "packages/verity/src/block-hash.ts"
const TARGET = "packages/verity/src/verity-target.ts"
const TARGET_TEST = "packages/verity/src/verity-target.test.ts"
const CHECK = "packages/verity/src/check-verity.ts"
const CHECK_TEST = "packages/verity/src/check-verity.test.ts"
const FORMAT_TEST = "packages/verity/src/format-verity.test.ts"
const OPEN = "packages/verity/src/open-verity.ts"
const SUPERBLOCK_TEST = "packages/verity/src/superblock.test.ts"

/** What decides that nothing unverified leaves, and that a tree is where veritysetup puts it. */
export const verityMutants: readonly Mutant[] = [
  {
    bug: "the levels of the tree stand in the other order",
    file: TREE,
    find: "for (const count of counts.reverse()) {",
    replace: "for (const count of counts) {",
    tests: [TREE_TEST],
  },
  {
    bug: "the path to data that ends with a hash block takes in the next one",
    file: TREE,
    find: "Math.floor((end - 1) / tree.hashesPerBlock) + 1",
    replace: "Math.floor(end / tree.hashesPerBlock) + 1",
    tests: [TREE_TEST],
  },
  {
    bug: "the end of a tree is not compared with the device: only its start",
    file: TREE,
    find: "hashStart + tree.size <= hashDeviceSize",
    replace: "hashStart <= hashDeviceSize",
    tests: [TREE_TEST],
  },
  {
    bug: "hash blocks are not verified: a tree can be forged with its data",
    file: VERIFIED,
    find: "if (found !== undefined && !isSameHash(found, index, wanted, index)) return undefined",
    replace: "if (found !== undefined && found.length < HASH_SIZE) return undefined",
    tests: [TARGET_TEST],
  },
  {
    bug: "a verified block enters the cache at the place of another one",
    file: VERIFIED,
    find: "cache?.set(place(level, first + index), block)",
    replace: "cache?.set(place(level, first), block)",
    tests: [TARGET_TEST],
  },
  {
    bug: "what was read once is remembered beside the cache, a failure too",
    file: VERIFIED,
    find: "            .finally(() => endRun(level, range)),\n",
    replace: "            .finally(() => endRun(level, { first: 0, end: 0 })),\n",
    tests: [TARGET_TEST],
  },
  {
    bug: "half of a hash is compared",
    file: HASH,
    find: "index < HASH_SIZE; index++",
    replace: "index < HASH_SIZE / 2; index++",
    tests: [TARGET_TEST],
  },
  {
    bug: "the salt goes behind the block in version 1",
    file: HASH,
    find: "version === 1 ? { prefix: ownSalt }",
    replace: "version !== 1 ? { prefix: ownSalt }",
    tests: [FORMAT_TEST],
  },
  {
    bug: "a device block of several data blocks is judged by its first",
    file: TARGET,
    find: "faults.subarray(start, start + dataBlocksPerBlock).find((fault) => fault > 0) ?? 0",
    replace: "faults[start] ?? 0",
    tests: [TARGET_TEST],
  },
  {
    bug: "blocks before one that cannot be read are not verified",
    file: TARGET,
    find: "        if (pieceSize > blockSize) await readPieces(offset + start, piece, blockSize, run)\n",
    replace: "",
    tests: [TARGET_TEST],
  },
  {
    bug: "a failure in the middle of a request is placed at the begin of the device",
    file: TARGET,
    find: "else if (run.length > 0) run.length += blockSize",
    replace: "else if (run.length > 0 || offset > 0) run.length += blockSize",
    tests: [TARGET_TEST],
  },
  {
    bug: "a count of blocks is compared with bytes: a volume may promise more data than its device has",
    file: OPEN,
    find: "dataSize > data.size\n",
    replace: "parameters.dataBlockCount > data.size\n",
    tests: [CHECK_TEST],
  },
  {
    bug: "a superblock in the last bytes of the device is not found",
    file: OPEN,
    find: "if (hashOffset + SUPERBLOCK_SIZE > hash.size) {",
    replace: "if (hashOffset + SUPERBLOCK_SIZE >= hash.size) {",
    tests: [TARGET_TEST],
  },
  {
    bug: "a salt longer than its field is read from what follows",
    file: "packages/verity/src/superblock.ts",
    find: "if (saltSize > SALT_SIZE_MAX) throw",
    replace: "if (saltSize >= 2 ** 16) throw",
    tests: [SUPERBLOCK_TEST],
  },
  {
    bug: "the count of data blocks is checked, their bytes overflow",
    file: "packages/verity/src/superblock.ts",
    find: "toSafeInteger(count * BigInt(dataBlockSize)",
    replace: "toSafeInteger(count",
    tests: [SUPERBLOCK_TEST],
  },
  {
    bug: "of the spare end of a level only the first byte is looked at",
    file: CHECK,
    find: "if (piece.bytes.some((byte) => byte !== 0))",
    replace: "if (piece.bytes[0] !== 0)",
    tests: [CHECK_TEST],
  },
  {
    bug: "a root that cannot be read matches",
    file: CHECK,
    find: "piece.bad.length === 0 && isSameHash(hasher.hashUnits(piece.bytes, stage.unitSize), 0, rootHash, 0)",
    replace: "piece.bad.length > 0 || isSameHash(hasher.hashUnits(piece.bytes, stage.unitSize), 0, rootHash, 0)",
    tests: [CHECK_TEST],
  },
  {
    bug: "the last block of a level keeps hashes of an earlier one",
    file: "packages/verity/src/tree-writer.ts",
    find: "    blocks.fill(0, level.filled)\n",
    replace: "",
    tests: [FORMAT_TEST],
  },
  {
    bug: "the superblock is written before the tree is durable",
    file: "packages/verity/src/format-verity.ts",
    find: "  await hash.flush()\n  if (superblock",
    replace: "  if (superblock",
    tests: [FORMAT_TEST],
  },
  {
    bug: "closing keeps the verified tree in memory",
    file: TARGET,
    find: "      verified.clear()\n",
    replace: "",
    tests: [TARGET_TEST],
  },
]
