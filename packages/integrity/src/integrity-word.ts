import {
  type BlockDevice,
  BlockError,
  decodeHex,
  type Runtime,
  type TableContext,
  type TableWord,
} from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { formatIntegrity } from "./format-integrity.ts"
import { freshSuperblock } from "./fresh-superblock.ts"
import { readIntegritySuperblock, readSuperblockSectors } from "./inspect-integrity.ts"
import { type InternalHash, internalHashNamed } from "./internal-hash.ts"
import { checkInline, type JournalAlgorithm, type OpenIntegrityOptions, openIntegrity } from "./open-integrity.ts"
import { completeIntegrityLine, printIntegrityLine } from "./print-line.ts"
import { type IntegrityLine, type LineHash, lineTagSize, parseIntegrityLine } from "./table-line.ts"

/** What an integrity line is opened with; `engine` is the default one if absent. */
export interface IntegrityContext extends TableContext {
  readonly engine?: Engine | undefined
}

const SECTOR_SIZE = 512
const BLOCK_SIZE_DEFAULT = 512

/** What a line cannot say, because Linux does not ask. */
export type IntegrityLinePolicy = Pick<OpenIntegrityOptions, "allowUnauthenticatedRecovery" | "recalculation">

/**
 * The word `integrity` of a table.
 *
 * A writable line in any mode but R over sectors of zeroes where the superblock belongs formats them, as in the kernel;
 * blocks of a volume with an internal hash are then unreadable until written, or calculated.
 */
export const integrityWord: TableWord<IntegrityLine, IntegrityContext> = integrityWordWith({})

/** The word `integrity` that also takes what `policy` allows. */
export function integrityWordWith(policy: IntegrityLinePolicy): TableWord<IntegrityLine, IntegrityContext> {
  return {
    word: "integrity",
    parse: (args) => parseIntegrityLine(args),
    print: printIntegrityLine,
    operands: ({ device, metaDevice }) => (metaDevice === undefined ? [device] : [device, metaDevice]),
    complete: completeLine,
    open: (line, context) => openLine(line, context, policy),
  }
}

async function openLine(
  line: IntegrityLine,
  context: IntegrityContext,
  policy: IntegrityLinePolicy,
): Promise<BlockDevice> {
  const lower = context.device(line.device)
  const metadata = line.metaDevice === undefined ? undefined : context.device(line.metaDevice)
  const internalHash = internalHashOf(line)
  const journalMac = journalAlgorithmOf(line.journalMac)
  const journalCrypt = journalAlgorithmOf(line.journalCrypt)
  const options: OpenIntegrityOptions = {
    ...line,
    ...policy,
    lower,
    metadata,
    start: line.startSectors * SECTOR_SIZE,
    size: context.size,
    tagSize: lineTagSize(line),
    blockSize: line.blockSize ?? BLOCK_SIZE_DEFAULT,
    internalHash,
    journalMac,
    journalCrypt,
    readOnly: context.readOnly,
    engine: context.engine,
    runtime: context.runtime,
    onEvent: context.onEvent,
  }
  try {
    checkInline(options)
    if (line.mode !== "R" && !context.readOnly) await formatIfZero(options, line, context.runtime)
    return await openIntegrity(options)
  } finally {
    for (const algorithm of [internalHash, journalMac, journalCrypt]) {
      if (algorithm !== undefined && "key" in algorithm) algorithm.key.fill(0)
    }
  }
}

/** The superblock rules what a line leaves out; it stands on the last of the devices below. */
async function completeLine(line: IntegrityLine, device: BlockDevice): Promise<IntegrityLine> {
  const lower = device.layer.lowers.at(-1)?.device ?? device
  return completeIntegrityLine(line, await readIntegritySuperblock(lower, line.startSectors * SECTOR_SIZE), lower.size)
}

async function formatIfZero(options: OpenIntegrityOptions, line: IntegrityLine, runtime: Runtime): Promise<void> {
  const { lower, metadata = lower, start = 0, size, internalHash } = options
  if (!metadata.features.write || (await readSuperblockSectors(metadata, start)).some((byte) => byte !== 0)) return
  const mode = line.mode === "B" || line.mode === "I" ? line.mode : "D"
  const format = {
    tagSize: lineTagSize(line),
    blockSize: line.blockSize ?? BLOCK_SIZE_DEFAULT,
    interleaveSectors: line.interleaveSectors,
    journalSectors: line.journalSectors === 0 ? 1 : line.journalSectors,
    sectorsPerBit: line.sectorsPerBit,
    bufferSectors: line.bufferSectors,
    legacyPadding: !line.fixPadding,
    legacyHmac: !line.fixHmac,
    journalMac: options.journalMac,
    journalCrypt: options.journalCrypt,
  }
  const fresh = {
    ...format,
    dataBytes: options.metadata && lower.size,
    hasInternalHash: internalHash !== undefined,
    isInline: mode === "I",
    hasJournalMac: options.journalMac !== undefined,
    isBitmapMode: mode === "B",
  }
  const provided = freshSuperblock(fresh, metadata.size, start, runtime).providedSectors * SECTOR_SIZE
  if (size > provided) {
    throw new BlockError("INVALID", `integrity: size: the volume would provide ${provided} bytes, expected ${size}`)
  }
  const { engine } = options
  const media = { lower, metadata: options.metadata, start }
  await formatIntegrity({ ...format, ...media, internalHash, mode, wipe: false, runtime, engine })
}

function internalHashOf({ internalHash }: IntegrityLine): InternalHash | undefined {
  if (internalHash === undefined) return undefined
  return internalHashNamed(internalHash.name, decodeHex(internalHash.keyHex ?? "") ?? new Uint8Array(0))
}

function journalAlgorithmOf(algorithm: LineHash | undefined): JournalAlgorithm | undefined {
  return algorithm && { name: algorithm.name, key: decodeHex(algorithm.keyHex ?? "") ?? new Uint8Array(0) }
}
