import { readFile } from "node:fs/promises"
import { BlockError, decodeHex, openVolume, type VerityChoice, type Volume } from "blockstrata"
import { type Command, InvalidArgumentError, Option } from "commander"
import { VerbFailure } from "./exit-status.ts"
import { parseSize } from "./size-argument.ts"
import { addVerityParameters, type VerityParameterOptions, verityParameters } from "./verity-parameters.ts"

/** The options that every verb with a VOLUME shares. */
export interface VolumeOptions extends VerityParameterOptions {
  readonly table?: string
  readonly key?: readonly string[]
  readonly readOnly?: boolean
  readonly integrity?: string
  readonly integrityKeyFile?: string
  readonly integrityNoJournal?: boolean
  readonly integrityBitmapMode?: boolean
  readonly integrityRecoveryMode?: boolean
  readonly allowDiscards?: boolean
  readonly hashDevice?: string
  readonly rootHash?: Uint8Array
  readonly rootHashFile?: string
}

/** Declares VOLUME: an IMAGE, or `--table`. */
export function addVolume(command: Command): Command {
  command
    .argument("[IMAGE]", "an image that is known by its superblock")
    .option(
      "--table <TABLE>",
      "device-mapper lines, or @FILE with them: one device, or several in dmsetup's concise form",
    )
    .option("--key <DESC=FILE>", "the key that a line names as :SIZE:TYPE:DESC; may be given several times", collect)
    .option("--read-only", "write to no file")
    .option("-I, --integrity <ALG>", "dm-integrity: crc32c, sha256, hmac-sha256, or none for a store of tags")
    .option("--integrity-key-file <FILE>", "the key of an HMAC, raw")
    .addOption(
      new Option("-D, --integrity-no-journal", "open in mode D").conflicts([
        "integrityBitmapMode",
        "integrityRecoveryMode",
      ]),
    )
    .addOption(new Option("-B, --integrity-bitmap-mode", "open in mode B").conflicts("integrityRecoveryMode"))
    .option("-R, --integrity-recovery-mode", "open in mode R: no journal, no checks")
    .option("--allow-discards", "dm-integrity: pass discards on")
    .option("--hash-device <FILE>", "dm-verity: IMAGE is the data, FILE the hash tree")
    .option("--root-hash <HEX>", "dm-verity: the root hash", parseHex)
    .option("--root-hash-file <FILE>", "dm-verity: a file that holds the root hash in hexadecimal")
    .option("--hash-offset <BYTES>", "dm-verity: where the superblock stands on the hash device", parseSize)
  return addVerityParameters(command)
}

/** Opens what the command line names. */
export async function openVolumeArgument(
  image: string | undefined,
  options: VolumeOptions,
  isReader: boolean,
): Promise<Volume> {
  if ((image === undefined) === (options.table === undefined))
    throw new VerbFailure("expected either an IMAGE or --table", 1)
  const common = { readOnly: isReader || options.readOnly === true, keys: await readKeys(options.key ?? []) }
  if (options.table !== undefined) return await openVolume({ table: await readTable(options.table), ...common })
  const mode = options.integrityNoJournal
    ? "D"
    : options.integrityBitmapMode
      ? "B"
      : options.integrityRecoveryMode
        ? "R"
        : "J"
  return await openVolume({
    image: image ?? "",
    integrity: {
      algorithm: options.integrity,
      key: options.integrityKeyFile === undefined ? undefined : await readKeyFile(options.integrityKeyFile),
      mode,
      allowDiscards: options.allowDiscards,
    },
    verity: options.hashDevice === undefined ? undefined : await verityChoice(options.hashDevice, options),
    ...common,
  })
}

async function verityChoice(hashImage: string, options: VolumeOptions): Promise<VerityChoice> {
  const rootHash =
    options.rootHash ??
    (options.rootHashFile === undefined ? undefined : parseHex((await readText(options.rootHashFile)).trim()))
  if (rootHash === undefined) throw new VerbFailure("--hash-device wants --root-hash or --root-hash-file", 1)
  return {
    hashImage,
    rootHash,
    hashOffset: options.hashOffset,
    parameters: options.superblock ? undefined : verityParameters(options),
  }
}

/** The text of a table: itself, or the content of a file after `@`. */
async function readTable(text: string): Promise<string> {
  return text.startsWith("@") ? await readText(text.slice(1)) : text
}

async function readKeys(pairs: readonly string[]): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>()
  for (const pair of pairs) {
    const [, description, path] = /^(.+?)=(.+)$/.exec(pair) ?? []
    if (description === undefined || path === undefined) throw new VerbFailure("--key wants DESC=FILE", 1)
    keys.set(description, await readKeyFile(path))
  }
  return keys
}

/** A key file is raw: nothing is stripped. */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw new BlockError("IO", `${path}: cannot be read`, { operation: "open", cause })
  })
}

export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readKeyFile(path))
}

export function parseHex(text: string): Uint8Array {
  const bytes = decodeHex(text)
  if (bytes === undefined) throw new InvalidArgumentError("expected hexadecimal digits")
  return bytes
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}
