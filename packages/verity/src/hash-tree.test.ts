import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { hashTree, parameterFault, pathBlocks, treeMisfit, treeStart, type VerityParameters } from "./hash-tree.ts"

const base: VerityParameters = {
  version: 1,
  algorithm: "sha256",
  dataBlockSize: 512,
  hashBlockSize: 512,
  dataBlockCount: 1,
  hashStart: 512,
  salt: new Uint8Array(),
}

describe("levels", () => {
  // 16 hashes in a block of 512 bytes.
  test.each([
    [1, []],
    [2, [1]],
    [16, [1]],
    [17, [2, 1]],
    [256, [16, 1]],
    [257, [17, 2, 1]],
    [4096, [256, 16, 1]],
    [4097, [257, 17, 2, 1]],
  ])("%i data blocks", (dataBlockCount, blockCounts) => {
    const tree = hashTree({ ...base, dataBlockCount })
    expect(tree.levels.map((level) => level.blockCount)).toEqual(blockCounts)
    expect(tree.levels.map((level) => level.hashCount)).toEqual(
      [dataBlockCount, ...blockCounts].slice(0, blockCounts.length),
    )
    expect(tree.size).toBe(blockCounts.reduce((sum, count) => sum + count * 512, 0))
  })

  test("the root stands first, the leaves last, without gaps", () => {
    const { levels, size } = hashTree({ ...base, dataBlockCount: 257, hashStart: 1024 })
    expect(levels.map((level) => level.offset)).toEqual([1024 + 3 * 512, 1024 + 512, 1024])
    expect(size).toBe(20 * 512)
  })

  test("the largest tree has 11 levels, in safe integers", () => {
    const dataBlockCount = 2 ** 44 - 1
    const { levels, size } = hashTree({ ...base, dataBlockCount })
    expect(levels).toHaveLength(11)
    expect(Number.isSafeInteger(size + 512)).toBe(true)
  })
})

test("a path holds, level by level, the block above each of its hashes", () => {
  const sizes = fc.constantFrom(512, 1024, 4096)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100000 }),
      sizes,
      fc.nat(),
      fc.nat(),
      (dataBlockCount, hashBlockSize, a, b) => {
        const tree = hashTree({ ...base, dataBlockCount, hashBlockSize })
        const first = a % dataBlockCount
        const end = first + 1 + (b % (dataBlockCount - first))
        let [low, high] = [first, end - 1]
        for (const [level, range] of pathBlocks(tree, { first, end }).entries()) {
          low = Math.floor(low / tree.hashesPerBlock)
          high = Math.floor(high / tree.hashesPerBlock)
          expect(range).toEqual({ first: low, end: high + 1 })
          expect(high).toBeLessThan(tree.levels[level]?.blockCount ?? 0)
        }
        expect(high).toBe(tree.levels.length === 0 ? end - 1 : 0)
      },
    ),
  )
})

test.each<[string, Partial<VerityParameters>]>([
  ["version", { version: 2 as 1 }],
  ["data block size", { dataBlockSize: 256 }],
  ["data block size", { dataBlockSize: 1048576 }],
  ["data block size", { dataBlockSize: 513 }],
  ["hash block size", { hashBlockSize: 0 }],
  ["hash block size", { hashBlockSize: Number.NaN }],
  ["data block count", { dataBlockCount: 0 }],
  ["data block count", { dataBlockCount: 1.5 }],
  ["data", { dataBlockCount: 2 ** 44 }],
  ["hash start", { hashStart: 256 }],
  ["hash start", { hashStart: -512 }],
  ["hash start", { hashStart: 2 ** 60 }],
  ["salt", { salt: new Uint8Array(257) }],
])("refused: %s %j", (what, change) => {
  expect(parameterFault({ ...base, ...change })).toContain(`${what}: `)
  expect(parameterFault(base)).toBeUndefined()
})

test("a tree fits to the byte", () => {
  const tree = hashTree({ ...base, dataBlockCount: 257 })
  expect(treeMisfit(tree, 512, 512 + 20 * 512)).toBeUndefined()
  expect(treeMisfit(tree, 512, 20 * 512)).toBeTypeOf("string")
})

// As veritysetup 2.6.1 was seen to place them.
test.each([
  [0, 4096, true, 4096],
  [512, 4096, true, 4096],
  [3584, 4096, true, 4096],
  [4096, 4096, true, 8192],
  [0, 512, true, 512],
  [0, 4096, false, 0],
  [512, 4096, false, 0],
  [4608, 4096, false, 4096],
])(
  "hash offset %i, hash blocks of %i, superblock %s: the tree starts at %i",
  (offset, blockSize, hasSuperblock, start) => {
    expect(treeStart(offset, blockSize, hasSuperblock)).toBe(start)
  },
)
