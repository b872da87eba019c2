import { open, writeFile } from "node:fs/promises"
import {
  type BlockDevice,
  BlockError,
  checkVerity,
  encodeHex,
  formatVerity,
  hashDeviceBytes,
  hashTree,
  hostRuntime,
  openFile,
  readVeritySuperblock,
  superblockParameters,
  treeStart,
  VERITY_DEFAULTS,
  VERITY_SALT_SIZE,
  type VerityParameters,
  verityVerdict,
} from "blockstrata"
import type { Command } from "commander"
import { isHostFailure, VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { readText } from "./key-file.ts"
import { progressBar } from "./progress.ts"
import { isSameFile } from "./same-file.ts"
import { parseSize } from "./size-argument.ts"
import {
  addVerityParameters,
  checkedAlgorithm,
  type VerityParameterOptions,
  verityParameters,
} from "./verity-parameters.ts"
import { parseHex } from "./volume-arguments.ts"

interface VerityOptions extends VerityParameterOptions {
  readonly uuid?: string
  readonly rootHashFile?: string
}

/** `strata verity format | verify | dump`, with veritysetup's arguments, words and exit codes. */
export function addVerityCommands(program: Command, host: Host): void {
  const verity = program.command("verity").description("dm-verity, as veritysetup")
  const declare = (name: string) =>
    addVerityParameters(verity.command(name))
      .option("--hash-offset <BYTES>", "where the superblock stands on the hash device", parseSize)
      .option("--root-hash-file <FILE>", "a file for the root hash")
  declare("format")
    .argument("<DATA>")
    .argument("<HASH>")
    .option("--uuid <UUID>", "the volume's UUID; random if not given")
    .description("makes the hash tree of DATA on HASH [formatVerity]")
    .action((data: string, hash: string, options: VerityOptions) => format(host, data, hash, options))
  declare("verify")
    .argument("<DATA>")
    .argument("<HASH>")
    .argument("[ROOT]", "the root hash in hexadecimal")
    .description("compares all of DATA with HASH and the root hash [checkVerity]")
    .action((data: string, hash: string, root: string | undefined, options: VerityOptions) =>
      verify(host, data, hash, root, options),
    )
  verity
    .command("dump")
    .argument("<HASH>")
    .option("--hash-offset <BYTES>", "where the superblock stands on the hash device", parseSize)
    .description("prints the superblock of HASH [readVeritySuperblock]")
    .action((hash: string, { hashOffset = 0 }: VerityOptions) =>
      withDevices([[hash, true]], async (device) => {
        const parameters = await superblockOf(device, hash, hashOffset)
        await host.writeOut(describeVolume(hash, parameters, device.size))
      }),
    )
}

async function format(host: Host, dataPath: string, hashPath: string, options: VerityOptions): Promise<void> {
  const {
    dataBlockSize = VERITY_DEFAULTS.dataBlockSize,
    hashBlockSize = VERITY_DEFAULTS.hashBlockSize,
    hashOffset = 0,
  } = options
  const salt = options.salt ?? new Uint8Array(VERITY_SALT_SIZE)
  if (options.salt === undefined) hostRuntime.fillRandom(salt)
  await withDevices([[dataPath, true]], async (data) => {
    const { superblock, uuid, dataBlocks: dataBlockCount = Math.floor(data.size / dataBlockSize) } = options
    const version = options.format === 0 ? 0 : 1
    const algorithm = checkedAlgorithm(options)
    const volume = { version, algorithm, dataBlockSize, hashBlockSize, dataBlockCount, salt } as const
    const request = { ...volume, data, hashOffset, uuid, superblock }
    // Whatever is wrong with the request is said before the hash file is touched.
    const needed = hashDeviceBytes(request)
    if (hashOffset < dataBlockCount * dataBlockSize && (await isSameFile(dataPath, hashPath)))
      throw new VerbFailure("Data area overlaps with hash area.", 1)
    await growFile(hashPath, needed)
    await withDevices([[hashPath, false]], async (hash) => {
      const made = await formatVerity({ ...request, hash, onProgress: progressBar(host) })
      // The tool tells the end only where the superblock stands at the start.
      const endBytes = hashOffset === 0 ? made.hashEndBytes : undefined
      const described = { ...volume, uuid: made.superblock?.uuid ?? "" }
      await host.writeOut(describeVolume(hashPath, described, endBytes, encodeHex(made.rootHash)))
      if (options.rootHashFile !== undefined) await writeFile(options.rootHashFile, encodeHex(made.rootHash))
    })
  })
}

async function verify(
  host: Host,
  dataPath: string,
  hashPath: string,
  root: string | undefined,
  options: VerityOptions,
): Promise<void> {
  const rootText = root ?? (options.rootHashFile === undefined ? "" : (await readText(options.rootHashFile)).trim())
  const rootHash = parseRootHash(rootText)
  const { hashOffset = 0 } = options
  await withDevices(
    [
      [dataPath, true],
      [hashPath, true],
    ],
    async (data, hash) => {
      const parameters = options.superblock
        ? superblockParameters(await superblockOf(hash, hashPath, hashOffset), hashOffset)
        : withStart(verityParameters(options, data.size), hashOffset)
      const { exitCode, lines } = verityVerdict(
        await checkVerity({ ...parameters, data, hash, rootHash, onProgress: progressBar(host) }),
      )
      if (exitCode !== 0) throw new VerbFailure(lines.join("\n"), exitCode)
    },
  )
}

function withStart(parameters: Omit<VerityParameters, "hashStart">, hashOffset: number): VerityParameters {
  return { ...parameters, hashStart: treeStart(hashOffset, parameters.hashBlockSize, false) }
}

function parseRootHash(text: string): Uint8Array {
  try {
    const rootHash = parseHex(text)
    if (rootHash.length > 0) return rootHash
  } catch {
    // Said below, in veritysetup's words.
  }
  throw new VerbFailure("Invalid root hash string specified.", 1)
}

type Superblock = Awaited<ReturnType<typeof readVeritySuperblock>>

async function superblockOf(hash: BlockDevice, path: string, hashOffset: number): Promise<Superblock> {
  return await readVeritySuperblock(hash, hashOffset).catch((error: unknown) => {
    const isMalformed = error instanceof BlockError && (error.code === "CORRUPT" || error.code === "INVALID")
    throw isMalformed ? new VerbFailure(`Device ${path} is not a valid VERITY device.`, 1) : error
  })
}

/** Opens paths, each read-only or not, and closes them however `use` ends. */
async function withDevices(
  paths: readonly (readonly [path: string, readOnly: boolean])[],
  use: (...devices: [BlockDevice, BlockDevice]) => Promise<void>,
): Promise<void> {
  const devices: BlockDevice[] = []
  try {
    for (const [path, readOnly] of paths) devices.push(await openPath(path, readOnly))
    await use(...(devices as [BlockDevice, BlockDevice]))
  } finally {
    for (const device of devices) await device.close()
  }
}

async function openPath(path: string, readOnly: boolean): Promise<BlockDevice> {
  return await openFile(path, { readOnly }).catch((error: unknown) => {
    if (!(error instanceof BlockError && isHostFailure(error.cause))) throw error
    throw new VerbFailure(`Device ${path} does not exist or access denied.`, 4)
  })
}

/** Makes a regular hash file as long as its tree needs it; veritysetup does the same. */
async function growFile(path: string, size: number): Promise<void> {
  const file = await open(path, "a")
  try {
    const stat = await file.stat()
    if (stat.isFile() && stat.size < size) await file.truncate(size)
  } finally {
    await file.close()
  }
}

/** As `veritysetup dump` and `format` print it. */
function describeVolume(
  path: string,
  volume: Omit<Superblock, "algorithm"> & { readonly algorithm: string },
  endBytes: number | undefined,
  rootHash?: string,
): string {
  const { hashBlockSize } = volume
  const treeSize = hashTree({ ...volume, algorithm: "sha256", hashStart: 0 }).size
  const fields = [
    ["UUID:", "            \t", volume.uuid],
    ["Hash type:", "       \t", volume.version],
    ["Data blocks:", "     \t", volume.dataBlockCount],
    ["Data block size:", " \t", volume.dataBlockSize],
    ["Hash blocks:", "     \t", treeSize / hashBlockSize],
    ["Hash block size:", " \t", hashBlockSize],
    ["Hash algorithm:", "  \t", volume.algorithm],
    ["Salt:", "            \t", encodeHex(volume.salt) || "-"],
    ...(rootHash === undefined ? [] : [["Root hash:", "      \t", rootHash]]),
    ...(endBytes === undefined ? [] : [["Hash device size:", " \t", `${endBytes} [bytes]`]]),
  ]
  return `VERITY header information for ${path}\n${fields.map((field) => `${field.join("")}\n`).join("")}`
}
