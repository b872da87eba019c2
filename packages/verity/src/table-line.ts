/**
 * dm-verity's table line, without start, length and word:
 *
 * `version data hash data_block_size hash_block_size data_block_count hash_start_block algorithm root_hash salt|-
 * [count option...]`
 *
 * Tried against Linux 6.1: numbers are plain decimals, hexadecimal may be in upper case, options too, and what follows
 * the counted options is ignored. Data blocks larger than a page are taken here up to 524288 bytes: the page is the
 * machine's.
 * Source: Linux, admin-guide/device-mapper/verity.
 */
import { type BlockDevice, decodeHex, encodeHex, type TableContext, type TableWord } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import {
  BLOCK_SIZE_MAX,
  BLOCK_SIZE_MIN,
  HASH_SIZE,
  hashTree,
  SALT_SIZE_MAX,
  type VerityParameters,
} from "./hash-tree.ts"
import { algorithmFault, invalid, optionFault, unsupported } from "./table-words.ts"
import { verityTarget } from "./verity-target.ts"

/** What a line says. */
export interface VerityLine extends Omit<VerityParameters, "hashStart"> {
  readonly data: string
  readonly hash: string
  /** In hash blocks. */
  readonly hashStartBlock: number
  readonly rootHash: Uint8Array
}

/** A `TableContext` that may choose the engine. */
export interface VerityContext extends TableContext {
  readonly engine?: Engine | undefined
}

const ARGUMENT_COUNT = 10

/** The word `verity`. */
export const verityWord: TableWord<VerityLine, VerityContext> = { word: "verity", parse, print, operands, open }

function parse(args: readonly string[], size: number): VerityLine {
  if (args.length < ARGUMENT_COUNT) throw invalid(`expected at least ${ARGUMENT_COUNT} arguments, got ${args.length}`)
  const [version, data, hash, dataSize, hashSize, dataCount, hashStart, algorithm, root, salt] = args as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const wide: string[] = []
  const versionNumber = parseNumber(version, 32, "version", wide)
  if (versionNumber > 1n) throw invalid(`version: expected 0 or 1, got ${version}`)
  const dataBlockSize = parseBlockSize(dataSize, "data block size", BigInt(BLOCK_SIZE_MAX), wide)
  const hashBlockSize = parseBlockSize(hashSize, "hash block size", 2n ** 30n, wide)
  const dataBlockCount = parseNumber(dataCount, 64, "data block count", wide)
  const dataBytes = dataBlockCount * BigInt(dataBlockSize)
  if (dataBlockCount < 1n || dataBytes >= 2n ** 73n) throw invalid(`data block count: got ${dataCount}`)
  if (BigInt(size) > dataBytes) throw invalid(`length: expected at most ${dataBytes} bytes, got ${size}`)
  if (size % dataBlockSize !== 0) throw invalid(`length: expected a multiple of ${dataBlockSize} bytes, got ${size}`)
  const hashStartBlock = parseNumber(hashStart, 64, "hash start", wide)
  const hashStartBytes = hashStartBlock * BigInt(hashBlockSize)
  // No device in Linux is longer.
  if (hashStartBytes >= 2n ** 63n) throw invalid(`hash start: got ${hashStart}`)
  const fault = algorithmFault(algorithm)
  const rootHash = parseHex(root, "root hash")
  if (fault === undefined && rootHash.length !== HASH_SIZE)
    throw invalid(`root hash: expected 64 digits, got ${root.length}`)
  const saltBytes = salt === "-" ? new Uint8Array() : parseHex(salt, "salt")
  const failing = optionFault(args.slice(ARGUMENT_COUNT))
  if (fault !== undefined) throw fault
  if (wide[0] !== undefined) throw unsupported(`${wide[0]}: a number of which Linux drops the upper part`)
  if (saltBytes.length > SALT_SIZE_MAX) throw unsupported(`a salt of ${saltBytes.length} bytes`)
  if (hashBlockSize > BLOCK_SIZE_MAX) throw unsupported(`hash block size ${hashBlockSize}`)
  if (dataBytes + hashStartBytes >= 2n ** 53n) throw unsupported("a device of 2^53 bytes and more")
  if (failing !== undefined) throw failing
  return {
    version: versionNumber === 0n ? 0 : 1,
    data,
    hash,
    dataBlockSize,
    hashBlockSize,
    dataBlockCount: Number(dataBlockCount),
    hashStartBlock: Number(hashStartBlock),
    algorithm: "sha256",
    rootHash,
    salt: saltBytes,
  }
}

function print(line: VerityLine): string[] {
  const {
    version,
    data,
    hash,
    dataBlockSize,
    hashBlockSize,
    dataBlockCount,
    hashStartBlock,
    algorithm,
    rootHash,
    salt,
  } = line
  const numbers = [dataBlockSize, hashBlockSize, dataBlockCount, hashStartBlock].map(String)
  return [
    String(version),
    data,
    hash,
    ...numbers,
    algorithm,
    encodeHex(rootHash),
    salt.length === 0 ? "-" : encodeHex(salt),
  ]
}

function operands(line: VerityLine): readonly string[] {
  return [line.data, line.hash]
}

async function open(line: VerityLine, context: VerityContext): Promise<BlockDevice> {
  const { size, engine, onEvent } = context
  const parameters = { ...line, hashStart: line.hashStartBlock * line.hashBlockSize }
  const tree = hashTree(parameters)
  const data = context.device(line.data)
  const hash = context.device(line.hash)
  if (line.dataBlockSize < data.blockSize)
    throw invalid(`data block size: expected at least the device's ${data.blockSize}`)
  if (line.hashBlockSize < hash.blockSize)
    throw invalid(`hash block size: expected at least the device's ${hash.blockSize}`)
  // As in Linux, the data device must hold the line, not all blocks of the tree.
  if (size > data.size) throw invalid(`data: expected at least ${size} bytes on the device, got ${data.size}`)
  // For Linux, a tree without levels must fit as well.
  const hashEnd = parameters.hashStart + tree.size
  if (hashEnd > hash.size) throw invalid(`hash: expected at least ${hashEnd} bytes on the device, got ${hash.size}`)
  return verityTarget({ ...parameters, data, hash, size, engine, onEvent })
}

/**
 * A number as the kernel reads it: modulo 2^`bits`.
 *
 * @param wide gets `what` where that is not what the line says.
 */
function parseNumber(text: string, bits: 32 | 64, what: string, wide: string[]): bigint {
  if (!/^[0-9]+$/.test(text)) throw invalid(`${what}: expected a decimal number, got "${text}"`)
  // The last 64 digits decide, for 2^64 divides 10^64.
  const value = BigInt.asUintN(bits, BigInt(text.slice(-64)))
  if (text.replace(/^0+(?=[0-9])/, "") !== String(value)) wide.push(what)
  return value
}

function parseBlockSize(text: string, what: string, max: bigint, wide: string[]): number {
  const size = parseNumber(text, 32, what, wide)
  if (size < BigInt(BLOCK_SIZE_MIN) || size > max || !Number.isInteger(Math.log2(Number(size)))) {
    throw invalid(`${what}: expected a power of two from ${BLOCK_SIZE_MIN} to ${max}, got ${text}`)
  }
  return Number(size)
}

function parseHex(text: string, what: string): Uint8Array {
  const bytes = decodeHex(text)
  if (bytes === undefined || bytes.length === 0) throw invalid(`${what}: expected pairs of hexadecimal digits`)
  return bytes
}
