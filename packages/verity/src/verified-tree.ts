import { type BlockDevice, bytes, settleAll } from "@blockstrata/device"
import { LRUCache } from "lru-cache"
import { type BlockHash, isSameHash } from "./block-hash.ts"
import { HASH_SIZE, type HashTree, type IndexRange, pathBlocks } from "./hash-tree.ts"

/** Hashes that the root hash vouches for. `faults[i]` is 0, or 1 + the level of the block that did not match above it. */
export interface VerifiedHashes {
  readonly hashes: Uint8Array
  readonly faults: Uint8Array
}

export interface VerifiedTreeOptions {
  readonly hash: BlockDevice
  readonly tree: HashTree
  readonly hashBlockSize: number
  readonly blockHash: BlockHash
  readonly rootHash: Uint8Array
  readonly cacheBytes: number
}

export interface VerifiedTree {
  /** The hashes of these data blocks. @throws what the hash device throws. */
  dataHashes(dataBlocks: IndexRange): Promise<VerifiedHashes>
  /** Counters since it was made, and what the cache holds now. */
  status(): { hashBlocksVerified: number; hashBlocksCached: number; cachedBytes: number }
  clear(): void
}

/** A verified block, or `undefined` for one that does not match. */
type MaybeBlock = Uint8Array | undefined

/** Blocks of one level, next to each other, being read: whoever else needs one of them waits for the same read. */
interface PendingRun {
  readonly first: number
  readonly blocks: Promise<readonly MaybeBlock[]>
}

/**
 * The hash tree as seen from the root: what it hands out has been verified, level by level, top down. A block is
 * verified when it comes from the device; only then does it enter the cache, which holds at most `cacheBytes`.
 */
export function verifiedTree({
  hash,
  tree,
  hashBlockSize,
  blockHash,
  rootHash,
  cacheBytes,
}: VerifiedTreeOptions): VerifiedTree {
  const hashArea = bytes(hash)
  const cacheBlockCount = Math.min(Math.floor(cacheBytes / hashBlockSize), tree.size / hashBlockSize)
  const cache = cacheBlockCount > 0 ? new LRUCache<number, Uint8Array>({ max: cacheBlockCount }) : undefined
  /** By place, bytes, as the cache. */
  const pending = new Map<number, PendingRun>()
  let hashBlocksVerified = 0

  const place = (level: number, index: number) => (tree.levels[level]?.offset ?? 0) + index * hashBlockSize

  /** Reads blocks `first` to `end` of a level in one request and verifies them in one call. */
  async function readRun(
    level: number,
    { first, end }: IndexRange,
    wanted: Uint8Array,
  ): Promise<readonly MaybeBlock[]> {
    const run = await hashArea.read(place(level, first), (end - first) * hashBlockSize)
    // Only where a block does not match are they looked at one by one.
    const found = blockHash.matches(run, hashBlockSize, wanted) ? undefined : blockHash.hashUnits(run, hashBlockSize)
    return Array.from({ length: end - first }, (_, index) => {
      if (found !== undefined && !isSameHash(found, index, wanted, index)) return undefined
      // A copy: a view would keep the whole run alive, and the cache would hold more than it counts.
      const block = run.slice(index * hashBlockSize, (index + 1) * hashBlockSize)
      hashBlocksVerified++
      cache?.set(place(level, first + index), block)
      return block
    })
  }

  function startRun(level: number, range: IndexRange, wanted: Uint8Array): PendingRun {
    const run = { first: range.first, blocks: readRun(level, range, wanted) }
    for (let index = range.first; index < range.end; index++) pending.set(place(level, index), run)
    return run
  }

  function endRun(level: number, { first, end }: IndexRange): void {
    for (let index = first; index < end; index++) pending.delete(place(level, index))
  }

  /** The blocks of a level from the cache, from reads under way, and the rest in as few reads as possible. */
  async function loadBlocks(
    level: number,
    { first, end }: IndexRange,
    above: VerifiedHashes,
  ): Promise<readonly MaybeBlock[]> {
    const blocks: MaybeBlock[] = Array.from({ length: end - first }, () => undefined)
    const waits: Promise<void>[] = []
    let index = first
    const isMissing = (candidate: number) =>
      candidate < end &&
      above.faults[candidate - first] === 0 &&
      !pending.has(place(level, candidate)) &&
      cache?.has(place(level, candidate)) !== true
    while (index < end) {
      const at = index
      const key = place(level, at)
      if (isMissing(at)) {
        while (isMissing(index)) index++
        const range = { first: at, end: index }
        const run = startRun(level, range, above.hashes.subarray((at - first) * HASH_SIZE, (index - first) * HASH_SIZE))
        waits.push(
          run.blocks
            .then((loaded) => loaded.forEach((block, offset) => void (blocks[at - first + offset] = block)))
            .finally(() => endRun(level, range)),
        )
        continue
      }
      if (above.faults[at - first] === 0) {
        const run = pending.get(key)
        if (run === undefined) blocks[at - first] = cache?.get(key)
        else waits.push(run.blocks.then((loaded) => void (blocks[at - first] = loaded[at - run.first])))
      }
      index++
    }
    await settleAll(waits)
    return blocks
  }

  async function dataHashes(dataBlocks: IndexRange): Promise<VerifiedHashes> {
    const path = pathBlocks(tree, dataBlocks)
    let above: VerifiedHashes = { hashes: rootHash, faults: new Uint8Array(1) }
    for (let level = tree.levels.length - 1; level >= 0; level--) {
      const range = path[level] ?? dataBlocks
      const blocks = await loadBlocks(level, range, above)
      above = pickHashes(
        tree,
        level,
        { range, blocks, above },
        level === 0 ? dataBlocks : (path[level - 1] ?? dataBlocks),
      )
    }
    return above
  }

  return {
    dataHashes,
    status: () => ({
      hashBlocksVerified,
      hashBlocksCached: cache?.size ?? 0,
      cachedBytes: (cache?.size ?? 0) * hashBlockSize,
    }),
    clear: () => cache?.clear(),
  }
}

/** The hashes `wanted` out of the blocks of a level; below a block that failed, the fault. */
function pickHashes(
  tree: HashTree,
  level: number,
  loaded: { range: IndexRange; blocks: readonly MaybeBlock[]; above: VerifiedHashes },
  wanted: IndexRange,
): VerifiedHashes {
  const { range, blocks, above } = loaded
  const hashes = new Uint8Array((wanted.end - wanted.first) * HASH_SIZE)
  const faults = new Uint8Array(wanted.end - wanted.first)
  for (let index = range.first; index < range.end; index++) {
    const blockStart = index * tree.hashesPerBlock
    const first = Math.max(wanted.first, blockStart)
    const end = Math.min(wanted.end, blockStart + tree.hashesPerBlock)
    const block = blocks[index - range.first]
    if (block === undefined)
      faults.fill(above.faults[index - range.first] || level + 1, first - wanted.first, end - wanted.first)
    else {
      const slots = block.subarray((first - blockStart) * HASH_SIZE, (end - blockStart) * HASH_SIZE)
      hashes.set(slots, (first - wanted.first) * HASH_SIZE)
    }
  }
  return { hashes, faults }
}
