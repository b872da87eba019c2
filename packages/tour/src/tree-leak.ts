import { baseExtents, defaultEngine, encodeHex } from "blockstrata"
import { HASH_BLOCK_SIZE, SALT, type TourVolume } from "./stack.ts"

/** What a hash device tells of a volume's blocks to somebody who has no key. */
export interface TreeLeak {
  /** Leaves of the tree that stand over the volume's data. */
  readonly dataCount: number
  /** Those whose leaf is the hash of a block of zeroes. */
  readonly zeroCount: number
  /** Those whose leaf occurred before: equal blocks show as equal hashes. */
  readonly repeatedCount: number
}

const DIGEST_SIZE = 32

/** Looks at the leaves of a small volume's tree, as an observer of the medium can. */
export async function measureTreeLeak(volume: TourVolume): Promise<TreeLeak> {
  const leaves = await dataLeaves(volume)
  const guess = encodeHex(defaultEngine.hash("sha256").digest(SALT, new Uint8Array(HASH_BLOCK_SIZE)))
  return {
    dataCount: leaves.length,
    zeroCount: leaves.filter((leaf) => leaf === guess).length,
    repeatedCount: leaves.length - new Set(leaves).size,
  }
}

/** The leaves over the volume's own data: not those over journal, tags and free space of the medium. */
async function dataLeaves(volume: TourVolume): Promise<string[]> {
  const device = await volume.open()
  const isAbove = device.layer.name === "verity"
  const data = baseExtents(device, 0, device.size).filter(({ kind }) => kind === "data")
  const indices = isAbove
    ? Array.from({ length: device.size / HASH_BLOCK_SIZE }, (_, index) => index)
    : data.flatMap(({ offset, length }) =>
        Array.from({ length: length / HASH_BLOCK_SIZE }, (_, index) => offset / HASH_BLOCK_SIZE + index),
      )
  await device.close()
  // At most 128 leaves: one hash block, which is also the top of the tree, right behind the superblock's block.
  const hashBlock = new Uint8Array(HASH_BLOCK_SIZE)
  volume.media.byName.get("hash.img")?.current.data.read(HASH_BLOCK_SIZE, hashBlock)
  return indices.map((index) => encodeHex(hashBlock.subarray(index * DIGEST_SIZE, (index + 1) * DIGEST_SIZE)))
}
