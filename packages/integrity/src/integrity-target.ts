import { type BlockDevice, BlockError, defineDevice, type EventListener, type Extent } from "@blockstrata/device"
import type { UnitHash } from "@blockstrata/primitives"
import { type BadBlocks, type BlockStore, blockStore, PIECE_SIZE, type VolumeStore } from "./block-store.ts"
import { inlineStore } from "./inline-store.ts"
import { type AreaRun, areaRuns, type IntegrityLayout } from "./layout.ts"
import { TAG_CACHE_SIZE } from "./tag-cache.ts"
import { type TagCheck, tagCheck } from "./tag-check.ts"

/** The mode of a table line: journal, bitmap, direct, recovery, inline. */
export type IntegrityMode = "J" | "B" | "D" | "R" | "I"

export interface IntegrityTargetOptions {
  readonly lower: BlockDevice
  /** Where the layout says that the data lie apart: the device of everything else. */
  readonly metadata?: BlockDevice | undefined
  readonly layout: IntegrityLayout
  /** Bytes; at most what the layout provides. */
  readonly size: number
  readonly mode: IntegrityMode
  /** Owned: destroyed when the device closes. Absent on a tag store. */
  readonly hash: UnitHash | undefined
  /** 16 bytes, where the superblock says fixed HMAC. */
  readonly salt: Uint8Array | undefined
  readonly allowDiscards: boolean
  /** Only modes D and I write. */
  readonly readOnly: boolean
  readonly onEvent?: EventListener | undefined
}

/**
 * dm-integrity: a tag per block, in areas beside the data.
 *
 * Promises: with an internal hash, a block whose data or tag changed is `INTEGRITY`, and a block moved to another place
 * too. Without one, tags are stored and returned with their blocks (a tag store, for AEAD above).
 * Does not promise: that data and tag survive a crash together (mode D; mode I as far as the device below keeps them together); anything at all in mode R, which checks nothing.
 * Attacks that remain: an old block put back with its old tag; with crc32c or sha256, anybody who can compute them;
 * with `allowDiscards`, a tag of 0xf6 bytes, which goes with any data.
 *
 * Construction only: nothing is read, and neither journal nor bitmap is looked at. `openIntegrity` does that.
 *
 * @throws RangeError where sizes or features contradict each other.
 */
export function integrityTarget(options: IntegrityTargetOptions): BlockDevice {
  return integrityDevice(options, integrityStore(options), options.mode === "D" || options.mode === "I")
}

/** The blocks of a target, and their tags. */
export function integrityStore(options: IntegrityTargetOptions): BlockStore {
  const { lower, metadata = lower, layout, mode, hash } = options
  // A device block may hold several blocks of the volume: it fails as a whole.
  const unitBlockCount = Math.max(layout.blockSize, lower.blockSize) / layout.blockSize
  const check = hash && checkOf({ ...options, hash }, options.allowDiscards, unitBlockCount)
  if (layout.isInline && check !== undefined) return inlineStore(lower, layout, check)
  // What is written back from a journal is in runs, and a tag that cannot be written has to fail there.
  const tagCacheSize = mode === "J" ? 0 : TAG_CACHE_SIZE
  return blockStore({ data: lower, metadata }, layout, mode === "R" ? undefined : check, { tagCacheSize })
}

/** The tags of a target's blocks. @param unitBlockCount blocks that fail together. */
export function checkOf(
  { layout, hash, salt }: Pick<IntegrityTargetOptions, "layout" | "salt"> & { readonly hash: UnitHash },
  acceptsFiller: boolean,
  unitBlockCount: number,
): TagCheck {
  const { blockSize, tagSize } = layout
  return tagCheck({ hash, blockSize, tagSize, salt: salt && new Uint8Array(salt), acceptsFiller, unitBlockCount })
}

/** A target over what its mode made of its blocks. */
export function integrityDevice(options: IntegrityTargetOptions, store: VolumeStore, isWritable: boolean): BlockDevice {
  const { lower, metadata = lower, layout, size, mode, hash, onEvent } = options
  const { tagSize } = layout
  const blockSize = Math.max(layout.blockSize, lower.blockSize)
  checkOptions(options, blockSize)
  const isChecked = hash !== undefined && mode !== "R"
  const canWrite = isWritable && !options.readOnly && lower.features.write && metadata.features.write
  let mismatchCount = 0

  function mismatch({ offset, length }: BadBlocks): BlockError {
    mismatchCount += 1
    const message = `integrity: ${length / blockSize} block(s) do not match their tags at offset ${offset}`
    onEvent?.({ kind: "corruption", device: "integrity", message, offset, length })
    return new BlockError("INTEGRITY", message, { offset, length })
  }

  return defineDevice({
    name: "integrity",
    size,
    blockSize,
    tagSize: hash === undefined ? tagSize : 0,
    features: {
      write: canWrite,
      discard: options.allowDiscards && canWrite,
      fua: canWrite && mode === "J",
      atomicSize: layout.isInline ? lower.features.atomicSize : (store.atomicSize ?? 0),
      optimalSize: PIECE_SIZE,
    },
    ordered: true,
    lowers: layout.isDataApart
      ? [
          { role: "data", device: lower },
          { role: "metadata", device: metadata },
        ]
      : [{ role: "data", device: lower }],
    extents: (offset, length) => areaRuns(layout, offset, length).flatMap((run) => extentsOf(run, layout)),
    status: () => ({
      mode,
      blockSize: layout.blockSize,
      tagSize,
      providedBytes: layout.providedBytes,
      mismatchCount,
      ...store.status?.(),
    }),
    async read(offset, buffer, tags) {
      if (!isChecked) return await store.readUnchecked(offset, buffer, hash === undefined ? tags : undefined)
      const bad = await store.read(offset, buffer)
      if (bad !== undefined) throw mismatch(bad)
    },
    async write(offset, data, { tags, fua }) {
      await store.write(offset, data, tags)
      if (fua) await store.flush()
    },
    flush: () => store.flush(),
    discard: (offset, length) => store.discard(offset, length),
    async close() {
      try {
        await store.close?.()
      } finally {
        hash?.destroy()
      }
    },
  })
}

function extentsOf(run: AreaRun, layout: IntegrityLayout): Extent[] {
  const role = layout.isDataApart ? "metadata" : "data"
  const data: Extent = { role: "data", offset: run.dataOffset, length: run.length }
  return run.tagLength === 0 ? [data] : [data, { role, offset: run.tagOffset, length: run.tagLength, kind: "tag" }]
}

function checkOptions(options: IntegrityTargetOptions, blockSize: number): void {
  const { lower, metadata, layout, size, hash, allowDiscards } = options
  if (layout.isDataApart !== (metadata !== undefined))
    throw new RangeError(`integrity: expected ${layout.isDataApart ? "a" : "no"} device for the metadata`)
  if (size > layout.providedBytes)
    throw new RangeError(`integrity: size: expected <= ${layout.providedBytes}, got ${size}`)
  const startUnit = metadata === undefined ? blockSize : metadata.blockSize
  if (layout.startBytes % startUnit !== 0) throw new RangeError(`integrity: start: expected a multiple of ${startUnit}`)
  // Areas start at multiples of 4096 bytes and no more.
  const largest = Math.max(lower.blockSize, metadata?.blockSize ?? 0)
  if (largest > 4096) throw new RangeError(`integrity: expected blocks <= 4096 below, got ${largest}`)
  if (hash === undefined && blockSize !== layout.blockSize) {
    throw new RangeError(
      `integrity: a tag store with blocks of ${layout.blockSize} needs them below, got ${lower.blockSize}`,
    )
  }
  if (layout.isInline) checkInline(options)
  if (hash === undefined && allowDiscards) throw new RangeError("integrity: discards need an internal hash")
}

function checkInline({ lower, layout, hash, mode, allowDiscards }: IntegrityTargetOptions): void {
  if (hash === undefined || mode !== "I" || allowDiscards)
    throw new RangeError("integrity: inline tags need mode I and an internal hash, and take no discards")
  if (lower.blockSize !== layout.blockSize || lower.tagSize < layout.tagSize) {
    throw new RangeError(
      `integrity: inline tags: expected blocks of ${layout.blockSize} with at least ${layout.tagSize} bytes below, got ${lower.blockSize} with ${lower.tagSize}`,
    )
  }
}
