import {
  type BlockDevice,
  BlockError,
  type EventListener,
  hostRuntime,
  type LongVerbOptions,
  type Runtime,
} from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import { readSuperblockSectors } from "./inspect-integrity.ts"
import { type IntegrityMode, integrityDevice, integrityStore } from "./integrity-target.ts"
import { createInternalHash, type InternalHash } from "./internal-hash.ts"
import { type IntegrityLayout, isDataApart, layoutOf } from "./layout.ts"
import { type OpenedJournal, openJournal } from "./open-journal.ts"
import { recoverVolume } from "./recover-volume.ts"
import { checkRecoveryPolicy } from "./recovery-policy.ts"
import { decodeSuperblock, type IntegritySuperblock, saltOf } from "./superblock.ts"
import { checkSuperblockMac, superblockSeal } from "./superblock-mac.ts"
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
  /** R checks nothing, and neither replays nor writes; I is for tags that `lower` keeps with its blocks. */
  readonly mode: IntegrityMode
  /** Bytes; another one in the superblock is refused. Absent: what the superblock says. */
  readonly tagSize?: number | undefined
  /** Bytes; as `tagSize`. */
  readonly blockSize?: number | undefined
  /** Sectors of the kernel's tag buffers, as on the line: with some old volumes they decide where tags are. */
  readonly bufferSectors?: number | undefined
  /** Undefined: a tag store, whose blocks are not checked here. */
  readonly internalHash: InternalHash | undefined
  /** Authenticates the journal, and the superblock where it says fixed HMAC. Must be given where the volume has one. */
  readonly journalMac?: JournalAlgorithm | undefined
  /** The journal is encrypted. Nothing on the medium says so: another key, or none, is `CORRUPT`. */
  readonly journalCrypt?: JournalAlgorithm | undefined
  /** Percent of the journal's entries in use at which it is written back; 50 if absent. */
  readonly journalWatermark?: number | undefined
  /** Milliseconds after which entries are committed; 10000 if absent. */
  readonly commitTimeMs?: number | undefined
  /** Data sectors that one bit of the bitmap stands for; 32768 if absent. */
  readonly sectorsPerBit?: number | undefined
  /** Milliseconds after which bits are cleared; 10000 if absent. */
  readonly bitmapFlushIntervalMs?: number | undefined
  /** Calculates the tags that were never written. False if absent. */
  readonly recalculate?: boolean | undefined
  /** Calculates all tags anew: of the data as they are. False if absent. */
  readonly resetRecalculate?: boolean | undefined
  /** Lets a keyed volume without a journal MAC be recalculated: whoever writes the medium can have tags made. */
  readonly legacyRecalculate?: boolean | undefined
  /** Tags that are still to be calculated: all before the volume opens, or beside its requests, as in Linux and if absent. */
  readonly recalculation?: "now" | "background" | undefined
  /**
   * With a keyed hash, gives up that nobody without the key can have data accepted: tags are then computed of whatever
   * stands in the regions that the medium says need it. Mode B cannot do without, nor a volume that was not closed in it.
   */
  readonly allowUnauthenticatedRecovery?: boolean | undefined
  /** A tag of 0xf6 bytes then goes with any data. False if absent. */
  readonly allowDiscards?: boolean | undefined
  readonly readOnly?: boolean | undefined
  readonly engine?: Engine | undefined
  /** For the time at which a bitmap is cleared, and what is done in the background. */
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
 * Opens a dm-integrity volume and makes it usable. What was not closed cleanly is recovered first: entries of the journal
 * are written back, and the tags of regions that a bitmap marks are computed. Read-only, nothing is written: entries are read
 * from where they stand, and such regions unchecked.
 *
 * @throws BlockError `CORRUPT` for a missing or malformed superblock, and for a journal that is damaged or encrypted
 * otherwise, which Linux clears; `INTEGRITY` for a superblock or journal that is not authentic; `INVALID` where Linux
 * refuses these options for this volume; `REFUSED` for what a keyed hash would not survive, see
 * `allowUnauthenticatedRecovery`; `UNSUPPORTED`, by name, for features that are not built.
 */
export function openIntegrity(options: OpenIntegrityOptions): Promise<BlockDevice> {
  return open(options, options.recalculation === "now" ? {} : undefined)
}

/**
 * Computes all tags that a volume still lacks, and closes it. It must not be open elsewhere meanwhile.
 *
 * What was computed is saved now and then, and when aborted: the next opening goes on there.
 *
 * @throws BlockError as `openIntegrity`; `READ_ONLY` on such a device.
 * @throws the signal's reason when aborted; `lower` is then left open.
 */
export async function recalculateIntegrity(
  options: Omit<OpenIntegrityOptions, "recalculation" | "readOnly"> & LongVerbOptions,
): Promise<void> {
  const { lower, metadata = lower, signal, onProgress } = options
  if (!metadata.features.write) throw new BlockError("READ_ONLY", "integrity: recalculation on a read-only device")
  const device = await open(options, { signal, onProgress })
  await device.close()
}

async function open(options: OpenIntegrityOptions, recalculateNow: LongVerbOptions | undefined): Promise<BlockDevice> {
  const { lower, metadata = lower, start = 0, mode, internalHash, engine = defaultEngine } = options
  checkLine(options)
  const bytes = await readSuperblockSectors(metadata, start)
  const superblock = decodeSuperblock(bytes)
  checkSuperblock(superblock, options)
  // As in Linux, mode R takes the superblock for what it says.
  if (mode !== "R") checkSuperblockMac(bytes, superblock, options.journalMac, engine)
  const layout = layoutOf(superblock, metadata.size, start, lower.size)
  checkSize(layout, options)
  checkRoom(superblock, layout, options)
  const isReadOnly = options.readOnly === true || !lower.features.write || !metadata.features.write
  // Mode R is there to get at a volume whose journal or bitmap cannot be used.
  if (mode !== "R") checkRecoveryPolicy(superblock, options)

  const hash = internalHash && createInternalHash(engine, internalHash)
  const target = {
    lower,
    metadata: options.metadata,
    layout,
    size: options.size,
    mode,
    hash,
    salt: saltOf(superblock),
    allowDiscards: options.allowDiscards ?? false,
    readOnly: isReadOnly,
    onEvent: options.onEvent,
  }
  let journal: OpenedJournal | undefined
  try {
    const store = integrityStore(target)
    if (mode === "R") return integrityDevice(target, store, false)
    journal = await openJournal(target, store, options, superblock.hasDirtyBitmap || superblock.isInline)
    const volume = await recoverVolume({
      store: journal.store,
      metadata,
      layout,
      superblock,
      mode,
      isReadOnly,
      unit: Math.max(layout.blockSize, lower.blockSize),
      sectorsPerBit: options.sectorsPerBit,
      bitmapFlushIntervalMs: options.bitmapFlushIntervalMs,
      recalculate: options.recalculate ?? false,
      resetRecalculate: options.resetRecalculate ?? false,
      recalculateNow,
      flush: () => store.flush(),
      resetJournal: journal.reset,
      seal: superblockSeal(superblock, options.journalMac, engine),
      runtime: options.runtime ?? hostRuntime,
      onEvent: options.onEvent,
    })
    const device = integrityDevice(target, journal.begin(volume.store), true)
    volume.start()
    return device
  } catch (error) {
    journal?.destroy()
    hash?.destroy()
    throw error
  }
}

function checkLine(options: OpenIntegrityOptions): void {
  const { lower, metadata = lower, start = 0, mode, internalHash, allowDiscards } = options
  checkInline(options)
  if (mode === "B" && internalHash === undefined) throw invalid("mode B needs an internal hash")
  if (allowDiscards === true && internalHash === undefined) throw invalid("allow_discards needs an internal hash")
  const unit = Math.max(SECTOR_SIZE, metadata.blockSize)
  if (!Number.isSafeInteger(start) || start < 0 || start % unit !== 0) {
    throw invalid(`start: expected a multiple of ${unit}, got ${start}`)
  }
  const largest = Math.max(lower.blockSize, metadata.blockSize)
  if (largest > 4096) throw invalid(`expected blocks of at most 4096 bytes below, got ${largest}`)
}

/** What Linux 6.12 refuses with inline tags, whatever stands on the medium. */
export function checkInline(options: OpenIntegrityOptions): void {
  const { lower, mode, internalHash, blockSize = lower.blockSize, tagSize = 1 } = options
  if (mode !== "I") return
  if (internalHash === undefined) throw invalid("mode I needs an internal hash")
  if (options.metadata !== undefined) throw invalid("mode I goes without a meta_device")
  if (options.allowDiscards === true) throw invalid("mode I goes without allow_discards")
  if (options.journalMac !== undefined || options.journalCrypt !== undefined)
    throw invalid("mode I has no journal: no journal_mac, no journal_crypt")
  if (lower.blockSize !== blockSize)
    throw invalid(`mode I: expected blocks of ${blockSize} below, got ${lower.blockSize}`)
  if (lower.tagSize < tagSize) {
    throw invalid(`mode I: expected at least ${tagSize} bytes of tag with a block below, got ${lower.tagSize}`)
  }
}

function checkSuperblock(superblock: IntegritySuperblock, options: OpenIntegrityOptions): void {
  for (const name of ["tagSize", "blockSize"] as const) {
    const stated = options[name]
    if (stated !== undefined && stated !== superblock[name]) {
      throw invalid(`${name}: the superblock says ${superblock[name]}, expected ${stated}`)
    }
  }
  if (superblock.isInline !== (options.mode === "I"))
    throw invalid(`the superblock says that tags are ${superblock.isInline ? "inline (mode I)" : "not inline"}`)
  if (superblock.hasJournalMac !== (options.journalMac !== undefined)) {
    throw invalid(`the superblock says that the journal has ${superblock.hasJournalMac ? "a" : "no"} MAC (journal_mac)`)
  }
  const isApart = isDataApart(superblock)
  if (isApart !== (options.metadata !== undefined))
    throw invalid(`the superblock says that the data lie ${isApart ? "on a device of their own" : "beside their tags"}`)
  const problem = tagBufferProblem(
    superblock,
    options.bufferSectors,
    options.metadata ?? options.lower,
    options.start ?? 0,
  )
  if (options.mode !== "R" && options.mode !== "I" && problem !== undefined) throw unsupported(problem)
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

function invalid(what: string): BlockError {
  return new BlockError("INVALID", `integrity: ${what}`, { operation: "open" })
}

function unsupported(what: string): BlockError {
  return new BlockError("UNSUPPORTED", `integrity: not built yet: ${what}`, { operation: "open" })
}
