/**
 * Promises: every byte read is the one from which the root hash was made; nothing unverified ever leaves, wherever on
 * the two devices it was changed, swapped, replayed or rolled back.
 * Does not: hide anything, repair, write, or vouch for a root hash that came from the same place as the data.
 * Attacks that remain: denial (a changed block does not read), and watching which blocks are read.
 */
import {
  type BlockDevice,
  BlockError,
  defineDevice,
  type EventListener,
  type Extent,
  settleAll,
} from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import { type BlockHash, blockHash, checkAlgorithm, isSameHash } from "./block-hash.ts"
import { HASH_SIZE, hashTree, parameterFault, pathBlocks, treeMisfit, type VerityParameters } from "./hash-tree.ts"
import { type VerifiedHashes, verifiedTree } from "./verified-tree.ts"

export interface VerityTargetOptions extends VerityParameters {
  readonly data: BlockDevice
  /** The device of the tree; for a tree on the data device another `share` of it. */
  readonly hash: BlockDevice
  /** Bytes of this device: at most `dataBlockCount * dataBlockSize`, at most what `data` has. */
  readonly size: number
  /** 32 bytes, from a source that the data's author cannot change. */
  readonly rootHash: Uint8Array
  /** Bytes of verified hash blocks to keep; default `VERITY_CACHE_BYTES`, 0 for none. */
  readonly cacheBytes?: number | undefined
  readonly engine?: Engine | undefined
  readonly onEvent?: EventListener | undefined
}

/** Bytes: the default size of the cache of verified hash blocks; with 4096-byte blocks the leaves of 256 MiB of data. */
export const VERITY_CACHE_BYTES = 2097152
/** Bytes that are hashed in one call. */
const PIECE_SIZE = 1048576
/** The fault of a data block itself; faults above it are 1 + the level. */
const DATA_FAULT = 255

/** The lowest maximal failing run of a request, as far as it is known. */
interface FailingRun {
  offset: number
  length: number
  fault: number
  /** A good block came behind it: nothing that follows can change it. */
  isOver: boolean
}

/**
 * A read-only device whose blocks are checked against a hash tree; dm-verity's target. Pure construction, no I/O.
 *
 * Block size: the larger of `dataBlockSize` and the data device's. It owns `data` and `hash`.
 *
 * @throws RangeError where the parameters contradict themselves or the devices are too small; BlockError
 * `UNSUPPORTED` for another algorithm than `sha256`. Reads: `INTEGRITY` for data that does not match, or that a hash
 * block vouches for which does not match itself.
 * Source: Linux, admin-guide/device-mapper/verity.
 */
export function verityTarget(options: VerityTargetOptions): BlockDevice {
  checkTargetOptions(options)
  const { data, hash, size, dataBlockSize, hashBlockSize, version, salt, cacheBytes = VERITY_CACHE_BYTES } = options
  const rootHash = new Uint8Array(options.rootHash)
  const tree = hashTree(options)
  const hasher = blockHash(options.engine ?? defaultEngine, version, salt)
  const verified = verifiedTree({ hash, tree, hashBlockSize, blockHash: hasher, rootHash, cacheBytes })
  const blockSize = Math.max(dataBlockSize, data.blockSize)
  let state: "V" | "C" = "V"

  /** Reads and checks a piece; one fault per block of this device. */
  async function readPiece(offset: number, piece: Uint8Array): Promise<Uint8Array> {
    const first = offset / dataBlockSize
    let wanted: VerifiedHashes | undefined
    await settleAll([
      data.read(offset, piece),
      verified
        .dataHashes({ first, end: first + piece.length / dataBlockSize })
        .then((hashes) => void (wanted = hashes)),
    ])
    const faults = dataFaults(hasher, piece, dataBlockSize, wanted as VerifiedHashes)
    return blockFaults(faults, blockSize / dataBlockSize)
  }

  /**
   * Reads piece by piece until the lowest failing run is known. Where a lower fails inside a piece, the piece is read
   * once more by the block: what comes before the failure must have been good, and is only if it was verified.
   */
  async function readPieces(offset: number, buffer: Uint8Array, pieceSize: number, run: FailingRun): Promise<void> {
    for (let start = 0; start < buffer.length && !run.isOver; start += pieceSize) {
      const piece = buffer.subarray(start, start + pieceSize)
      try {
        extendRun(run, offset + start, await readPiece(offset + start, piece), blockSize)
      } catch (error) {
        if (pieceSize > blockSize) await readPieces(offset + start, piece, blockSize, run)
        if (run.length === 0) throw error
        run.isOver = true
      }
    }
  }

  return defineDevice({
    name: "verity",
    size,
    blockSize,
    features: { optimalSize: Math.max(PIECE_SIZE, blockSize) },
    lowers: [
      { role: "data", device: data },
      { role: "hash", device: hash },
    ],
    extents: (offset, length) => [{ role: "data", offset, length }, ...hashExtents(offset, length)],
    status: () => ({ state, ...verified.status() }),
    async read(offset, buffer) {
      const run: FailingRun = { offset: 0, length: 0, fault: 0, isOver: false }
      await readPieces(offset, buffer, PIECE_SIZE, run)
      if (run.length === 0) return
      state = "C"
      const message = `verity: ${describeFault(run.fault)} at offset ${run.offset}`
      options.onEvent?.({ kind: "corruption", device: "verity", message, offset: run.offset, length: run.length })
      throw new BlockError("INTEGRITY", message, { offset: run.offset, length: run.length })
    },
    async close() {
      verified.clear()
      hasher.destroy()
    },
  })

  function hashExtents(offset: number, length: number): Extent[] {
    const dataBlocks = { first: Math.floor(offset / dataBlockSize), end: Math.ceil((offset + length) / dataBlockSize) }
    return pathBlocks(tree, dataBlocks).map(({ first, end }, level) => ({
      role: "hash",
      offset: (tree.levels[level]?.offset ?? 0) + first * hashBlockSize,
      length: (end - first) * hashBlockSize,
      kind: "hash",
    }))
  }
}

function checkTargetOptions(options: VerityTargetOptions): void {
  const { data, hash, size, dataBlockSize, dataBlockCount, hashStart, rootHash, cacheBytes = 0 } = options
  checkAlgorithm(options.algorithm)
  const fault = parameterFault(options) ?? treeMisfit(hashTree(options), hashStart, hash.size)
  if (fault !== undefined) throw new RangeError(`verity: ${fault}`)
  if (rootHash.length !== HASH_SIZE)
    throw new RangeError(`verity: root hash: expected 32 bytes, got ${rootHash.length}`)
  if (size > dataBlockCount * dataBlockSize) {
    throw new RangeError(
      `verity: size: expected at most ${dataBlockCount} blocks of ${dataBlockSize}, got ${size} bytes`,
    )
  }
  if (size > data.size)
    throw new RangeError(`verity: size: expected at most ${data.size}, what the data device has, got ${size}`)
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0)
    throw new RangeError(`verity: cache: expected >= 0 bytes, got ${cacheBytes}`)
}

/** One fault per data block. Only where something is wrong are the blocks looked at one by one. */
function dataFaults(hasher: BlockHash, data: Uint8Array, dataBlockSize: number, wanted: VerifiedHashes): Uint8Array {
  const isKnown = wanted.faults.every((fault) => fault === 0)
  if (isKnown && hasher.matches(data, dataBlockSize, wanted.hashes)) return wanted.faults
  const found = hasher.hashUnits(data, dataBlockSize)
  return wanted.faults.map((fault, index) => fault || (isSameHash(found, index, wanted.hashes, index) ? 0 : DATA_FAULT))
}

/** A block of the device fails with the first of its data blocks. */
function blockFaults(faults: Uint8Array, dataBlocksPerBlock: number): Uint8Array {
  if (dataBlocksPerBlock === 1) return faults
  return Uint8Array.from({ length: faults.length / dataBlocksPerBlock }, (_, index) => {
    const start = index * dataBlocksPerBlock
    return faults.subarray(start, start + dataBlocksPerBlock).find((fault) => fault > 0) ?? 0
  })
}

function extendRun(run: FailingRun, offset: number, faults: Uint8Array, blockSize: number): void {
  for (let index = 0; index < faults.length && !run.isOver; index++) {
    const fault = faults[index] ?? 0
    if (fault === 0) run.isOver = run.length > 0
    else if (run.length > 0) run.length += blockSize
    else Object.assign(run, { offset: offset + index * blockSize, length: blockSize, fault })
  }
}

function describeFault(fault: number): string {
  if (fault === DATA_FAULT) return "data block does not match its hash"
  return `hash block of level ${fault - 1} does not match its hash, which the data needs`
}
