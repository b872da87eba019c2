/**
 * verity superblock, version 1. Little-endian, 512 bytes, at the hash offset.
 *
 * | offset | bytes | field                                                   |
 * |     0  |     8 | signature `verity\0\0`                                  |
 * |     8  |     4 | version, 1                                              |
 * |    12  |     4 | hash type: 0 (Chrome OS, salt last), 1 (salt first)     |
 * |    16  |    16 | UUID, in the byte order of its text                     |
 * |    32  |    32 | hash algorithm, NUL-terminated                          |
 * |    64  |     4 | data block size, bytes                                  |
 * |    68  |     4 | hash block size, bytes                                  |
 * |    72  |     8 | data block count                                        |
 * |    80  |     2 | salt size, bytes                                        |
 * |    82  |     6 | unused                                                  |
 * |    88  |   256 | salt                                                    |
 * |   344  |   168 | unused                                                  |
 *
 * Invariant: both block sizes are powers of two, 512 ... 524288; the salt has at most 256 bytes. Unused bytes are
 * written as zeroes and not looked at. Nothing in it is authenticated: the root hash binds the hash type, the
 * algorithm, the salt and, as far as data can be read at all, the block sizes and the count.
 * Source: cryptsetup, "DMVerity" wiki page and veritysetup(8).
 */
import { BlockError, toSafeInteger } from "@blockstrata/device"
import { BLOCK_SIZE_MAX, BLOCK_SIZE_MIN, isBlockSize, SALT_SIZE_MAX } from "./hash-tree.ts"
import { encodeUuid, formatUuid } from "./uuid.ts"

export interface VeritySuperblock {
  /** Hash type on disk: 0 hashes `block, salt`, 1 hashes `salt, block`. */
  readonly version: 0 | 1
  /** Lower-case text of a UUID. */
  readonly uuid: string
  /** As spelled on disk, in lower case. Any name decodes; only `sha256` opens. */
  readonly algorithm: string
  readonly dataBlockSize: number
  readonly hashBlockSize: number
  readonly dataBlockCount: number
  readonly salt: Uint8Array
}

/** Bytes of the superblock. */
export const SUPERBLOCK_SIZE = 512
const SIGNATURE = "verity\0\0"
const ALGORITHM_SIZE = 32
const SALT_OFFSET = 88

/**
 * Bytes to superblock.
 *
 * @param bytes at least 512; the result holds copies.
 * @throws BlockError `CORRUPT` where it is no verity superblock or breaks the invariant; `UNSUPPORTED` for another
 * version or hash type, and for a data block count of 0 (for veritysetup: as many as the data device has).
 */
export function decodeVeritySuperblock(bytes: Uint8Array): VeritySuperblock {
  if (bytes.length < SUPERBLOCK_SIZE) throw new RangeError(`verity superblock: expected 512 bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, SUPERBLOCK_SIZE)
  if (latin1(bytes.subarray(0, 8)) !== SIGNATURE) throw corrupt("no signature")
  const superblockVersion = view.getUint32(8, true)
  if (superblockVersion !== 1) throw unsupported(`version ${superblockVersion}`)
  const version = view.getUint32(12, true)
  if (version !== 0 && version !== 1) throw unsupported(`hash type ${version}`)
  const dataBlockSize = decodeBlockSize(view.getUint32(64, true), "data block size")
  const hashBlockSize = decodeBlockSize(view.getUint32(68, true), "hash block size")
  const dataBlockCount = decodeBlockCount(view.getBigUint64(72, true), dataBlockSize)
  const saltSize = view.getUint16(80, true)
  if (saltSize > SALT_SIZE_MAX) throw corrupt(`salt size: expected at most ${SALT_SIZE_MAX}, got ${saltSize}`)
  return {
    version,
    uuid: formatUuid(bytes.subarray(16, 32)),
    algorithm: decodeAlgorithm(bytes.subarray(32, 32 + ALGORITHM_SIZE)),
    dataBlockSize,
    hashBlockSize,
    dataBlockCount,
    salt: bytes.slice(SALT_OFFSET, SALT_OFFSET + saltSize),
  }
}

/**
 * Superblock to 512 fresh bytes.
 *
 * @throws RangeError where a field breaks the invariant.
 */
export function encodeVeritySuperblock(superblock: VeritySuperblock): Uint8Array {
  const { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, salt } = superblock
  if (version !== 0 && version !== 1)
    throw new RangeError(`verity superblock: hash type: expected 0 or 1, got ${version}`)
  if (!/^[a-z0-9][a-z0-9_-]{0,30}$/.test(algorithm)) throw new RangeError(`verity superblock: algorithm "${algorithm}"`)
  for (const size of [dataBlockSize, hashBlockSize]) {
    if (!isBlockSize(size)) throw new RangeError(`verity superblock: block size ${size}`)
  }
  if (
    !Number.isSafeInteger(dataBlockCount * dataBlockSize) ||
    !Number.isInteger(dataBlockCount) ||
    dataBlockCount < 1
  ) {
    throw new RangeError(`verity superblock: data block count ${dataBlockCount}`)
  }
  if (salt.length > SALT_SIZE_MAX) throw new RangeError(`verity superblock: salt of ${salt.length} bytes`)
  const bytes = new Uint8Array(SUPERBLOCK_SIZE)
  const view = new DataView(bytes.buffer)
  bytes.set(fromLatin1(SIGNATURE), 0)
  view.setUint32(8, 1, true)
  view.setUint32(12, version, true)
  bytes.set(encodeUuid(superblock.uuid), 16)
  bytes.set(fromLatin1(algorithm), 32)
  view.setUint32(64, dataBlockSize, true)
  view.setUint32(68, hashBlockSize, true)
  view.setBigUint64(72, BigInt(dataBlockCount), true)
  view.setUint16(80, salt.length, true)
  bytes.set(salt, SALT_OFFSET)
  return bytes
}

function decodeBlockSize(size: number, what: string): number {
  if (isBlockSize(size)) return size
  throw corrupt(`${what}: expected a power of two from ${BLOCK_SIZE_MIN} to ${BLOCK_SIZE_MAX}, got ${size}`)
}

function decodeBlockCount(count: bigint, dataBlockSize: number): number {
  if (count === 0n) throw unsupported("a data block count of 0")
  toSafeInteger(count * BigInt(dataBlockSize), "verity superblock: bytes of data")
  return Number(count)
}

function decodeAlgorithm(field: Uint8Array): string {
  const text = latin1(field)
  const end = text.indexOf("\0")
  const name = text.slice(0, Math.max(end, 0))
  if (!/^[!-~]+$/.test(name)) throw corrupt("the algorithm is not a name")
  // veritysetup takes `SHA256` as well.
  return name.toLowerCase()
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function corrupt(what: string): BlockError {
  return new BlockError("CORRUPT", `verity superblock: ${what}`)
}

function unsupported(what: string): BlockError {
  return new BlockError("UNSUPPORTED", `verity superblock: ${what} is not implemented`)
}
