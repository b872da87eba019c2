import { changedParts } from "./changed-parts.ts"
import type { Features } from "./naive-bayes.ts"
import type { Observation, ObservedRequest } from "./observation.ts"

/** What one observer makes of one run. */
export interface View {
  /** The places that it saw, one symbol for each time. */
  readonly addresses: readonly string[]
  /** Everything that it counts, places and more. */
  readonly features: Features
}

export interface Observer {
  readonly name: string
  readonly look: (observation: Observation) => View
}

/** Places are told apart as finely as this, and never finer than a sector. */
const PLACE_COUNT_MAX = 1024
const COARSE_COUNT = 16

/** Sees each request below as it comes: what, where, how long, when; and whether a flush follows. */
export const requestObserver: Observer = { name: "requests", look: requestView }

/** Sees the media now and then, and which parts of `partSize` bytes are not what they were. */
export function snapshotObserver(partSize: number): Observer {
  return { name: `snapshots, parts of ${partSize}`, look: (observation) => snapshotView(observation, partSize) }
}

class Tally {
  readonly counts = new Map<string, number>()

  add(feature: string, count = 1): void {
    this.counts.set(feature, (this.counts.get(feature) ?? 0) + count)
  }
}

function requestView({ trace, snapshots }: Observation): View {
  const sizes = new Map([...(snapshots[0]?.byName ?? [])].map(([name, { shape }]) => [name, shape.size]))
  const sizeOf = (medium: string): number => sizes.get(medium) ?? 1
  const addresses = trace.flatMap((request) => {
    const { medium, kind } = request
    return placesOf(request, sizeOf(medium)).map((place) => `${kind} ${medium} ${place}`)
  })
  const tally = new Tally()
  for (const address of addresses) tally.add(address)
  for (const request of trace) {
    const { medium, kind, offset, length, fua } = request
    tally.add(`${kind}${fua ? " fua" : ""} of ${length}`)
    tally.add(`${kind} ${medium} around ${Math.floor((offset / sizeOf(medium)) * COARSE_COUNT)}`)
  }
  addOrder(tally, trace)
  addTotals(tally, trace)
  return { addresses, features: tally.counts }
}

/** The places that a request touches, bytes; none of a flush. */
export function placesOf({ offset, length }: Pick<ObservedRequest, "offset" | "length">, mediumSize: number): number[] {
  const unit = Math.max(512, 2 ** Math.ceil(Math.log2(mediumSize / PLACE_COUNT_MAX)))
  const first = Math.floor(offset / unit)
  const count = length === 0 ? 0 : Math.ceil((offset + length) / unit) - first
  return Array.from({ length: count }, (_, index) => (first + index) * unit)
}

/** What follows what: kinds, distances, how long ago a place was last touched, and how long the observer waited. */
function addOrder(tally: Tally, trace: readonly ObservedRequest[]): void {
  const lastTouch = new Map<string, number>()
  const lastEnd = new Map<string, number>()
  let [previous, lastFlush] = [undefined as ObservedRequest | undefined, -1]
  for (const [index, request] of trace.entries()) {
    const { medium, kind, offset, length, time } = request
    tally.add(`${kind} after ${previous?.kind ?? "nothing"}`)
    tally.add(`wait ${scale(time - (previous?.time ?? 0))}`)
    previous = request
    if (kind === "flush") {
      tally.add(`flush after ${index - lastFlush}`)
      lastFlush = index
      continue
    }
    const place = `${medium} ${offset}`
    const touched = lastTouch.get(place)
    tally.add(touched === undefined ? "new place" : `touched ${scale(index - touched)} ago`)
    lastTouch.set(place, index)
    const step = offset - (lastEnd.get(medium) ?? 0)
    tally.add(`step ${Math.sign(step)} ${scale(Math.abs(step))}`)
    lastEnd.set(medium, offset + length)
  }
}

/** How much of what, and how long it took. */
function addTotals(tally: Tally, trace: readonly ObservedRequest[]): void {
  const totals = new Map<string, { count: number; bytes: number }>()
  for (const { kind, length } of trace) {
    const total = totals.get(kind) ?? { count: 0, bytes: 0 }
    totals.set(kind, { count: total.count + 1, bytes: total.bytes + length })
  }
  for (const [kind, { count, bytes }] of totals) {
    tally.add(`${kind}: ${count} in all`)
    tally.add(`${kind}: ${scale(bytes)} bytes`)
  }
  tally.add(`lasted ${scale(trace.at(-1)?.time ?? 0)}`)
}

function snapshotView({ snapshots }: Observation, partSize: number): View {
  const tally = new Tally()
  const addresses: string[] = []
  for (const [index, after] of snapshots.entries()) {
    const before = snapshots[index - 1]
    if (before === undefined) continue
    const parts = changedParts(before, after, partSize)
    for (const { medium, area, offset } of parts) {
      const address = `${index} ${medium} ${area} ${offset}`
      addresses.push(address)
      tally.add(address)
      tally.add(`${index} ${medium} ${area} in its sector ${offset % 512}`)
    }
    tally.add(`${index}: ${parts.length} in all`)
    tally.add(`${index}: ${scale(parts.length)}`)
  }
  return { addresses, features: tally.counts }
}

/** The power of two that is next below; 0 stays 0. */
function scale(value: number): number {
  return value < 1 ? 0 : 2 ** Math.floor(Math.log2(value))
}
