import { type BlockDevice, BlockError, type EventListener, hostRuntime } from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import type { BlockStore, VolumeStore } from "./block-store.ts"
import { nextSequence } from "./commit-id.ts"
import { checkOf, type IntegrityTargetOptions } from "./integrity-target.ts"
import { createInternalHash, internalHashNamed } from "./internal-hash.ts"
import { flushBoth, type JournalArea, journalArea } from "./journal-area.ts"
import { journalCrypt } from "./journal-crypt.ts"
import { journalMac } from "./journal-mac.ts"
import { applyReplay } from "./journal-replay.ts"
import { sectionEntryCount } from "./journal-section.ts"
import { journalStore } from "./journal-store.ts"
import type { IntegrityLayout } from "./layout.ts"
import type { JournalAlgorithm, OpenIntegrityOptions } from "./open-integrity.ts"
import { overlayReads } from "./overlay-store.ts"
import { planReplay, type ReplayOptions, type ReplayPlan } from "./replay-plan.ts"
import { replayedBlocks } from "./replayed-blocks.ts"

export interface VolumeJournalOptions {
  /** Where the journal lies. */
  readonly metadata: BlockDevice
  readonly layout: IntegrityLayout
  /** 16 bytes, where the superblock says fixed HMAC. */
  readonly salt: Uint8Array | undefined
  readonly journalMac?: JournalAlgorithm | undefined
  readonly journalCrypt?: JournalAlgorithm | undefined
  readonly engine: Engine
}

export interface RecoverJournalOptions extends ReplayOptions {
  readonly store: BlockStore
  readonly isReadOnly: boolean
  /** Makes data and tags durable. */
  readonly flush: () => Promise<void>
  readonly onEvent?: EventListener | undefined
}

export interface RecoveredJournal {
  readonly plan: ReplayPlan
  /** The volume with what its journal held. */
  readonly store: BlockStore
}

/**
 * Planning a replay takes some 60 bytes for each entry: this many are 4 GiB of blocks of 512 bytes, and more than a superblock
 * needs to claim on a device of holes. Linux keeps the whole journal in memory.
 */
const ENTRY_COUNT_MAX = 2 ** 23

/**
 * The journal of a volume; whoever asks destroys it.
 *
 * @throws BlockError `UNSUPPORTED` for one of more than 2^23 entries; as its MAC and its cipher.
 */
export function volumeJournal(options: VolumeJournalOptions): JournalArea {
  const { metadata, layout, salt, engine } = options
  const entryCount = layout.journal.sectionCount * sectionEntryCount(layout)
  if (entryCount > ENTRY_COUNT_MAX)
    throw new BlockError("UNSUPPORTED", `integrity: not built yet: a journal of ${entryCount} entries`, {
      operation: "open",
    })
  const crypt = options.journalCrypt && journalCrypt(engine, options.journalCrypt, layout.journal)
  try {
    const hash =
      options.journalMac &&
      createInternalHash(engine, internalHashNamed(options.journalMac.name, options.journalMac.key))
    const mac = hash && journalMac(layout, hash, salt)
    return journalArea({ lower: metadata, shape: layout, crypt, mac })
  } catch (error) {
    crypt?.destroy()
    throw error
  }
}

/** A fresh journal is of sequence 0. */
const AFTER_RESET = { startSection: 0, sequence: 1 }
const WATERMARK_DEFAULT = 50
const COMMIT_TIME_DEFAULT_MS = 10000

/** The journal of a volume that is being opened. */
export interface OpenedJournal {
  /** The volume with what its journal held. */
  readonly store: BlockStore
  /** Puts the journal in front of `store` in mode J, and in any mode ends with it. */
  begin(store: VolumeStore): VolumeStore
  /** Writes a journal without entries. */
  reset(): Promise<void>
  /** Needed only if `begin` was not called. */
  destroy(): void
}

/**
 * Recovers the journal of a volume. Read-only, nothing is written.
 *
 * @param isAbsent there is none, or a bitmap stands in its place: there is nothing to recover, and `reset` is called before `begin`.
 * @throws BlockError as `volumeJournal` and `recoverJournal`.
 */
export async function openJournal(
  target: IntegrityTargetOptions,
  store: BlockStore,
  options: Omit<OpenIntegrityOptions, "lower">,
  isAbsent: boolean,
): Promise<OpenedJournal> {
  const { lower, metadata = lower, layout, salt, mode, readOnly: isReadOnly, onEvent } = target
  const { engine = defaultEngine, runtime = hostRuntime, journalMac: mac, journalCrypt: crypt } = options
  const area = volumeJournal({ metadata, layout, salt, journalMac: mac, journalCrypt: crypt, engine })
  // No entry of a journal is a discard.
  const check = target.hash && checkOf({ ...target, hash: target.hash }, false, 1)
  const shared = { area, check, unitSize: Math.max(layout.blockSize, lower.blockSize), onEvent }
  const flush = () => store.flush()
  try {
    const isJournalMode = mode === "J"
    const recovery = { ...shared, layout, isJournalMode, isReadOnly, store, flush }
    const recovered = isAbsent ? undefined : await recoverJournal(recovery)
    return {
      store: recovered?.store ?? store,
      reset: () => area.clear(0, area.sectionCount, 0),
      destroy: () => area.destroy(),
      begin(volume) {
        if (!isJournalMode || isReadOnly) return { ...volume, close: () => closeBoth(volume, area) }
        return journalStore({
          ...shared,
          ...(recovered ? continuation(recovered.plan) : AFTER_RESET),
          store: volume,
          // The devices alone: tags are written through, and one that could not be is no failed flush.
          flush: () => flushBoth(lower, metadata),
          watermark: options.journalWatermark ?? WATERMARK_DEFAULT,
          commitTimeMs: options.commitTimeMs ?? COMMIT_TIME_DEFAULT_MS,
          atomicSizeBelow: Math.min(lower.features.atomicSize, metadata.features.atomicSize),
          runtime,
        })
      },
    }
  } catch (error) {
    area.destroy()
    throw error
  }
}

async function closeBoth(volume: VolumeStore, area: JournalArea): Promise<void> {
  try {
    await volume.close?.()
  } finally {
    area.destroy()
  }
}

/** Where writing goes on once a plan was applied. */
function continuation({ round, clears }: ReplayPlan): { readonly startSection: number; readonly sequence: number } {
  return clears ? { startSection: 0, sequence: nextSequence(round.eraseSequence) } : round
}

/**
 * Brings a volume up to what its journal says. Read-only, nothing is written: the store then reads from the journal what
 * stands there.
 *
 * @throws BlockError as `planReplay` and `applyReplay`.
 */
export async function recoverJournal(options: RecoverJournalOptions): Promise<RecoveredJournal> {
  const { area, store, isReadOnly, onEvent } = options
  const plan = await planReplay(options)
  if (plan.writtenCount > 0) {
    const message = `integrity: ${plan.writtenCount} block(s) from ${plan.round.sections.length} section(s) of the journal`
    onEvent?.({ kind: "recovered", device: "integrity", message })
  }
  if (!isReadOnly) {
    await applyReplay(plan, options)
    return { plan, store }
  }
  if (plan.writtenCount === 0) return { plan, store }
  const reads = overlayReads(store, replayedBlocks(plan, options), area.shape)
  return { plan, store: { ...store, ...reads } }
}
