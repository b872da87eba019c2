import type { BlockDevice, BlockError } from "@blockstrata/device"
import { type CrashImage } from "../media/crash-image.ts"
import type { Media } from "../media/media.ts"
import type { Medium } from "../media/medium.ts"
import type { MediumEvent } from "../media/medium-event.ts"
import { pause } from "../probe.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import { seededRuntime } from "../seeded-runtime.ts"
import type { CrashInvariant, SeededWish } from "./crash-moment.ts"
import { allStates, type StateLimits, sampledStates, stateCount } from "./crash-states.ts"
import { type Choice, type Epoch, epochsOf, pendingOf } from "./epoch.ts"
import type { Timeline } from "./timeline.ts"

/** How a stack is opened: with `isNew`, formatted first. */
export type CreateSeededStack = (wish: SeededWish) => Promise<BlockDevice> | BlockDevice

/** What was visited. */
export interface CrashCounts {
  /** Crash states that were opened, those of crashes during recovery included. */
  stateCount: number
  /** Of those, the ones of a crash while a stack was being opened after a crash. */
  recoveryStateCount: number
  epochCount: number
  /** Epochs of which every permitted state was visited. */
  exhaustiveEpochCount: number
  /** Epochs that have more states than the bound. */
  sampledEpochCount: number
  /** States in which at least one block could not be read, as the device states that it may be. */
  unreadableStateCount: number
  /** States that `create` refused to open, and was permitted to. */
  refusedStateCount: number
}

/** All that a search for a bad state needs to know, whatever made its timeline. */
export interface CrashSearch<Moment> extends StateLimits {
  readonly create: CreateSeededStack
  readonly invariant: CrashInvariant<Moment>
  readonly mayRefuse: (error: BlockError) => boolean
  readonly atomicSize: 0 | 512
  readonly seed: number
  /** 2: crashes during recovery too, in this share of the states (0 ... 1). */
  readonly depth: 1 | 2
  readonly recoveryShare: number
  readonly followUp: boolean
  /** Reads everything in every state. */
  readonly isThorough: boolean
  /** The search ends without a finding after so many states. */
  readonly stateCountMax: number
  readonly counts: CrashCounts
  /** Looks for a bad state among those of a recovery; all of them, if not given. */
  readonly nested?: ((recovery: Timeline<Moment>) => Promise<Finding<Moment> | undefined>) | undefined
}

/** One state of a timeline by its epoch and the images of its changes, by their ordinals; what is not named is absent. */
export interface StatePlace {
  readonly epoch: number
  readonly images: Readonly<Record<number, CrashImage>>
}

/** A state that breaks its promise. `places`: the crash, and the crash during the recovery from it. */
export interface Finding<Moment> {
  readonly problem: string
  /** Everything was right at first, but the stack did not go on working. */
  readonly isLater: boolean
  readonly places: readonly StatePlace[]
  readonly epochs: readonly Epoch<Moment>[]
  readonly choices: readonly Choice[]
}

/** Opens one state and looks at it. */
export type VisitState<Moment> = (
  search: CrashSearch<Moment>,
  epoch: Epoch<Moment>,
  choice: Choice,
  depth: number,
) => Promise<Finding<Moment> | undefined>

/** Visits the states of a timeline until one breaks its promise. */
export async function searchTimeline<Moment>(
  search: CrashSearch<Moment>,
  timeline: Timeline<Moment>,
  depth: number,
  visit: VisitState<Moment>,
): Promise<Finding<Moment> | undefined> {
  const { counts } = search
  // The state in which nothing of a recovery is left is the one that the recovery began with.
  let isBeforeComplete = depth > 1
  for (const epoch of epochsOf(timeline, search.atomicSize === 0)) {
    const isContinued = (epoch.isContinued || (depth > 1 && epoch.index === 0)) && isBeforeComplete
    const pending = pendingOf(epoch)
    if (isContinued && !pending.some(({ isNew }) => isNew)) continue
    const imageCounts = pending.map(({ images }) => images.length)
    isBeforeComplete = stateCount(imageCounts) <= search.exhaustiveStateCount
    counts.epochCount++
    if (isBeforeComplete) counts.exhaustiveEpochCount++
    else counts.sampledEpochCount++
    const states = isBeforeComplete
      ? allStates(imageCounts)
      : sampledStates(imageCounts, search.randomStateCount, seededRandom(search.seed, `epoch ${epoch.index}`))
    for (const choice of states) {
      if (isContinued && isOld(pending, choice)) continue
      if (counts.stateCount >= search.stateCountMax) return undefined
      const finding = await visit(search, epoch, choice, depth)
      if (finding !== undefined) return finding
    }
  }
  return undefined
}

function isOld(pending: readonly { readonly isNew: boolean }[], choice: Choice): boolean {
  return pending.every(({ isNew }, index) => !isNew || choice[index] === 0)
}

/** A number that depends on all of a state and on the seed: what is left to chance in it is the same in every run. */
export function stateNumber(seed: number, epoch: number, choice: Choice): number {
  let hash = Math.imul((seed + 0x9e3779b9 * (epoch + 1)) >>> 0, 0x85ebca6b) >>> 0
  for (const image of choice) hash = Math.imul(hash ^ (image + 1), 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return (hash ^ (hash >>> 13)) >>> 0
}

/** What `create` is given. */
export function wishFor(media: Media, isNew: boolean, seed: number): SeededWish {
  return {
    medium: (name, shape) => media.medium(name, shape),
    isNew,
    minimumSizeBytes: 0,
    base: (device) => device,
    runtime: seededRuntime(seed),
  }
}

/** Lets the requests of media take different times, so that they overtake each other. */
export function delayRequests(media: Media, random: SeededRandom, onIssue?: (event: MediumEvent) => void): void {
  media.intercept = (event) => {
    onIssue?.(event)
    return pause(random.below(6) === 0 ? random.below(24) : random.below(4))
  }
}

/** Media of their own with the same content, all of it durable. */
export function forkMedia(media: ReadonlyMap<string, Medium>): Map<string, Medium> {
  return new Map([...media].map(([name, medium]) => [name, medium.fork()]))
}

/** The name of a state that `StatePlace` gives; the other way is `choiceAt`. */
export function placeOf<Moment>(epoch: Epoch<Moment>, choice: Choice): StatePlace {
  const images: Record<number, CrashImage> = {}
  for (const [index, change] of pendingOf(epoch).entries()) {
    const image = change.images[choice[index] ?? 0] ?? "absent"
    if (image !== "absent") images[change.ordinal] = image
  }
  return { epoch: epoch.index, images }
}

/** @throws RangeError if the epoch has no such change or image: the stack does not do what it did. */
export function choiceAt<Moment>(epoch: Epoch<Moment>, { images }: StatePlace): Choice {
  const pending = pendingOf(epoch)
  const known = pending.filter(({ ordinal }) => ordinal in images)
  const choice = Uint8Array.from(pending, (change) => change.images.indexOf(images[change.ordinal] ?? "absent"))
  if (known.length !== Object.keys(images).length || choice.includes(255)) {
    throw new RangeError("crash: the stack makes other requests than when this state was found")
  }
  return choice
}
