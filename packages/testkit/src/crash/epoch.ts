import { applyImage, type CrashImage, crashImages } from "../media/crash-image.ts"
import { Medium } from "../media/medium.ts"
import type { MediumContent, MediumGeometry } from "../media/medium-content.ts"
import { isChange, type MediumEvent } from "../media/medium-event.ts"
import type { Owed, Timeline, TimelinePoint } from "./timeline.ts"

/** A change of an epoch. */
export interface EpochChange<Moment> {
  readonly event: MediumEvent
  /** Its place among all changes of the timeline, in the order of issue. */
  readonly ordinal: number
  /** A crash cannot undo it: it is here because an earlier change, below it, may still be lost. */
  readonly isDurable: boolean
  /** What a crash may leave of it: absent, whole, and the rest. */
  readonly images: readonly CrashImage[]
  readonly owed: Owed<Moment>
  /** Not yet on its way in the epoch before. */
  readonly isNew: boolean
}

/**
 * A stretch of a timeline in which nothing becomes durable, no more is owed, and no change overtakes another of the same
 * place, seen at its end: then every change of
 * it is on its way, and a crash at any earlier place leaves what a crash at the end leaves with the later ones absent.
 *
 * So each state is visited once, with what was owed at the first place at which it was possible: when the last change
 * of which it holds anything was issued. In between, the expectation only widens (more may have been written), so what
 * is right at the first place is right at all; that is what `owed` of the latest present change says.
 */
export interface Epoch<Moment> {
  readonly index: number
  /** What is durable, below all of `changes`. */
  readonly base: ReadonlyMap<string, { readonly shape: MediumGeometry; readonly content: MediumContent }>
  /** Of all media; later ones lie over earlier ones. */
  readonly changes: readonly EpochChange<Moment>[]
  /** What is owed if nothing of the changes is left. */
  readonly start: Owed<Moment>
  /**
   * The epoch began because something became durable, not because more is owed. Then a state that holds nothing new is
   * one of the epoch before (with what became durable whole), and nothing else was owed there.
   */
  readonly isContinued: boolean
}

/** The changes that a crash may lose, in their order. */
export function pendingOf<Moment>({ changes }: Epoch<Moment>): EpochChange<Moment>[] {
  return changes.filter(({ isDurable }) => !isDurable)
}

/** One state: for each pending change of an epoch, the index of its image; 0 is absent. */
export type Choice = Uint8Array

/** The media after the crash that left this. */
export function mediaAfter<Moment>(epoch: Epoch<Moment>, choice: Choice): Map<string, Medium> {
  const media = new Map<string, Medium>()
  for (const [name, { shape, content }] of epoch.base) media.set(name, new Medium(name, shape, content.fork()))
  let index = 0
  for (const { event, isDurable, images } of epoch.changes) {
    const image = isDurable ? "whole" : (images[choice[index++] ?? 0] as CrashImage)
    if (image !== "absent") applyImage((media.get(event.medium) as Medium).current, event, image)
  }
  for (const medium of media.values()) medium.restore(medium.current)
  return media
}

/** What is owed in this state. */
export function owedIn<Moment>(epoch: Epoch<Moment>, choice: Choice): Moment {
  let latest = epoch.start
  let index = 0
  for (const { owed, isDurable } of epoch.changes) {
    if ((isDurable || choice[index++] !== 0) && owed.at > latest.at) latest = owed
  }
  return latest.moment
}

interface Growing<Moment> {
  readonly event: MediumEvent
  readonly ordinal: number
  readonly images: readonly CrashImage[]
  readonly owed: Owed<Moment>
  isDurable: boolean
  isNew: boolean
}

/** Cuts a timeline into its epochs. `mayZero`: media that tear everything. */
export function* epochsOf<Moment>(timeline: Timeline<Moment>, mayZero: boolean): Generator<Epoch<Moment>> {
  const base = new Map<string, { shape: MediumGeometry; content: MediumContent }>()
  for (const [name, { shape, current }] of timeline.media) base.set(name, { shape, content: current.fork() })
  let start: Owed<Moment> = { at: -1, moment: timeline.start }
  let landed: Growing<Moment>[] = []
  const onTheWay = new Map<MediumEvent, Growing<Moment>>()
  let index = 0
  let ordinal = 0
  let isContinued = false

  function close(): Epoch<Moment> {
    const forks = [...base].map(([name, { shape, content }]) => [name, { shape, content: content.fork() }] as const)
    const changes = [...landed, ...onTheWay.values()].map((change) => ({ ...change }))
    for (const change of [...landed, ...onTheWay.values()]) change.isNew = false
    return { index: index++, base: new Map(forks), changes, start, isContinued }
  }
  /** Only those at the front of their medium can become part of what lies below. */
  function advance(): void {
    const stuck = new Set<string>()
    landed = landed.filter(({ event, isDurable, owed }) => {
      if (!isDurable || stuck.has(event.medium)) {
        stuck.add(event.medium)
        return true
      }
      base.get(event.medium)?.content.apply(event, 0, event.length)
      if (owed.at > start.at) start = owed
      return false
    })
  }
  function becomesDurable(point: TimelinePoint<Moment>): Growing<Moment>[] {
    if (point.kind !== "landed") return []
    const { event } = point
    if (isChange(event)) return event.fua ? [onTheWay.get(event) as Growing<Moment>] : []
    return landed.filter(
      ({ event: { medium, landedAt = Number.POSITIVE_INFINITY }, isDurable }) =>
        !isDurable && medium === event.medium && landedAt < event.issuedAt,
    )
  }

  for (const point of timeline.points) {
    const durable = becomesDurable(point)
    const isOvertaking = overtakes(point, onTheWay.keys())
    if (durable.length > 0 || point.kind === "owed" || isOvertaking) {
      yield close()
      isContinued = point.kind !== "owed" && !isOvertaking
    }
    if (point.kind === "issued") {
      const { event, at, moment } = point
      const unit = base.get(event.medium)?.content.unit ?? 0
      const images = imagesOf(event, unit, mayZero)
      onTheWay.set(event, { event, ordinal: ordinal++, images, owed: { at, moment }, isDurable: false, isNew: true })
    } else if (point.kind === "landed" && isChange(point.event)) {
      landed.push(onTheWay.get(point.event) as Growing<Moment>)
      onTheWay.delete(point.event)
    } else if (point.kind === "owed") {
      start = point
    }
    for (const change of durable) change.isDurable = true
    if (durable.length > 0) advance()
  }
  yield close()
}

/** A change lands below one that was issued before it and lies in part in the same place: what lay above lies below now. */
function overtakes<Moment>(point: TimelinePoint<Moment>, onTheWay: Iterable<MediumEvent>): boolean {
  if (point.kind !== "landed" || !isChange(point.event)) return false
  const { medium, offset, length } = point.event
  for (const earlier of onTheWay) {
    if (earlier === point.event) return false
    if (earlier.medium === medium && earlier.offset < offset + length && offset < earlier.offset + earlier.length) {
      return true
    }
  }
  return false
}

/** Zeroes that are torn, whole or zeroed: the last two are the same. */
function imagesOf(event: MediumEvent, unit: number, mayZero: boolean): CrashImage[] {
  return crashImages(event.length, unit, mayZero && (event.kind === "write" || event.tags !== undefined))
}
