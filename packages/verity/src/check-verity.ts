import type { BlockDevice, ByteRange, LongVerbOptions } from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import { type BlockHash, blockHash, checkAlgorithm, isSameHash } from "./block-hash.ts"
import { type Reporter, reporter, type VerityFinding } from "./finding.ts"
import { HASH_SIZE, type HashTree, hashTree, type VerityParameters } from "./hash-tree.ts"
import { checkPlaces } from "./open-verity.ts"
import { type UnitPiece, unitPieces } from "./unit-pieces.ts"

export interface CheckVerityOptions extends VerityParameters, LongVerbOptions {
  /** Neither device is closed. They may be the same object. */
  readonly data: BlockDevice
  readonly hash: BlockDevice
  /** 32 bytes. */
  readonly rootHash: Uint8Array
  /** How many findings the report lists at most; 1000 if not given. Further ones are counted. */
  readonly findingsMax?: number | undefined
  readonly engine?: Engine | undefined
}

export interface VerityReport {
  /** The hash of the top block (of the only data block, where there is no tree) is the root hash. */
  readonly rootMatches: boolean
  /** In the order in which veritysetup comes upon them: data first, then the levels from the leaves to the root. */
  readonly findings: readonly VerityFinding[]
  /** All of them, also those that are not listed. */
  readonly findingCount: number
  /** Bytes of data, and of the tree. */
  readonly dataBytes: number
  readonly hashAreaBytes: number
}

const FINDINGS_MAX = 1000

/**
 * Reads everything and compares every block with the hash that is stored for it, from the data up to the root, as
 * `veritysetup verify` does, but to the end. Stored hashes are taken as they are: a changed hash shows at the block
 * that it no longer matches, and at the hash block that holds it.
 *
 * The volume is good only if `rootMatches` and `findingCount` is 0.
 *
 * @throws RangeError for impossible parameters; BlockError `CORRUPT` where they promise more than the devices have,
 * `UNSUPPORTED` for another algorithm; the signal's reason when aborted.
 */
export async function checkVerity(options: CheckVerityOptions): Promise<VerityReport> {
  const { data, hash, rootHash, dataBlockSize, hashBlockSize, dataBlockCount, signal, onProgress } = options
  checkAlgorithm(options.algorithm)
  checkPlaces(data, hash, options)
  if (rootHash.length !== HASH_SIZE)
    throw new RangeError(`verity: root hash: expected 32 bytes, got ${rootHash.length}`)
  const tree = hashTree(options)
  const hasher = blockHash(options.engine ?? defaultEngine, options.version, options.salt)
  const report = reporter(options.findingsMax ?? FINDINGS_MAX)
  const dataBytes = dataBlockCount * dataBlockSize
  let rootMatches = false
  let doneBytes = 0
  try {
    for (const stage of stages(tree, { data, hash, dataBytes, dataBlockSize, hashBlockSize })) {
      for await (const piece of unitPieces(stage.device, stage.range, stage.unitSize, true)) {
        signal?.throwIfAborted()
        reportUnreadable(report, stage, piece)
        if (stage.isRoot)
          rootMatches =
            piece.bad.length === 0 && isSameHash(hasher.hashUnits(piece.bytes, stage.unitSize), 0, rootHash, 0)
        else await compareUnits(report, stage, piece, hasher)
        doneBytes += piece.bytes.length
        onProgress?.(doneBytes, dataBytes + tree.size)
      }
      if (!stage.isRoot) await checkSpare(report, stage)
    }
  } finally {
    hasher.destroy()
  }
  return { rootMatches, findings: report.findings, findingCount: report.count(), dataBytes, hashAreaBytes: tree.size }
}

/** Blocks to hash, and where the hashes stand that they should have. */
interface Stage {
  readonly area: "data" | "hash"
  readonly device: BlockDevice
  readonly range: ByteRange
  readonly unitSize: number
  readonly hash: BlockDevice
  /** Bytes on the hash device: the level that holds the hashes. */
  readonly hashes: ByteRange
  /** The hash of the only unit is the root hash. */
  readonly isRoot: boolean
}

interface StageOptions {
  readonly data: BlockDevice
  readonly hash: BlockDevice
  readonly dataBytes: number
  readonly dataBlockSize: number
  readonly hashBlockSize: number
}

/** Data against level 0, level 0 against level 1 ... and the top against the root hash. */
function stages(tree: HashTree, { data, hash, dataBytes, dataBlockSize, hashBlockSize }: StageOptions): Stage[] {
  const ranges = tree.levels.map(({ offset, blockCount }) => ({ offset, length: blockCount * hashBlockSize }))
  const ofData = {
    area: "data" as const,
    device: data,
    range: { offset: 0, length: dataBytes },
    unitSize: dataBlockSize,
  }
  const ofLevels = ranges.map((range) => ({ area: "hash" as const, device: hash, range, unitSize: hashBlockSize }))
  return [ofData, ...ofLevels].map((source, index) => {
    const hashes = ranges[index]
    return { ...source, hash, hashes: hashes ?? { offset: 0, length: 0 }, isRoot: hashes === undefined }
  })
}

async function compareUnits(report: Reporter, stage: Stage, piece: UnitPiece, hasher: BlockHash): Promise<void> {
  const { unitSize, area, range, hashes } = stage
  const length = (piece.bytes.length / unitSize) * HASH_SIZE
  const offset = hashes.offset + ((piece.offset - range.offset) / unitSize) * HASH_SIZE
  // The hashes of a piece are less than a MiB: they come as one piece.
  for await (const stored of unitPieces(stage.hash, { offset, length }, HASH_SIZE, true)) {
    const isRead = piece.bad.length === 0 && stored.bad.length === 0
    if (isRead && hasher.matches(piece.bytes, unitSize, stored.bytes)) continue
    const found = hasher.hashUnits(piece.bytes, unitSize)
    for (let index = 0; index < found.length / HASH_SIZE; index++) {
      // Hashes that could not be read are reported when their level is read as blocks.
      const position = piece.offset + index * unitSize
      const isKnown = !overlaps(piece, position, unitSize) && !overlaps(stored, offset + index * HASH_SIZE, HASH_SIZE)
      if (isKnown && !isSameHash(found, index, stored.bytes, index))
        report.add({ kind: "mismatch", area, position, length: unitSize })
    }
  }
}

/** The end of the last block of a level must be zero. */
async function checkSpare(report: Reporter, { hash, hashes, range, unitSize }: Stage): Promise<void> {
  const used = (range.length / unitSize) * HASH_SIZE
  const spare = { offset: hashes.offset + used, length: hashes.length - used }
  for await (const piece of unitPieces(hash, spare, HASH_SIZE, true)) {
    if (piece.bytes.some((byte) => byte !== 0))
      report.add({ kind: "spare", area: "hash", position: spare.offset, length: spare.length })
  }
}

function overlaps({ bad }: UnitPiece, offset: number, length: number): boolean {
  return bad.some((run) => run.offset < offset + length && offset < run.offset + run.length)
}

function reportUnreadable(report: Reporter, { area }: Stage, piece: UnitPiece): void {
  for (const { offset, length, error } of piece.bad)
    report.add({ kind: "unreadable", area, position: offset, length, error })
}
