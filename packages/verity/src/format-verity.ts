import {
  type BlockDevice,
  BlockError,
  bytes,
  hostRuntime,
  type LongVerbOptions,
  type Runtime,
} from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import { blockHash, checkAlgorithm } from "./block-hash.ts"
import { hashTree, parameterFault, treeMisfit, treeStart, type VerityParameters } from "./hash-tree.ts"
import { checkHashOffset } from "./open-verity.ts"
import { encodeVeritySuperblock, SUPERBLOCK_SIZE, type VeritySuperblock } from "./superblock.ts"
import { treeWriter } from "./tree-writer.ts"
import { unitPieces } from "./unit-pieces.ts"
import { encodeUuid, randomUuid } from "./uuid.ts"

export interface FormatVerityOptions extends LongVerbOptions {
  /** Read, never written. May be the same object as `hash`, if the areas do not overlap. */
  readonly data: BlockDevice
  readonly hash: BlockDevice
  /** Bytes from the start of the hash device to the superblock, or to the tree; 0 if not given. */
  readonly hashOffset?: number | undefined
  readonly dataBlockSize: number
  readonly hashBlockSize: number
  /** As many as the data device has, if not given. */
  readonly dataBlockCount?: number | undefined
  /** 1 if not given; 0 is Chrome OS's. */
  readonly version?: 0 | 1 | undefined
  readonly algorithm: "sha256"
  /** 0 to 256 bytes; it need not be secret. `VERITY_SALT_SIZE` random bytes are usual. */
  readonly salt: Uint8Array
  /** Random if not given. */
  readonly uuid?: string | undefined
  /** False leaves the superblock out: then everything in it must be kept elsewhere. */
  readonly superblock?: boolean | undefined
  readonly engine?: Engine | undefined
  readonly runtime?: Runtime | undefined
}

export interface FormatVerityResult {
  /** 32 bytes: to be kept where the data's author cannot change it. */
  readonly rootHash: Uint8Array
  /** What was written, if a superblock was. */
  readonly superblock: VeritySuperblock | undefined
  readonly parameters: VerityParameters
  /** Bytes of the tree, without superblock. */
  readonly hashAreaBytes: number
  /** Bytes from the start of the hash device to the end of the tree: what veritysetup calls the hash device size. */
  readonly hashEndBytes: number
}

/** What veritysetup takes by default, for whoever has no reason to differ. */
export const VERITY_DEFAULTS: {
  readonly version: 1
  readonly algorithm: "sha256"
  readonly dataBlockSize: number
  readonly hashBlockSize: number
} = { version: 1, algorithm: "sha256", dataBlockSize: 4096, hashBlockSize: 4096 }
/** Bytes of salt that veritysetup takes by default. */
export const VERITY_SALT_SIZE = 32

/**
 * Makes the hash tree of a data device and writes it, byte for byte as `veritysetup format` does.
 *
 * The tree is durable before the superblock is written, and the superblock before this resolves. The same data,
 * salt and UUID give the same bytes. After a failure the hash area holds anything. Neither device is closed.
 *
 * @throws RangeError for parameters that veritysetup refuses; BlockError `NO_SPACE` if the tree does not fit,
 * `UNSUPPORTED` for another algorithm, and what the devices throw.
 */
export async function formatVerity(options: FormatVerityOptions): Promise<FormatVerityResult> {
  const { data, hash, hashOffset = 0, superblock: hasSuperblock = true, signal, onProgress } = options
  const parameters = formatParameters(options)
  const { dataBlockSize, hashBlockSize, dataBlockCount } = parameters
  const tree = hashTree(parameters)
  const hashArea = bytes(hash)
  const hasher = blockHash(options.engine ?? defaultEngine, parameters.version, parameters.salt)
  const writer = treeWriter(hashArea, tree, hashBlockSize, hasher)
  const dataBytes = dataBlockCount * dataBlockSize
  let rootHash: Uint8Array
  try {
    for await (const piece of unitPieces(data, { offset: 0, length: dataBytes }, dataBlockSize)) {
      signal?.throwIfAborted()
      await writer.append(hasher.hashUnits(piece.bytes, dataBlockSize))
      onProgress?.(piece.offset + piece.bytes.length, dataBytes)
    }
    rootHash = await writer.finish()
  } finally {
    hasher.destroy()
  }
  const superblock = hasSuperblock ? formatSuperblock(options, parameters) : undefined
  await hash.flush()
  if (superblock !== undefined) {
    await hashArea.write(hashOffset, encodeVeritySuperblock(superblock))
    await hash.flush()
  }
  return { rootHash, superblock, parameters, hashAreaBytes: tree.size, hashEndBytes: parameters.hashStart + tree.size }
}

function formatSuperblock(
  { uuid, runtime = hostRuntime }: FormatVerityOptions,
  parameters: VerityParameters,
): VeritySuperblock {
  const { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, salt } = parameters
  return { version, uuid: uuid ?? randomUuid(runtime), algorithm, dataBlockSize, hashBlockSize, dataBlockCount, salt }
}

/**
 * Bytes that `formatVerity` needs on the hash device, superblock and all: how long to make a new file. Reads and writes
 * nothing.
 *
 * @throws what `formatVerity` throws for these parameters, whatever the hash device.
 */
export function hashDeviceBytes(options: Omit<FormatVerityOptions, "hash">): number {
  const parameters = treeParameters(options)
  const superblockEnd = options.superblock === false ? 0 : (options.hashOffset ?? 0) + SUPERBLOCK_SIZE
  const end = Math.max(parameters.hashStart + hashTree(parameters).size, superblockEnd)
  if (!Number.isSafeInteger(end)) throw new RangeError("verity: hash area: expected to end by 2^53 - 1 bytes")
  return end
}

/** The parameters of the tree, as far as they can be refused without the hash device. */
function treeParameters(options: Omit<FormatVerityOptions, "hash">): VerityParameters {
  const { data, hashOffset = 0, version = 1, algorithm, dataBlockSize, hashBlockSize, superblock = true } = options
  checkAlgorithm(algorithm)
  checkHashOffset(hashOffset)
  const dataBlockCount = options.dataBlockCount ?? Math.floor(data.size / dataBlockSize)
  const hashStart = treeStart(hashOffset, hashBlockSize, superblock)
  const salt = new Uint8Array(options.salt)
  const parameters = { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, hashStart, salt }
  const fault = parameterFault(parameters)
  if (fault !== undefined) throw new RangeError(`verity: ${fault}`)
  const dataBytes = dataBlockCount * dataBlockSize
  if (dataBytes > data.size) throw new RangeError(`verity: data: expected at most ${data.size} bytes, got ${dataBytes}`)
  // veritysetup rounds down here, and so writes in front of the offset that it was given.
  if (hashStart < hashOffset)
    throw new RangeError(`verity: hash offset: expected a multiple of ${hashBlockSize}, got ${hashOffset}`)
  if (options.uuid !== undefined) encodeUuid(options.uuid)
  return parameters
}

/** The parameters of the tree to be written. Everything is refused before the first byte is. */
function formatParameters(options: FormatVerityOptions): VerityParameters {
  const { data, hash, hashOffset = 0, superblock = true } = options
  const parameters = treeParameters(options)
  const { dataBlockCount, dataBlockSize, hashStart } = parameters
  const dataBytes = dataBlockCount * dataBlockSize
  if (sharedDevice(data) === sharedDevice(hash) && hashOffset < dataBytes)
    throw new RangeError("verity: the hash area overlaps the data")
  const misfit =
    treeMisfit(hashTree(parameters), hashStart, hash.size) ??
    (superblock && hashOffset + SUPERBLOCK_SIZE > hash.size ? "no room for the superblock" : undefined)
  if (misfit !== undefined) throw new BlockError("NO_SPACE", `verity: ${misfit}`)
  if (!hash.features.write) throw new BlockError("READ_ONLY", "verity: the hash device is read-only")
  return parameters
}

/** The device behind handles. */
function sharedDevice(device: BlockDevice): BlockDevice {
  const lower = device.layer.name === "share" ? device.layer.lowers[0] : undefined
  return lower === undefined ? device : sharedDevice(lower.device)
}
