import type { Mutant } from "./mutant.ts"

const IV = "packages/crypt/src/iv.ts"
const IV_TEST = "packages/crypt/src/iv.test.ts"
const SECTOR = "packages/crypt/src/sector-target.ts"
const SECTOR_TEST = "packages/crypt/src/crypt-target.test.ts"
const AEAD = "packages/crypt/src/aead-target.ts"
const AEAD_TEST = "packages/crypt/src/aead-target.test.ts"
const VECTORS = "packages/crypt/src/crypt-vectors.test.ts"

/** What decides that a medium is what Linux would have written, that tags are looked at, and that no IV comes twice. */
export const cryptMutants: readonly Mutant[] = [
  {
    bug: "plain64 counts sectors with 32 bits, as plain does",
    file: IV,
    find: "view.setUint32(at + 4, high, true)",
    replace: "view.setUint32(at + 4, 0, true)",
    tests: [IV_TEST],
  },
  {
    bug: "the sector number of an IV is big-endian",
    file: IV,
    find: "view.setUint32(at, low, true)",
    replace: "view.setUint32(at, low)",
    tests: [IV_TEST],
  },
  {
    bug: "sector numbers lose their carry at 2^32 inside a request",
    file: IV,
    find: "high = (high + 1) % highCount",
    replace: "high = high % highCount",
    tests: [IV_TEST],
  },
  {
    bug: "the IV offset of the line is not added",
    file: IV,
    find: "(sector % TWO_TO_32) + Number(ivOffsetSectors % BIG_TWO_TO_32)",
    replace: "sector % TWO_TO_32",
    tests: [IV_TEST],
  },
  {
    bug: "IVs of large sectors count large sectors although the line does not say so",
    file: IV,
    find: "const step = ivLargeSectors ? 1 : sectorsPerUnit",
    replace: "const step = 1",
    tests: [IV_TEST],
  },
  {
    bug: "ESSIV makes its IVs under the volume key itself",
    file: IV,
    find: "const salt = hash.digest(key)",
    replace: "const salt = new Uint8Array(key)",
    tests: [VECTORS],
  },
  {
    bug: "the place of a sector is not authenticated: sectors can be moved",
    file: "packages/crypt/src/aead-batch.ts",
    find: "ivLargeSectors: false }, offset, aads, aadSize)",
    replace: "ivLargeSectors: false }, 0, aads, aadSize)",
    tests: [AEAD_TEST],
  },
  {
    bug: "the IV of a sector is not authenticated",
    file: "packages/crypt/src/aead-batch.ts",
    find: "aads, index * aadSize + SECTOR_NUMBER_SIZE, ivSize)",
    replace: "aads, index * aadSize + SECTOR_NUMBER_SIZE, 0)",
    tests: [AEAD_TEST],
  },
  {
    bug: "a tag that does not match is overlooked in the first sector of a request",
    file: AEAD,
    find: "if (failed < 0) return",
    replace: "if (failed <= 0) return",
    tests: [AEAD_TEST],
  },
  {
    bug: "random IVs are not drawn: every sector is written with the same one",
    file: AEAD,
    find: "        iv.fill(offset + at, batch.ivs)\n",
    replace: "        if (!units.isIvStored) iv.fill(offset + at, batch.ivs)\n",
    tests: [AEAD_TEST],
  },
  {
    bug: "the second piece of a long write gets the IVs of the first",
    file: AEAD,
    find: "        iv.fill(offset + at, batch.ivs)\n",
    replace: "        iv.fill(offset, batch.ivs)\n",
    tests: [AEAD_TEST],
  },
  {
    bug: "sectors before one that cannot be read are not verified",
    file: AEAD,
    find: "if (goodSize > 0 && goodSize < buffer.length)",
    replace: "if (goodSize > buffer.length)",
    tests: [AEAD_TEST],
  },
  {
    bug: "a run of bad sectors is reported as its first one",
    file: AEAD,
    find: "await findRunEnd(runStart + sectorSize, requestEnd)",
    replace: "await findRunEnd(runStart + sectorSize, runStart)",
    tests: [AEAD_TEST],
  },
  {
    bug: "tags may be shorter than the cipher's",
    file: AEAD,
    find: "if (authSize === spec.authTagSize) return",
    replace: "if (authSize <= spec.authTagSize) return",
    tests: [AEAD_TEST],
  },
  {
    bug: "one write may take the count of random IVs over its limit",
    file: "packages/crypt/src/write-limit.ts",
    find: "if (sectorsWritten + sectors > SECTORS_MAX) {",
    replace: "if (sectorsWritten > SECTORS_MAX) {",
    tests: ["packages/crypt/src/write-limit.test.ts"],
  },
  {
    bug: "discards go down although nobody allowed them",
    file: SECTOR,
    find: "discard: allowDiscards && features.discard,",
    replace: "discard: features.discard,",
    tests: [SECTOR_TEST],
  },
  {
    bug: "writes ignore where the volume starts",
    file: SECTOR,
    find: "lower.write(start + offset + done, ciphertext, { fua })",
    replace: "lower.write(offset + done, ciphertext, { fua })",
    tests: [SECTOR_TEST],
  },
  {
    bug: "fua does not reach the device below",
    file: SECTOR,
    find: "lower.write(start + offset + done, ciphertext, { fua })",
    replace: "lower.write(start + offset + done, ciphertext)",
    tests: [SECTOR_TEST],
  },
  {
    bug: "a very long read decrypts its second batch with the IVs of the first",
    file: SECTOR,
    find: "iv.fill(offset + from, ivs)",
    replace: "iv.fill(offset, ivs)",
    tests: [SECTOR_TEST],
  },
  {
    bug: "a read may find a large sector half written",
    file: SECTOR,
    find: "ordered: sectorSize > lower.blockSize,",
    replace: "ordered: false,",
    tests: [SECTOR_TEST],
  },
  {
    bug: "closing leaves the volume key in memory",
    file: SECTOR,
    find: "      cipher.destroy()\n",
    replace: "",
    tests: [SECTOR_TEST],
  },
  {
    bug: "a torn CBC sector counts as old or new",
    file: SECTOR,
    find: "return isXts || size >= parts.sectorSize ? size : 0",
    replace: "return size",
    tests: [SECTOR_TEST],
  },
  {
    bug: "two writes at a time share the memory of their ciphertext",
    file: "packages/crypt/src/ciphertext-pool.ts",
    find: "let piece = free.pop()",
    replace: "let piece = pieces.at(-1)",
    tests: [SECTOR_TEST],
  },
  {
    bug: "the end of the volume is compared with the size below, not with what is left of it",
    file: "packages/crypt/src/crypt-target.ts",
    find: "if (size > lower.size - start) {",
    replace: "if (size > lower.size) {",
    tests: [SECTOR_TEST],
  },
  {
    bug: "the key that a line names stays in memory",
    file: "packages/crypt/src/table-line.ts",
    find: "    key.fill(0)\n",
    replace: "",
    tests: ["packages/crypt/src/table-line.test.ts"],
  },
  {
    bug: "decrypted sectors behind a bad one are returned",
    file: "packages/primitives/src/authenc.ts",
    find: "      batch.target.fill(0, end)\n",
    replace: "",
    tests: ["packages/primitives/src/authenc.test.ts"],
  },
  {
    bug: "the last tag of a batch is never compared",
    file: "packages/primitives/src/tag-check.ts",
    find: "at < tags.length; at += tagSize",
    replace: "at < tags.length - tagSize; at += tagSize",
    tests: ["packages/primitives/src/tampering.test.ts"],
  },
  {
    bug: "counters lose their carry at 2^32",
    file: "packages/primitives/src/counters.ts",
    find: "if (word3 === 0) word2 = (word2 + 1) >>> 0",
    replace: "if (word3 < 0) word2 = (word2 + 1) >>> 0",
    tests: ["packages/primitives/src/sector-cipher.test.ts"],
  },
]
