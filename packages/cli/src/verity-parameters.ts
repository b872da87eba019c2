import { VERITY_DEFAULTS, type VerityParameters } from "blockstrata"
import { type Command, InvalidArgumentError, Option } from "commander"
import { VerbFailure } from "./exit-status.ts"
import { parseCount, parseSize } from "./size-argument.ts"
import { parseHex } from "./volume-arguments.ts"

/** veritysetup's options, by its names. */
export interface VerityParameterOptions {
  readonly superblock: boolean
  readonly format?: number
  readonly dataBlockSize?: number
  readonly hashBlockSize?: number
  readonly dataBlocks?: number
  readonly hash?: string
  readonly salt?: Uint8Array
  readonly hashOffset?: number
}

/** Declares what a superblock would say. */
export function addVerityParameters(command: Command): Command {
  return command
    .option("--no-superblock", "dm-verity: there is no superblock; the options below say what it would")
    .addOption(new Option("--format <NUMBER>", "hash type: 1 normal, 0 original Chrome OS").argParser(parseVersion))
    .option("--data-block-size <BYTES>", "block size on the data device", parseSize)
    .option("--hash-block-size <BYTES>", "block size on the hash device", parseSize)
    .option("--data-blocks <BLOCKS>", "number of blocks in the data file", parseCount)
    .option("-h, --hash <ALG>", "hash algorithm: sha256")
    .option("-s, --salt <HEX>", "salt in hexadecimal, - for none", parseSalt)
}

/** The parameters of a volume without superblock; of `dataBytes`, if they are given, where no count of blocks is. */
export function verityParameters(
  options: VerityParameterOptions,
  dataBytes?: number,
): Omit<VerityParameters, "hashStart"> {
  const { salt, dataBlockSize = VERITY_DEFAULTS.dataBlockSize } = options
  const dataBlockCount = options.dataBlocks ?? (dataBytes && Math.floor(dataBytes / dataBlockSize))
  if (salt === undefined) throw new VerbFailure("--no-superblock wants --salt", 1)
  if (dataBlockCount === undefined) throw new VerbFailure("--no-superblock wants --data-blocks", 1)
  return {
    version: options.format === 0 ? 0 : 1,
    algorithm: checkedAlgorithm(options),
    dataBlockSize,
    hashBlockSize: options.hashBlockSize ?? VERITY_DEFAULTS.hashBlockSize,
    dataBlockCount,
    salt,
  }
}

/** The one algorithm that is built. */
export function checkedAlgorithm({ hash = VERITY_DEFAULTS.algorithm }: VerityParameterOptions): "sha256" {
  if (hash !== "sha256") throw new VerbFailure(`--hash: ${hash} is not supported, only sha256`, 1)
  return hash
}

function parseVersion(text: string): number {
  if (text !== "0" && text !== "1") throw new InvalidArgumentError("expected 0 or 1")
  return Number(text)
}

function parseSalt(text: string): Uint8Array {
  return text === "-" ? new Uint8Array(0) : parseHex(text)
}
