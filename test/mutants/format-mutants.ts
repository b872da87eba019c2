import type { Mutant } from "./mutant.ts"

const HASH = "packages/integrity/src/internal-hash.ts"
const FORMAT_TEST = "packages/integrity/src/format-integrity.test.ts"
const LINE_TEST = "packages/integrity/src/table-line.test.ts"
const KERNEL_VOLUMES = "packages/integrity/src/kernel-volumes.test.ts"
const LAYOUT = "packages/integrity/src/layout.ts"
const STORE = "packages/integrity/src/block-store.ts"
const BUFFER = "packages/integrity/src/tag-buffer.ts"
const FRESH = "packages/integrity/src/fresh-superblock.ts"
const OPEN = "packages/integrity/src/open-integrity.ts"
const APART_TEST = "packages/integrity/src/data-apart.test.ts"
const INLINE = "packages/integrity/src/inline-store.ts"
const INLINE_TEST = "packages/integrity/src/inline-store.test.ts"

/** What decides that a volume is where Linux has it, with data apart and with inline tags, and that a key is one. */
export const formatMutants: readonly Mutant[] = [
  {
    bug: "a key that a hash does not take is dropped: its tags anybody can make",
    file: HASH,
    find: '  if ("key" in hash) throw new TypeError(`integrity: ${hash.name} takes no key`)\n',
    replace: "",
    tests: [FORMAT_TEST],
  },
  {
    bug: "an HMAC of a checksum is not built, instead of refused as in Linux",
    file: HASH,
    find: 'return !keyed.startsWith("crc") && isPlainName(keyed)',
    replace: "return isPlainName(keyed)",
    tests: [LINE_TEST],
  },
  {
    bug: "CRC32 is the checksum of zip",
    file: "packages/primitives/src/crc.ts",
    find: "crc32c: 0xffffffff, crc32: 0 }",
    replace: "crc32c: 0xffffffff, crc32: 0xffffffff }",
    tests: [KERNEL_VOLUMES],
  },
  {
    bug: "an xxhash64 is stored with its first byte first",
    file: "packages/primitives/src/xxh64.ts",
    find: "setBigUint64(0, xxh64(message), true)",
    replace: "setBigUint64(0, xxh64(message), false)",
    tests: ["packages/primitives/src/xxh64.test.ts"],
  },
  {
    bug: "data on a device of their own begin where the tags do",
    file: LAYOUT,
    find: "dataOffset: isApart ? at :",
    replace: "dataOffset: isApart ? areaOffset + at :",
    tests: [APART_TEST],
  },
  {
    bug: "the failure of the device of tags is placed as if it were that of the data",
    file: STORE,
    find: "(await failureOf(tagRead)) === error",
    replace: "(await failureOf(tagRead)) === undefined",
    tests: [APART_TEST],
  },
  {
    bug: "tags that lie apart are packed, not in whole buffers",
    file: LAYOUT,
    find: "Math.ceil(tagBytes / (bufferSectors * SECTOR_SIZE)) * bufferSectors",
    replace: "Math.ceil(tagBytes / SECTOR_SIZE)",
    tests: [APART_TEST],
  },
  {
    bug: "where tags lie apart, buffers are not made smaller",
    file: BUFFER,
    find: "while (buffer > APART_BUFFER_SECTORS_MIN && !haveRoom(geometry, buffer, metadataBytes)) buffer /= 2",
    replace: "while (buffer > BUFFER_SECTORS && !haveRoom(geometry, buffer, metadataBytes)) buffer /= 2",
    tests: [APART_TEST],
  },
  {
    bug: "data apart without fixed HMAC is version 1",
    file: FRESH,
    find: "return isDataApart(superblock) ? 2 : 1",
    replace: "return 1",
    tests: [APART_TEST],
  },
  {
    bug: "a superblock that says that data lie apart opens on one device",
    file: OPEN,
    find: "if (isApart !== (options.metadata !== undefined))",
    replace: "if (!isApart && options.metadata !== undefined)",
    tests: [APART_TEST],
  },
  {
    bug: "a volume with inline tags opens in another mode, which looks for tags among the data",
    file: OPEN,
    find: 'if (superblock.isInline !== (options.mode === "I"))',
    replace: 'if (!superblock.isInline && options.mode === "I")',
    tests: [INLINE_TEST],
  },
  {
    bug: "the blocks before one that cannot be read are not looked at",
    file: INLINE,
    find: "const bad = isInside ? ",
    replace: "const bad = !isInside && failed < offset ? ",
    tests: [INLINE_TEST],
  },
  {
    bug: "the place below is taken for that of the volume",
    file: INLINE,
    find: "error.offset - firstAreaOffset : offset",
    replace: "error.offset : offset",
    tests: [INLINE_TEST],
  },
  {
    bug: "with inline tags buffers are those of a tag run",
    file: BUFFER,
    find: "if (geometry.isInline === true) return buffer",
    replace: "if (geometry.isInline === undefined) return buffer",
    tests: [INLINE_TEST],
  },
]
