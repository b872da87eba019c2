import { type BlockDevice, BlockError, type EventListener, type Runtime } from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import { readIntegritySuperblock } from "./inspect-integrity.ts"
import { type IntegrityMode, integrityTarget } from "./integrity-target.ts"
import { createInternalHash, type InternalHash } from "./internal-hash.ts"
import { inspectJournal } from "./journal.ts"
import { type IntegrityLayout, isDataApart, layoutOf } from "./layout.ts"
import type { IntegritySuperblock } from "./superblock.ts"
import { haveRoom, tagBufferProblem, tagBufferSectors } from "./tag-buffer.ts"

export interface OpenIntegrityOptions {
  /** Owned once the device is open; left open if opening fails. */
  readonly lower: BlockDevice
  /** The device of superblock, journal and tags, where `lower` holds nothing but data. Owned as `lower` is. */
  readonly metadata?: BlockDevice | undefined
  /** Bytes into `metadata`, or into `lower` if there is none; 0 if absent. */
  readonly start?: number | undefined
  /** Bytes: at most what the volume provides. */
  readonly size: number
  /** J and B need `readOnly`; R checks nothing, and neither replays nor writes; I is not built yet. */
  readonly mode: IntegrityMode
  /** Bytes; another one in the superblock is refused. Absent: what the superblock says. */
  readonly tagSize?: number | undefined
  /** Bytes; as `tagSize`. */
  readonly blockSize?: number | undefined
  /** Sectors of the kernel's tag buffers, as on the line: with some old volumes they decide where tags are. */
  readonly bufferSectors?: number | undefined
  /** Undefined: a tag store, whose blocks are not checked here. */
  readonly internalHash: InternalHash | undefined
  /** Authenticates the journal, and the superblock where it says fixed HMAC. Not built yet. */
  readonly journalMac?: JournalAlgorithm | undefined
  /** Not built yet. */
  readonly journalCrypt?: JournalAlgorithm | undefined
  /** Percent of the journal's entries in use at which it is written back; 50 if absent. */
  readonly journalWatermark?: number | undefined
  /** Milliseconds after which entries are committed; 10000 if absent. */
  readonly commitTimeMs?: number | undefined
  /** Data sectors that one bit of the bitmap stands for; 32768 if absent. */
  readonly sectorsPerBit?: number | undefined
  /** Milliseconds after which bits are cleared; 10000 if absent. */
  readonly bitmapFlushIntervalMs?: number | undefined
  /** Calculates the tags that were never written. False if absent; not built yet. */
  readonly recalculate?: boolean | undefined
  /** Calculates all tags anew: of the data as they are. False if absent; not built yet. */
  readonly resetRecalculate?: boolean | undefined
  /** Lets a keyed volume without a journal MAC be recalculated: whoever writes the medium can have tags made. */
  readonly legacyRecalculate?: boolean | undefined
  /** A tag of 0xf6 bytes then goes with any data. False if absent. */
  readonly allowDiscards?: boolean | undefined
  readonly readOnly?: boolean | undefined
  readonly engine?: Engine | undefined
  /** Nothing here asks for randomness or time yet. */
  readonly runtime?: Runtime | undefined
  readonly onEvent?: EventListener | undefined
}

/** A MAC or a cipher by its name in the Linux crypto API, and its key: empty where it takes none. */
export interface JournalAlgorithm {
  readonly name: string
  readonly key: Uint8Array
}

const SECTOR_SIZE = 512

/**
 * Opens a dm-integrity volume. Nothing is written by opening it.
 *
 * @throws BlockError `CORRUPT` for a missing or malformed superblock; `INVALID` where Linux refuses these options for
 * this volume; `UNSUPPORTED`, by name, for a volume that is not clean (journal, bitmap, recalculation), for writing in
 * modes J and B, and for features that are not built.
 */
export async function openIntegrity(options: OpenIntegrityOptions): Promise<BlockDevice> {
  const { lower, metadata = lower, start = 0, mode, internalHash, engine = defaultEngine } = options
  checkLine(options)
  const superblock = await readIntegritySuperblock(metadata, start)
  checkSuperblock(superblock, options)
  const layout = layoutOf(superblock, metadata.size, start, lower.size)
  checkSize(layout, options)
  checkRoom(superblock, layout, options)
  // Mode R is there to get at a volume whose journal or bitmap cannot be used.
  if (mode !== "R") await checkClean(superblock, layout, metadata)

  const hash = internalHash && createInternalHash(engine, internalHash)
  try {
    return integrityTarget({
      lower,
      metadata: options.metadata,
      layout,
      size: options.size,
      mode,
      hash,
      salt: superblock.hasFixedHmac ? superblock.salt : undefined,
      allowDiscards: options.allowDiscards ?? false,
      readOnly: options.readOnly ?? false,
      onEvent: options.onEvent,
    })
  } catch (error) {
    hash?.destroy()
    throw error
  }
}

/** @throws BlockError `UNSUPPORTED` for what no volume can be opened with yet. */
export function checkBuilt(options: Omit<OpenIntegrityOptions, "lower" | "size" | "internalHash">): void {
  const { mode, readOnly = false } = options
  if (mode === "I") throw unsupported("mode I (inline tags)")
  if (options.journalCrypt !== undefined) throw unsupported("an encrypted journal (journal_crypt)")
  if (options.journalMac !== undefined) throw unsupported("a journal with a MAC (journal_mac)")
  if (options.recalculate === true) throw unsupported("calculating tags (recalculate)")
  if (options.resetRecalculate === true) throw unsupported("calculating tags (reset_recalculate)")
  if (readOnly) return
  if (mode === "J") throw unsupported("writing in mode J (through the journal)")
  if (mode === "B") throw unsupported("writing in mode B (with the bitmap)")
}

function checkLine(options: OpenIntegrityOptions): void {
  const { lower, metadata = lower, start = 0, mode, internalHash, allowDiscards } = options
  checkBuilt(options)
  if (mode === "B" && internalHash === undefined) throw invalid("mode B needs an internal hash")
  if (allowDiscards === true && internalHash === undefined) throw invalid("allow_discards needs an internal hash")
  const unit = Math.max(SECTOR_SIZE, metadata.blockSize)
  if (!Number.isSafeInteger(start) || start < 0 || start % unit !== 0) {
    throw invalid(`start: expected a multiple of ${unit}, got ${start}`)
  }
  const largest = Math.max(lower.blockSize, metadata.blockSize)
  if (largest > 4096) throw invalid(`expected blocks of at most 4096 bytes below, got ${largest}`)
}

function checkSuperblock(superblock: IntegritySuperblock, options: OpenIntegrityOptions): void {
  for (const name of ["tagSize", "blockSize"] as const) {
    const stated = options[name]
    if (stated !== undefined && stated !== superblock[name]) {
      throw invalid(`${name}: the superblock says ${superblock[name]}, expected ${stated}`)
    }
  }
  if (superblock.hasJournalMac) throw unsupported("a journal with a MAC (journal_mac)")
  const isApart = isDataApart(superblock)
  if (isApart !== (options.metadata !== undefined))
    throw invalid(`the superblock says that the data lie ${isApart ? "on a device of their own" : "beside their tags"}`)
  const problem = tagBufferProblem(superblock, options.bufferSectors, options.metadata ?? options.lower)
  if (options.mode !== "R" && problem !== undefined) throw unsupported(problem)
  if (options.internalHash === undefined && options.lower.blockSize > superblock.blockSize) {
    throw unsupported(`a tag store with blocks of ${superblock.blockSize} over blocks of ${options.lower.blockSize}`)
  }
}

function checkSize(layout: IntegrityLayout, { lower, metadata, start = 0, size }: OpenIntegrityOptions): void {
  const unit = Math.max(layout.blockSize, lower.blockSize)
  if (metadata === undefined && start % unit !== 0) {
    throw invalid(`start: expected a multiple of ${unit}, got ${start}`)
  }
  // Linux lets blocks of 1024 and 2048 bytes stand on larger ones, and gives requests below that may not be whole.
  const linuxUnit = layout.blockSize === SECTOR_SIZE ? unit : layout.blockSize
  if (!Number.isSafeInteger(size) || size < 0 || size % linuxUnit !== 0) {
    throw invalid(`size: expected a multiple of ${linuxUnit}, got ${size}`)
  }
  if (size % unit !== 0) throw unsupported(`a size of ${size} bytes over blocks of ${lower.blockSize}`)
  if (size > layout.possibleBytes)
    throw invalid(`size: the volume provides ${layout.possibleBytes} bytes, expected ${size}`)
  // Linux would enlarge the volume here, and write that into its superblock.
  if (size > layout.providedBytes) throw unsupported(`enlarging a volume of ${layout.providedBytes} bytes to ${size}`)
}

/** Tags that lie apart need room in whole buffers. */
function checkRoom(superblock: IntegritySuperblock, layout: IntegrityLayout, options: OpenIntegrityOptions): void {
  const { metadata, bufferSectors } = options
  if (metadata === undefined) return
  const volume = { ...superblock, providedSectors: layout.possibleBytes / SECTOR_SIZE }
  if (haveRoom(volume, tagBufferSectors(volume, bufferSectors, metadata.size), metadata.size)) return
  throw invalid(`the tags do not fit on a device of ${metadata.size} bytes`)
}

async function checkClean(superblock: IntegritySuperblock, layout: IntegrityLayout, lower: BlockDevice): Promise<void> {
  if (superblock.isRecalculating) throw unsupported("a volume whose tags are not all calculated (recalculate)")
  if (superblock.hasDirtyBitmap) throw unsupported("a volume with a dirty bitmap, which needs recalculation (bitmap)")
  const state = await inspectJournal(lower, layout.journal)
  if (state === "used") throw unsupported("a volume with entries in its journal, which need replay (journal)")
  // The kernel would drop such a journal. With the right journal_crypt, or after a torn write, that loses data.
  if (state === "unknown") throw unsupported("a journal that is encrypted, torn or damaged (journal)")
}

function invalid(what: string): BlockError {
  return new BlockError("INVALID", `integrity: ${what}`, { operation: "open" })
}

function unsupported(what: string): BlockError {
  return new BlockError("UNSUPPORTED", `integrity: not built yet: ${what}`, { operation: "open" })
}
