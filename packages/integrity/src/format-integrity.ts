import { type BlockDevice, BlockError, hostRuntime, type LongVerbOptions, type Runtime } from "@blockstrata/device"
import { defaultEngine, type Engine, type UnitHash } from "@blockstrata/primitives"
import { type BlockStore, blockStore, type VolumeMedia } from "./block-store.ts"
import { freshSuperblock } from "./fresh-superblock.ts"
import { inlineStore } from "./inline-store.ts"
import { createInternalHash, type InternalHash } from "./internal-hash.ts"
import { type IntegrityLayout, layoutOf } from "./layout.ts"
import type { JournalAlgorithm } from "./open-integrity.ts"
import { volumeJournal } from "./open-journal.ts"
import { type IntegritySuperblock, SUPERBLOCK_SIZE, saltOf } from "./superblock.ts"
import { sealedSuperblock } from "./superblock-mac.ts"
import { tagBufferProblem } from "./tag-buffer.ts"
import { tagCheck } from "./tag-check.ts"

export interface FormatIntegrityOptions extends LongVerbOptions {
  /** Stays open; nothing else may use it meanwhile. */
  readonly lower: BlockDevice
  /** The device of superblock, journal and tags, where `lower` is to hold nothing but data. As `lower`. */
  readonly metadata?: BlockDevice | undefined
  /** Bytes into `metadata`, or into `lower` if there is none, a multiple of 512; 0 if absent. */
  readonly start?: number | undefined
  /** Bytes, 1 ... 255. Shorter than the digest truncates it, and so weakens it. */
  readonly tagSize: number
  /** Undefined: a tag store. */
  readonly internalHash: InternalHash | undefined
  /** Bytes: 512, 1024, 2048 or 4096. */
  readonly blockSize: number
  readonly interleaveSectors?: number | undefined
  readonly journalSectors?: number | undefined
  readonly sectorsPerBit?: number | undefined
  /** As in `OpenIntegrityOptions`. */
  readonly bufferSectors?: number | undefined
  /** The padding of tag runs before Linux 5.4; false if absent. */
  readonly legacyPadding?: boolean | undefined
  /** Tags without salt: a block then fits into any volume of the same key. False if absent. */
  readonly legacyHmac?: boolean | undefined
  /** 16 bytes; from `runtime` if absent. */
  readonly salt?: Uint8Array | undefined
  /** Authenticates the journal: the volume then opens with it only. */
  readonly journalMac?: JournalAlgorithm | undefined
  /** Encrypts the journal. */
  readonly journalCrypt?: JournalAlgorithm | undefined
  /** The mode that the volume is meant for: B decides a version number, I that tags are inline. J if absent. */
  readonly mode?: "J" | "B" | "D" | "I" | undefined
  /**
   * Writes zeroes and their tags to every block. Without it a block of a volume with an internal hash cannot be read
   * until it was written.
   */
  readonly wipe: boolean
  readonly engine?: Engine | undefined
  readonly runtime?: Runtime | undefined
}

const WIPE_PIECE_SIZE = 1024 * 1024

/**
 * Makes a volume as `integritysetup format` does and returns its superblock. Whatever stood on `lower` from `start` on
 * is lost.
 *
 * The old superblock goes first and the new one comes last, each behind a flush: a crash in between leaves no volume,
 * never one with tags or a journal of another time.
 *
 * @throws BlockError `INVALID` if the device is too small, `READ_ONLY` if it is one, `UNSUPPORTED` for another hash, and
 * for legacy padding with an interleave that Linux gets wrong, and for tag buffers smaller than a block below.
 * @throws the signal's reason when aborted, and then there is no volume.
 */
export async function formatIntegrity(options: FormatIntegrityOptions): Promise<IntegritySuperblock> {
  const { lower, metadata = lower, start = 0, internalHash, engine = defaultEngine, signal } = options
  const media = { data: lower, metadata }
  checkPlace(media, start)
  if (options.mode === "I") checkTuples(options)
  const superblock = freshSuperblock(
    {
      ...options,
      dataBytes: options.metadata && lower.size,
      hasInternalHash: internalHash !== undefined,
      hasJournalMac: options.journalMac !== undefined,
      legacyPadding: options.legacyPadding ?? false,
      legacyHmac: options.legacyHmac ?? false,
      isInline: options.mode === "I",
      isBitmapMode: options.mode === "B",
    },
    metadata.size,
    start,
    options.runtime ?? hostRuntime,
  )
  const problem = tagBufferProblem(superblock, options.bufferSectors, metadata, start)
  if (!superblock.isInline && problem !== undefined) throw new BlockError("UNSUPPORTED", `integrity: ${problem}`)
  const layout = layoutOf(superblock, metadata.size, start, lower.size)
  const hash = internalHash && createInternalHash(engine, internalHash)
  const journal = volumeJournal({ ...options, metadata, layout, salt: saltOf(superblock), engine })
  try {
    signal?.throwIfAborted()
    await metadata.write(start, new Uint8Array(SUPERBLOCK_SIZE))
    await metadata.flush()
    await journal.clear(0, journal.sectionCount, 0)
    const store = storeOf(media, layout, superblock, hash)
    if (options.wipe) await wipe(store, layout, options)
    await store.flush()
    await metadata.write(start, sealedSuperblock(superblock, options.journalMac, engine))
    await metadata.flush()
  } finally {
    hash?.destroy()
    journal.destroy()
  }
  return superblock
}

function checkPlace({ data, metadata }: VolumeMedia, start: number): void {
  if (!Number.isSafeInteger(start) || start < 0 || start % Math.max(512, metadata.blockSize) !== 0) {
    throw new RangeError(`integrity: start: expected a multiple of the block size below, got ${start}`)
  }
  if (Math.max(data.blockSize, metadata.blockSize) > SUPERBLOCK_SIZE)
    throw new BlockError("INVALID", "integrity: expected blocks <= 4096 below")
  if (!data.features.write || !metadata.features.write)
    throw new BlockError("READ_ONLY", "integrity: format on a read-only device")
}

/** @throws BlockError `INVALID` where the device below has no room for inline tags. */
function checkTuples({ lower, blockSize, tagSize }: FormatIntegrityOptions): void {
  if (lower.blockSize === blockSize && lower.tagSize >= tagSize) return
  throw new BlockError(
    "INVALID",
    `integrity: inline tags: expected blocks of ${blockSize} with at least ${tagSize} bytes below, got ${lower.blockSize} with ${lower.tagSize}`,
  )
}

function storeOf(
  media: VolumeMedia,
  layout: IntegrityLayout,
  superblock: IntegritySuperblock,
  hash: UnitHash | undefined,
): BlockStore {
  const { blockSize, tagSize } = layout
  const salt = saltOf(superblock)
  const check = hash && tagCheck({ hash, blockSize, tagSize, salt, acceptsFiller: false, unitBlockCount: 1 })
  return layout.isInline && check !== undefined
    ? inlineStore(media.data, layout, check)
    : blockStore(media, layout, check)
}

/** On a tag store there is no right tag: they become zeroes too. */
async function wipe(
  store: BlockStore,
  { providedBytes, blockSize, tagSize }: IntegrityLayout,
  { internalHash, signal, onProgress }: FormatIntegrityOptions,
): Promise<void> {
  const zeroes = new Uint8Array(Math.min(WIPE_PIECE_SIZE, providedBytes))
  const zeroTags = internalHash === undefined ? new Uint8Array((zeroes.length / blockSize) * tagSize) : undefined
  for (let offset = 0; offset < providedBytes; offset += zeroes.length) {
    signal?.throwIfAborted()
    onProgress?.(offset, providedBytes)
    const length = Math.min(zeroes.length, providedBytes - offset)
    await store.write(offset, zeroes.subarray(0, length), zeroTags?.subarray(0, (length / blockSize) * tagSize))
  }
  onProgress?.(providedBytes, providedBytes)
}
