import { decodeHex, type JournalChoice, openVolume, type VerityChoice, type Volume } from "blockstrata"
import { type Command, InvalidArgumentError, Option } from "commander"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { addIntegrityKeys, type IntegrityKeyArguments } from "./integrity-key-arguments.ts"
import { readIntegrityKey, readKeys, readText } from "./key-file.ts"
import { parseSize } from "./size-argument.ts"
import { addVerityParameters, type VerityParameterOptions, verityParameters } from "./verity-parameters.ts"

/** The options that every verb with a VOLUME shares. */
export interface VolumeOptions extends VerityParameterOptions, IntegrityKeyArguments {
  readonly table?: string
  readonly key?: readonly string[]
  readonly readOnly?: boolean
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
    .argument("[IMAGE]", "a dm-integrity image, or with --hash-device the data of a dm-verity one")
    .option(
      "--table <TABLE>",
      "device-mapper lines, or @FILE with them: one device, or several in dmsetup's concise form",
    )
    .option(
      "--key <DESC=FILE>",
      "the key that a line names as :SIZE:TYPE:DESC, - for stdin; may be given several times",
      collect,
    )
    .option("--read-only", "write to no file")
  addIntegrityKeys(command)
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
  host: Host,
  image: string | undefined,
  options: VolumeOptions,
  isReader: boolean,
): Promise<Volume> {
  if ((image === undefined) === (options.table === undefined))
    throw new VerbFailure("expected either an IMAGE or --table", 1)
  checkTogether(options)
  const common = { readOnly: isReader || options.readOnly === true, keys: await readKeys(host, options.key ?? []) }
  if (options.table !== undefined) return await openVolume({ table: await readTable(options.table), ...common })
  const mode = options.integrityNoJournal
    ? "D"
    : options.integrityBitmapMode
      ? "B"
      : options.integrityRecoveryMode
        ? "R"
        : "J"
  const { journalIntegrity, journalIntegrityKeyFile, journalCrypt, journalCryptKeyFile } = options
  return await openVolume({
    image: image ?? "",
    integrity: {
      algorithm: options.integrity,
      key: options.integrityKeyFile === undefined ? undefined : await readIntegrityKey(host, options.integrityKeyFile),
      mode,
      journalMac: await journalChoice(host, "journal-integrity", journalIntegrity, journalIntegrityKeyFile),
      journalCrypt: await journalChoice(host, "journal-crypt", journalCrypt, journalCryptKeyFile),
      dataImage: options.dataDevice,
      allowDiscards: options.allowDiscards,
    },
    verity: options.hashDevice === undefined ? undefined : await verityChoice(options.hashDevice, options),
    ...common,
  })
}

async function journalChoice(
  host: Host,
  option: string,
  algorithm: string | undefined,
  keyFile: string | undefined,
): Promise<JournalChoice | undefined> {
  if (algorithm === undefined && keyFile === undefined) return undefined
  if (algorithm === undefined || keyFile === undefined)
    throw new VerbFailure(`--${option} and --${option}-key-file go together`, 1)
  return { algorithm, key: await readIntegrityKey(host, keyFile) }
}

/** An option that would have no effect is refused: whoever gave it believes that something is checked. */
function checkTogether(options: VolumeOptions): void {
  const { table, hashDevice } = options
  const integrity = {
    "--integrity": options.integrity,
    "--integrity-key-file": options.integrityKeyFile,
    "--journal-integrity": options.journalIntegrity,
    "--journal-integrity-key-file": options.journalIntegrityKeyFile,
    "--journal-crypt": options.journalCrypt,
    "--journal-crypt-key-file": options.journalCryptKeyFile,
    "--data-device": options.dataDevice,
    "--integrity-no-journal": options.integrityNoJournal,
    "--integrity-bitmap-mode": options.integrityBitmapMode,
    "--integrity-recovery-mode": options.integrityRecoveryMode,
    "--allow-discards": options.allowDiscards,
  }
  const verity = {
    "--root-hash": options.rootHash,
    "--root-hash-file": options.rootHashFile,
    "--hash-offset": options.hashOffset,
    "--no-superblock": options.superblock ? undefined : true,
    "--format": options.format,
    "--data-block-size": options.dataBlockSize,
    "--hash-block-size": options.hashBlockSize,
    "--data-blocks": options.dataBlocks,
    "--hash": options.hash,
    "--salt": options.salt,
  }
  if (table !== undefined) refuse({ "--hash-device": hashDevice, ...integrity, ...verity }, "goes with an IMAGE")
  else if (hashDevice === undefined) refuse(verity, "goes with --hash-device")
  else refuse(integrity, "does not go with --hash-device")
}

function refuse(given: Readonly<Record<string, unknown>>, why: string): void {
  const name = Object.keys(given).find((option) => given[option] !== undefined)
  if (name !== undefined) throw new VerbFailure(`${name} ${why}`, 1)
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
export async function readTable(text: string): Promise<string> {
  return text.startsWith("@") ? await readText(text.slice(1)) : text
}

export function parseHex(text: string): Uint8Array {
  const bytes = decodeHex(text)
  if (bytes === undefined) throw new InvalidArgumentError("expected hexadecimal digits")
  return bytes
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}
