import type { ByteAccess } from "@blockstrata/device"
import type { BlockHash } from "./block-hash.ts"
import { HASH_SIZE, type HashTree, type TreeLevel } from "./hash-tree.ts"

export interface TreeWriter {
  /** Takes the hashes of the next data blocks. */
  append(hashes: Uint8Array): Promise<void>
  /** Writes what is left, padded with zeroes. Gives the root hash. */
  finish(): Promise<Uint8Array>
}

/** Bytes that a level collects before it writes them: whole blocks. */
const CHUNK_SIZE = 65536

/**
 * Builds a hash tree as its data blocks go by: hashes fill the pending chunk of their level, and a full chunk is
 * written and hashed into the level above. Memory: one chunk a level, of 64 KiB or a hash block.
 */
export function treeWriter(
  hashArea: ByteAccess,
  tree: HashTree,
  hashBlockSize: number,
  blockHash: BlockHash,
): TreeWriter {
  const levels = tree.levels.map((level) => pendingChunk(level, hashBlockSize))
  let rootHash = new Uint8Array(HASH_SIZE)

  async function append(levelIndex: number, hashes: Uint8Array): Promise<void> {
    const level = levels[levelIndex]
    if (level === undefined) {
      rootHash = new Uint8Array(hashes)
      return
    }
    for (let taken = 0; taken < hashes.length; ) {
      const part = hashes.subarray(taken, taken + level.chunk.length - level.filled)
      level.chunk.set(part, level.filled)
      level.filled += part.length
      taken += part.length
      if (level.filled === level.chunk.length) await emit(levelIndex)
    }
  }

  /** Writes the pending blocks of a level and hands their hashes up. */
  async function emit(levelIndex: number): Promise<void> {
    const level = levels[levelIndex]
    if (level === undefined || level.filled === 0) return
    const end = Math.ceil(level.filled / hashBlockSize) * hashBlockSize
    const blocks = level.chunk.subarray(0, end)
    blocks.fill(0, level.filled)
    await hashArea.write(level.offset, blocks)
    level.offset += end
    level.filled = 0
    await append(levelIndex + 1, blockHash.hashUnits(blocks, hashBlockSize))
  }

  return {
    append: (hashes) => append(0, hashes),
    async finish() {
      for (let index = 0; index < levels.length; index++) await emit(index)
      return rootHash
    },
  }
}

function pendingChunk(level: TreeLevel, hashBlockSize: number): { offset: number; chunk: Uint8Array; filled: number } {
  const size = Math.min(Math.max(CHUNK_SIZE, hashBlockSize), level.blockCount * hashBlockSize)
  return { offset: level.offset, chunk: new Uint8Array(size), filled: 0 }
}
