import {
  type BlockDevice,
  BlockError,
  type ClosedVolumeOptions,
  type InternalHash,
  type JournalAlgorithm,
  linuxAlgorithmName,
  openFile,
  readIntegritySuperblock,
} from "blockstrata"
import type { Command } from "commander"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { addIntegrityKeys, type IntegrityKeyArguments } from "./integrity-key-arguments.ts"
import { readIntegrityKey } from "./key-file.ts"
import { parseSize } from "./size-argument.ts"

/** The options of verbs about a volume that exists. */
export interface ClosedVolumeArguments extends IntegrityKeyArguments {
  readonly start?: number
  readonly allowDiscards?: boolean
}

const CRC32C_SIZE = 4

/** Declares IMAGE and what it takes to read its journal and to verify its blocks. */
export function addClosedVolume(command: Command): Command {
  return addVolumeKeys(command)
    .option("--start <BYTES>", "where on IMAGE the volume starts", parseSize)
    .option("--allow-discards", "a discarded block is a good one")
}

/** Declares IMAGE, its hash and its keys. */
export function addVolumeKeys(command: Command): Command {
  return addIntegrityKeys(command.argument("<IMAGE>", "the volume, or with --data-device its metadata"))
}

/** Opens what the command line names, hands it on, and closes it and wipes its keys whatever comes of it. */
export async function withClosedVolume<T>(
  host: Host,
  image: string,
  options: ClosedVolumeArguments,
  readOnly: boolean,
  use: (volume: ClosedVolumeOptions) => Promise<T>,
): Promise<T> {
  const opened: BlockDevice[] = []
  const keys: Uint8Array[] = []
  const keyOf = async (path: string | undefined) => {
    const key = path === undefined ? new Uint8Array(0) : await readIntegrityKey(host, path)
    keys.push(key)
    return key
  }
  const algorithmOf = async (option: string, name: string | undefined, keyFile: string | undefined) => {
    if (name === undefined && keyFile !== undefined)
      throw new VerbFailure(`--${option}-key-file goes with --${option}`, 1)
    const isKeyed = name?.startsWith("hmac-") || (option === "journal-crypt" && name !== undefined)
    if (name !== undefined && isKeyed !== (keyFile !== undefined)) {
      throw new VerbFailure(`--${option} ${name} ${isKeyed ? "wants" : "takes no"} --${option}-key-file`, 1)
    }
    return name === undefined ? undefined : { name: linuxAlgorithmName(name), key: await keyOf(keyFile) }
  }
  try {
    const metadata = await openFile(image, { readOnly })
    opened.push(metadata)
    const { start = 0, dataDevice } = options
    const data = dataDevice === undefined ? undefined : await openFile(dataDevice, { readOnly })
    if (data !== undefined) opened.push(data)
    const name = options.integrity ?? (await defaultHash(metadata, start, options.integrityKeyFile))
    const hash = name === "none" ? undefined : await algorithmOf("integrity", name, options.integrityKeyFile)
    const { journalIntegrityKeyFile, journalCryptKeyFile } = options
    return await use({
      ...(data === undefined ? { lower: metadata } : { lower: data, metadata }),
      start,
      internalHash: internalHashOf(hash),
      journalMac: await algorithmOf("journal-integrity", options.journalIntegrity, journalIntegrityKeyFile),
      journalCrypt: await algorithmOf("journal-crypt", options.journalCrypt, journalCryptKeyFile),
      allowDiscards: options.allowDiscards,
    })
  } finally {
    for (const device of opened) await device.close()
    for (const key of keys) key.fill(0)
  }
}

/** As integritysetup crc32c, but only where the tags have its size: else nothing would match. */
async function defaultHash(metadata: BlockDevice, start: number, keyFile: string | undefined): Promise<string> {
  const tagSize = await readIntegritySuperblock(metadata, start).then(
    (superblock) => superblock.tagSize,
    (error: unknown) => {
      if (error instanceof BlockError) return CRC32C_SIZE
      throw error
    },
  )
  if (tagSize === CRC32C_SIZE && keyFile === undefined) return "crc32c"
  throw new VerbFailure(`a volume with tags of ${tagSize} bytes: expected --integrity`, 1)
}

/** A name that the library does not have it refuses by itself. */
function internalHashOf(hash: JournalAlgorithm | undefined): InternalHash | undefined {
  if (hash === undefined) return undefined
  return (hash.key.length > 0 ? hash : { name: hash.name }) as InternalHash
}
