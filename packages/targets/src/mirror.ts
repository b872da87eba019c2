import {
  type BlockDevice,
  BlockError,
  defineDevice,
  type EventListener,
  type Features,
  RangeLock,
} from "@blockstrata/device"
import { DoubtfulRanges } from "./doubtful-ranges.ts"
import { linearTarget } from "./linear.ts"
import { rangeProblem } from "./lower-range.ts"
import { agreeBeforeDeparture } from "./mirror-agreement.ts"
import { MirrorLegs } from "./mirror-legs.ts"
import { MirrorReads } from "./mirror-reads.ts"
import { type ResyncOptions, resyncLegs } from "./mirror-resync.ts"

/** Where a leg lies: from `start` (bytes) of `lower`. */
export interface MirrorLeg {
  readonly lower: BlockDevice
  readonly start: number
}

export interface MirrorOptions {
  /** At least two. */
  readonly legs: readonly MirrorLeg[]
  /** Bytes; a multiple of the largest `blockSize` below. */
  readonly size: number
  /** Places in `legs` of those that are known not to be current; none, if not given. Only `resync` makes them so. */
  readonly staleLegs?: readonly number[] | undefined
  /**
   * Records durably that these legs are no longer current, so that the next opening gets them as `staleLegs`. With it a
   * mirror goes on without a leg that fails a write or a flush: nothing is acknowledged before it resolves; if it rejects,
   * the change does too, and the next one asks again. Without it a change that not every leg took is rejected.
   *
   * One that records nothing gives up what `flush` promises: the next opening may read an old leg as if it were current.
   */
  readonly onLegFailure?: ((staleLegs: readonly number[]) => Promise<void> | void) | undefined
  readonly onEvent?: EventListener | undefined
}

/** A mirror, and how its legs are made equal. */
export interface Mirror {
  readonly device: BlockDevice
  /**
   * Makes every leg hold what the mirror reads as, beside requests: after a crash, or once a stale leg is to be current again.
   * Resolves when all legs are current, equal and flushed: whoever records stale legs may then forget them.
   *
   * @throws BlockError of what no leg could give, or of a leg that could not be written: stale legs stay stale, the others
   * are equal but there. `BUSY` while another is under way, `READ_ONLY` if a leg is. RangeError if `from` is no leg.
   */
  resync(options?: ResyncOptions): Promise<void>
}

/** Why these legs cannot carry a mirror; `undefined` if they can. */
export function mirrorProblem({ legs, size, staleLegs = [] }: MirrorOptions): string | undefined {
  if (legs.length < 2) return "legs: expected at least two"
  if (legs.every((_, index) => staleLegs.includes(index))) return "legs: expected one that is current"
  const blockSize = Math.max(...legs.map(({ lower }) => lower.blockSize))
  const tagSizes = new Set(legs.map(({ lower }) => lower.tagSize))
  const blockSizes = new Set(legs.map(({ lower }) => lower.blockSize))
  if (tagSizes.size > 1 || (!tagSizes.has(0) && blockSizes.size > 1)) return "tags: expected alike on all legs"
  return legs
    .map(({ lower, start }) => rangeProblem(lower, start, size, blockSize))
    .find((problem) => problem !== undefined)
}

/**
 * The same bytes on every leg: RAID 1.
 *
 * Promises: what a leg cannot give (`IO`, `INTEGRITY`, `CORRUPT`) comes from another and is written to the first again,
 * with events `corruption` and `repaired`. What no leg can give is an error, and nothing is written. A change is
 * acknowledged once every leg took it, or those that did not are recorded as stale; a stale leg is never read. Where a rejected
 * change left the legs different one of them answers, and hands on what it answered before it is dropped; if it cannot, no
 * change is acknowledged that it does not take, until what is in doubt was written anew.
 * Does not promise: that legs are checked. Each has to check itself, as dm-integrity does: what a plain device gives is
 * believed. The mirror keeps no metadata. After a crash legs may differ where writes were under way: reads always ask the
 * first leg, so that they agree, until it fails; `resync` before the first read is what keeps them agreeing then.
 * Attacks that remain: who can alter one leg of plain devices alters the mirror; of authenticated legs, who can bring back
 * an old state of one.
 *
 * A request is one request to each leg, and of a request that a leg fails, only the failed part goes to the next one.
 * @throws RangeError if the legs do not fit below, are not alike, or none is current.
 * Source: Linux, device-mapper's mirror target (dm-raid1.c); it takes a leg out after a failed read and mends nothing.
 */
export function mirrorTarget(options: MirrorOptions): Mirror {
  const { size, staleLegs = [], onLegFailure, onEvent } = options
  const problem = mirrorProblem(options)
  if (problem !== undefined) throw new RangeError(`mirror: ${problem}`)
  // In its own range each leg has the bytes of the mirror, and its errors name them.
  const devices = options.legs.map(({ lower, start }) =>
    start === 0 && lower.size === size ? lower : linearTarget({ lower, start, size }),
  )
  const blockSize = Math.max(...devices.map((device) => device.blockSize))
  const tagSize = devices[0]?.tagSize ?? 0
  const features = commonFeatures(devices, blockSize)
  const doubtful = new DoubtfulRanges()
  // Not the edge's: `resync` has to take its turn among the requests.
  const lock = new RangeLock()
  const legs: MirrorLegs = new MirrorLegs({
    ...{ devices, staleLegs, onLegFailure, onEvent },
    agreeBefore: (first, kept, own, go) =>
      agreeBeforeDeparture({ reads, doubtful, lock, size }, { first, kept, own, go }),
  })
  const reads = new MirrorReads({ legs, doubtful, blockSize, tagSize, canRepair: features.write, onEvent })
  let isClosing = false
  let resyncing: Promise<void> | undefined

  async function change(
    offset: number,
    length: number,
    request: (device: BlockDevice) => Promise<void>,
  ): Promise<void> {
    const range = { offset, length }
    await lock.hold([range], "exclusive", async () => {
      try {
        await legs.change(request, { range })
      } catch (error) {
        doubtful.add(range)
        throw error
      }
      doubtful.remove(range)
    })
  }

  const device = defineDevice({
    name: "mirror",
    size,
    blockSize,
    tagSize,
    features,
    lowers: devices.map((leg, index) => ({ role: `leg${index}`, device: leg })),
    extents: (offset, length) => devices.map((_, index) => ({ role: `leg${index}`, offset, length })),
    status: () => ({
      ...Object.fromEntries(
        legs.all.map(({ index, state, isWeak }) => [`leg${index}`, isWeak ? `${state}, weak` : state]),
      ),
      ...reads.counts,
    }),
    read: (offset, data, tags) =>
      lock.hold([{ offset, length: data.length }], "shared", async () => {
        reads.throwLost(await reads.read({ offset, length: data.length, data, tags }))
      }),
    write: (offset, data, how) => change(offset, data.length, (leg) => leg.write(offset, data, how)),
    flush: () => legs.change((leg) => leg.flush()),
    discard: (offset, length) => change(offset, length, (leg) => leg.discard(offset, length)),
    writeZeroes: (offset, length, how) => change(offset, length, (leg) => leg.writeZeroes(offset, length, how)),
    async blockStatus(offset, length) {
      const [first] = reads.order({ offset, length })
      return (await first?.device.blockStatus(offset, length)) ?? []
    },
    async close() {
      isClosing = true
      await resyncing?.catch(() => {})
    },
  })

  async function resync(how: ResyncOptions = {}): Promise<void> {
    const { from } = how
    if (from !== undefined && devices[from] === undefined) throw new RangeError(`mirror: from: no leg ${from}`)
    if (!features.write) throw new BlockError("READ_ONLY", "mirror: resync of a read-only leg")
    if (resyncing !== undefined) throw new BlockError("BUSY", "mirror: a resync is under way")
    const parts = { legs, reads, doubtful, lock, size, blockSize, isClosing: () => isClosing }
    resyncing = resyncLegs(parts, how)
    try {
      await resyncing
    } finally {
      resyncing = undefined
    }
    onEvent?.({ kind: "recovered", device: "mirror", message: "mirror: all legs are current and equal" })
  }

  return { device, resync }
}

/** What all legs can do. A block may come from one leg and its neighbour from another: nothing larger is atomic. */
function commonFeatures(devices: readonly BlockDevice[], blockSize: number): Features {
  const features = devices.map((device) => device.features)
  return {
    write: features.every((feature) => feature.write),
    discard: features.every((feature) => feature.discard),
    writeZeroes: features.every((feature) => feature.writeZeroes),
    fua: features.every((feature) => feature.fua),
    atomicSize: features.reduce((size, feature) => Math.min(size, feature.atomicSize), blockSize),
    optimalSize: features.reduce((size, feature) => Math.max(size, feature.optimalSize), blockSize),
  }
}
