/**
 * Geometry of a dm-verity hash tree: pure, in bytes and counts.
 *
 * A hash block holds `hashBlockSize / 32` hashes one after the other. Level 0 holds the hashes of the data blocks,
 * level 1 those of the blocks of level 0, and so on up to a level of one block, whose hash is the root hash. The
 * highest level is stored first, level 0 last, without gaps. What a level's last block does not use is zero, and is
 * hashed with it. A single data block has no level: the root hash is its hash.
 *
 * SHA-256 digests have 32 bytes, so that both tree versions have the same layout: they differ in the place of the salt.
 * Source: Linux, admin-guide/device-mapper/verity.
 */

/** Bytes. */
export const BLOCK_SIZE_MIN = 512
export const BLOCK_SIZE_MAX = 524288
export const SALT_SIZE_MAX = 256
/** Bytes of a hash, and of the root hash: SHA-256. */
export const HASH_SIZE = 32

/** What a tree is made of; everything but the root hash that a table line says. */
export interface VerityParameters {
  /** 1: the salt goes in front of each block; 0 (Chrome OS): behind it. */
  readonly version: 0 | 1
  readonly algorithm: "sha256"
  readonly dataBlockSize: number
  readonly hashBlockSize: number
  readonly dataBlockCount: number
  /** Bytes from the start of the hash device to the first block of the tree; a multiple of `hashBlockSize`. */
  readonly hashStart: number
  /** 0 to 256 bytes. */
  readonly salt: Uint8Array
}

export interface TreeLevel {
  /** Bytes from the start of the hash device. */
  readonly offset: number
  readonly blockCount: number
  /** Hashes in the whole level: data blocks, or blocks of the level below. */
  readonly hashCount: number
}

export interface HashTree {
  readonly hashesPerBlock: number
  /** Level 0, the hashes of data blocks, first. Empty for a single data block. */
  readonly levels: readonly TreeLevel[]
  /** Bytes of all levels. */
  readonly size: number
}

export function isBlockSize(size: number): boolean {
  return size >= BLOCK_SIZE_MIN && size <= BLOCK_SIZE_MAX && Number.isInteger(Math.log2(size))
}

/** What is wrong with parameters, in words, or `undefined`. */
export function parameterFault(parameters: VerityParameters): string | undefined {
  const { version, dataBlockSize, hashBlockSize, dataBlockCount, hashStart, salt } = parameters
  const sizes = `a power of two from ${BLOCK_SIZE_MIN} to ${BLOCK_SIZE_MAX}`
  if (version !== 0 && version !== 1) return `version: expected 0 or 1, got ${version}`
  if (!isBlockSize(dataBlockSize)) return `data block size: expected ${sizes}, got ${dataBlockSize}`
  if (!isBlockSize(hashBlockSize)) return `hash block size: expected ${sizes}, got ${hashBlockSize}`
  if (!Number.isSafeInteger(dataBlockCount) || dataBlockCount < 1)
    return `data block count: expected >= 1, got ${dataBlockCount}`
  if (!Number.isSafeInteger(dataBlockCount * dataBlockSize)) return "data: expected at most 2^53 - 1 bytes"
  if (!Number.isSafeInteger(hashStart) || hashStart < 0 || hashStart % hashBlockSize !== 0) {
    return `hash start: expected a multiple of ${hashBlockSize}, got ${hashStart}`
  }
  if (salt.length > SALT_SIZE_MAX) return `salt: expected at most ${SALT_SIZE_MAX} bytes, got ${salt.length}`
  return undefined
}

/** What of a tree does not fit into its hash device, in words, or `undefined`. A tree without levels fits anywhere. */
export function treeMisfit(tree: HashTree, hashStart: number, hashDeviceSize: number): string | undefined {
  if (tree.size === 0 || hashStart + tree.size <= hashDeviceSize) return undefined
  return `hash tree: expected ${hashStart} + ${tree.size} bytes on the hash device, got ${hashDeviceSize}`
}

/** Bytes to the first tree block: behind the superblock, on the next hash block; without one, where veritysetup starts. */
export function treeStart(hashOffset: number, hashBlockSize: number, hasSuperblock: boolean): number {
  const end = hashOffset + (hasSuperblock ? 512 + hashBlockSize - 1 : 0)
  return end - (end % hashBlockSize)
}

/**
 * The levels of a tree. At most 11 levels: 2^53 bytes are 2^44 blocks, and a block holds at least 16 hashes.
 *
 * @param parameters without fault (`parameterFault`).
 */
export function hashTree(parameters: VerityParameters): HashTree {
  const { dataBlockCount, hashBlockSize, hashStart } = parameters
  const hashesPerBlock = hashBlockSize / HASH_SIZE
  const counts: { hashCount: number; blockCount: number }[] = []
  for (let hashCount = dataBlockCount; hashCount > 1; ) {
    const blockCount = Math.ceil(hashCount / hashesPerBlock)
    counts.push({ hashCount, blockCount })
    hashCount = blockCount
  }
  const levels: TreeLevel[] = []
  let offset = hashStart
  for (const count of counts.reverse()) {
    levels.unshift({ offset, ...count })
    offset += count.blockCount * hashBlockSize
  }
  return { hashesPerBlock, levels, size: offset - hashStart }
}

/** Indices `first` to `end`, exclusive. */
export interface IndexRange {
  readonly first: number
  readonly end: number
}

/** Which blocks of each level, level 0 first, lead from the root to these data blocks. */
export function pathBlocks(tree: HashTree, dataBlocks: IndexRange): IndexRange[] {
  let { first, end } = dataBlocks
  return tree.levels.map(() => {
    first = Math.floor(first / tree.hashesPerBlock)
    end = Math.floor((end - 1) / tree.hashesPerBlock) + 1
    return { first, end }
  })
}
