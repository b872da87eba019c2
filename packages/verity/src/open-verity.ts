import { type BlockDevice, BlockError, bytes } from "@blockstrata/device"
import { checkAlgorithm } from "./block-hash.ts"
import { hashTree, parameterFault, treeMisfit, treeStart, type VerityParameters } from "./hash-tree.ts"
import { decodeVeritySuperblock, SUPERBLOCK_SIZE, type VeritySuperblock } from "./superblock.ts"
import { type VerityTargetOptions, verityTarget } from "./verity-target.ts"

export interface OpenVerityOptions
  extends Pick<VerityTargetOptions, "data" | "hash" | "rootHash" | "cacheBytes" | "engine" | "onEvent"> {
  /** Bytes from the start of the hash device to the superblock; a multiple of 512, 0 if not given. */
  readonly hashOffset?: number | undefined
}

/**
 * Opens a volume that has a superblock: all of its data blocks, verified. Owns `data` and `hash` once it has opened.
 *
 * The root hash is compared when something is first read, as in Linux: a wrong one makes every read `INTEGRITY`.
 *
 * @throws BlockError `CORRUPT` for a damaged superblock or one that promises more than the devices have;
 * `UNSUPPORTED`, naming it, for a hash algorithm other than `sha256`. The devices stay open.
 */
export async function openVerity({ hashOffset = 0, ...options }: OpenVerityOptions): Promise<BlockDevice> {
  const parameters = superblockParameters(await readVeritySuperblock(options.hash, hashOffset), hashOffset)
  checkPlaces(options.data, options.hash, parameters)
  const size = parameters.dataBlockCount * parameters.dataBlockSize
  if (size % options.data.blockSize !== 0) {
    throw new BlockError(
      "UNSUPPORTED",
      `verity: ${size} bytes over blocks of ${options.data.blockSize} are not implemented`,
    )
  }
  return verityTarget({ ...options, ...parameters, size })
}

/**
 * Reads and decodes the superblock at `hashOffset` (bytes, a multiple of 512).
 *
 * @throws BlockError `CORRUPT` if there is none; see `decodeVeritySuperblock`.
 */
export async function readVeritySuperblock(hash: BlockDevice, hashOffset: number): Promise<VeritySuperblock> {
  checkHashOffset(hashOffset)
  if (hashOffset + SUPERBLOCK_SIZE > hash.size) {
    throw new BlockError(
      "CORRUPT",
      `verity superblock: expected 512 bytes at offset ${hashOffset}, got the end of the device`,
    )
  }
  return decodeVeritySuperblock(await bytes(hash).read(hashOffset, SUPERBLOCK_SIZE))
}

/** What a superblock at `hashOffset` says of its tree. @throws BlockError `UNSUPPORTED` if it is not SHA-256. */
export function superblockParameters(superblock: VeritySuperblock, hashOffset: number): VerityParameters {
  const { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, salt } = superblock
  checkAlgorithm(algorithm)
  const hashStart = treeStart(hashOffset, hashBlockSize, true)
  return { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, hashStart, salt }
}

/** @throws RangeError as veritysetup refuses it. */
export function checkHashOffset(hashOffset: number): void {
  if (!Number.isSafeInteger(hashOffset) || hashOffset < 0 || hashOffset % 512 !== 0) {
    throw new RangeError(`verity: hash offset: expected a multiple of 512, got ${hashOffset}`)
  }
}

/** @throws BlockError `CORRUPT` where a volume is larger than its devices; RangeError for impossible parameters. */
export function checkPlaces(data: BlockDevice, hash: BlockDevice, parameters: VerityParameters): void {
  const fault = parameterFault(parameters)
  if (fault !== undefined) throw new RangeError(`verity: ${fault}`)
  const dataSize = parameters.dataBlockCount * parameters.dataBlockSize
  const misfit =
    dataSize > data.size
      ? `data: expected ${dataSize} bytes on the data device, got ${data.size}`
      : treeMisfit(hashTree(parameters), parameters.hashStart, hash.size)
  if (misfit !== undefined) throw new BlockError("CORRUPT", `verity: ${misfit}`)
}
