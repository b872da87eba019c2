import {
  BlockError,
  formatIntegrity,
  type InternalHash,
  inspectIntegrity,
  internalHashSizes,
  printSuperblock,
} from "blockstrata"
import type { Command } from "commander"
import {
  addClosedVolume,
  addVolumeKeys,
  type ClosedVolumeArguments,
  withClosedVolume,
} from "./closed-volume-arguments.ts"
import { confirm } from "./confirmation.ts"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { addIntegrityDoctor } from "./integrity-doctor.ts"
import type { IntegrityKeyArguments } from "./integrity-key-arguments.ts"
import { journalLines } from "./journal-lines.ts"
import { progressBar } from "./progress.ts"
import { parseCount, parseSize } from "./size-argument.ts"

interface FormatOptions extends IntegrityKeyArguments {
  readonly tagSize?: number
  readonly sectorSize: number
  readonly journalSize?: number
  readonly interleaveSectors?: number
  readonly bufferSectors?: number
  readonly bitmapSectorsPerBit?: number
  readonly integrityLegacyPadding?: boolean
  readonly integrityLegacyHmac?: boolean
  readonly integrityNoJournal?: boolean
  readonly integrityBitmapMode?: boolean
  readonly wipe: boolean
  readonly batchMode?: boolean
}

const SECTOR_SIZE = 512

/** `strata integrity`: `format` and `dump` with integritysetup's options and words. */
export function addIntegrityCommands(program: Command, host: Host): void {
  const integrity = program.command("integrity").description("dm-integrity, as integritysetup")
  addVolumeKeys(integrity.command("format"))
    .description("makes a volume and initialises its tags; what stood there is lost [formatIntegrity]")
    .option("-t, --tag-size <BYTES>", "tag size; the whole digest if not given", parseCount)
    .option("-s, --sector-size <BYTES>", "512, 1024, 2048 or 4096", parseCount, SECTOR_SIZE)
    .option("-j, --journal-size <BYTES>", "journal size", parseSize)
    .option("--interleave-sectors <SECTORS>", "sectors of data between two runs of tags", parseCount)
    .option("--buffer-sectors <SECTORS>", "sectors of the buffers of tags", parseCount)
    .option("--integrity-legacy-padding", "inefficient padding of old kernels")
    .option("--integrity-legacy-hmac", "tags without the volume's salt, as old kernels make them")
    .option("-D, --integrity-no-journal", "a volume for mode D")
    .option("-B, --integrity-bitmap-mode", "a volume for mode B")
    .option("--bitmap-sectors-per-bit <SECTORS>", "sectors of data of one bit of the bitmap", parseCount)
    .option("--no-wipe", "leave the tags as they are: blocks do not read until they were written")
    .option("-q, --batch-mode", "do not ask")
    .action((image: string, options: FormatOptions) => format(host, image, options))
  addClosedVolume(integrity.command("dump"))
    .description("prints the superblock [inspectIntegrity]")
    .option("--journal", "and what the journal, or the bitmap, holds")
    .action((image: string, options: DumpOptions) => dump(host, image, options))
  addIntegrityDoctor(integrity, host)
}

async function format(host: Host, path: string, options: FormatOptions): Promise<void> {
  const { integrity = "crc32c", dataDevice } = options
  const mode = formatMode(options)
  const overwritten = dataDevice === undefined ? path : `${path} and ${dataDevice}`
  await confirm(host, `This will overwrite data on ${overwritten} irrevocably.`, options.batchMode === true)
  await withClosedVolume(host, path, { ...options, integrity }, false, async (volume) => {
    const superblock = await formatIntegrity({
      ...volume,
      tagSize: options.tagSize ?? digestSizeOf(volume.internalHash, integrity),
      blockSize: options.sectorSize,
      interleaveSectors: options.interleaveSectors,
      bufferSectors: options.bufferSectors,
      sectorsPerBit: options.bitmapSectorsPerBit,
      journalSectors: options.journalSize && Math.floor(options.journalSize / SECTOR_SIZE),
      legacyPadding: options.integrityLegacyPadding,
      legacyHmac: options.integrityLegacyHmac,
      mode,
      wipe: options.wipe,
      onProgress: progressBar(host),
    })
    const { tagSize, blockSize } = superblock
    await host.writeOut(
      `Formatted with tag size ${tagSize}, internal integrity ${integrity}.\nSector size ${blockSize}.\n`,
    )
  })
}

function formatMode({ integrityNoJournal, integrityBitmapMode }: FormatOptions): "B" | "D" | "J" {
  if (integrityNoJournal && integrityBitmapMode)
    throw new VerbFailure("--integrity-no-journal does not go with --integrity-bitmap-mode", 1)
  return integrityBitmapMode ? "B" : integrityNoJournal ? "D" : "J"
}

/** @throws VerbFailure for a hash that is not built, and for a store of tags, which has no digests. */
function digestSizeOf(hash: InternalHash | undefined, integrity: string): number {
  if (hash === undefined) throw new VerbFailure("--integrity none wants --tag-size", 1)
  if (Object.hasOwn(internalHashSizes, hash.name)) return internalHashSizes[hash.name]
  throw new VerbFailure(`--integrity: ${integrity} is not supported`, 1)
}

interface DumpOptions extends ClosedVolumeArguments {
  readonly journal?: boolean
}

async function dump(host: Host, path: string, options: DumpOptions): Promise<void> {
  const { journal = false } = options
  // Without its journal a volume needs no hash, and none has to be named.
  const known = journal ? options : { ...options, integrity: options.integrity ?? "none" }
  try {
    await withClosedVolume(host, path, known, true, async ({ lower, metadata, start, ...keys }) => {
      const shown = journal ? { ...keys, data: metadata && lower } : undefined
      const report = await inspectIntegrity(metadata ?? lower, start, shown)
      // The last line lists flags, each with a space behind it, as integritysetup prints them.
      await host.writeOut(`Info for integrity device ${path}.\n${printSuperblock(report.superblock).join("\n")} \n`)
      if (journal) for (const line of journalLines(report)) await host.writeOut(`${line}\n`)
    })
  } catch (error) {
    const isMalformed = error instanceof BlockError && (error.code === "CORRUPT" || error.code === "INVALID")
    throw isMalformed ? new VerbFailure(`Device ${path} is not a valid INTEGRITY device.`, 1) : error
  }
}
