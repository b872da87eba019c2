import { expect, inject, it } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { applyImage, type CrashImage, crashImages } from "../media/crash-image.ts"
import { Medium } from "../media/medium.ts"
import type { MediumContent } from "../media/medium-content.ts"
import type { MediumEvent } from "../media/medium-event.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import { allStates, sampledStates, stateCount } from "./crash-states.ts"
import { epochsOf, mediaAfter, owedIn, pendingOf } from "./epoch.ts"
import type { TimelinePoint } from "./timeline.ts"

const SIZE = 4096
const NAMES = ["one", "two"]
const shape = { size: SIZE, blockSize: 512, tagSize: 0 }

/** By how often more was owed before: the contents of all media, each with the least moment of which it was asked. */
type States = Map<number, Map<string, number>>

function add(states: States, generation: number, contents: readonly MediumContent[], moment: number): void {
  const found = states.get(generation) ?? new Map<string, number>()
  const key = contents.map(keyOf).join("|")
  states.set(generation, found.set(key, Math.min(moment, found.get(key) ?? moment)))
}

const keyOf = (content: MediumContent): string => {
  const bytes = new Uint8Array(SIZE)
  content.data.read(0, bytes)
  return Array.from({ length: SIZE / 512 }, (_, sector) => bytes[sector * 512]).join()
}

/** Changes and flushes of two media in random order, some under way for a while; `owed` points in between. */
function randomPoints(random: SeededRandom): TimelinePoint<number>[] {
  const points: TimelinePoint<number>[] = []
  const underWay: MediumEvent[] = []
  let clock = 0
  let value = 0
  const land = (): void => {
    const event = underWay.splice(random.below(underWay.length), 1)[0] as MediumEvent
    event.landedAt = clock++
    points.push({ kind: "landed", event, at: event.landedAt })
  }
  for (let count = 0; count < 7; count++) {
    if (underWay.length > 0 && random.below(2) === 0) land()
    const draw = random.below(10)
    const isFlush = draw < 3
    const length = random.below(4) === 0 ? 1024 : 512
    const event: MediumEvent = {
      medium: random.pick(NAMES),
      kind: isFlush ? "flush" : draw === 3 ? "discard" : "write",
      offset: isFlush ? 0 : 512 * random.below(6),
      length: isFlush ? 0 : length,
      fua: draw === 4,
      issuedAt: clock++,
      landedAt: undefined,
      data: draw > 3 ? new Uint8Array(length).fill(++value) : undefined,
      tags: undefined,
    }
    if (draw === 9) points.push({ kind: "owed", at: clock++, moment: 2 * clock })
    if (!isFlush) points.push({ kind: "issued", event, at: event.issuedAt, moment: 2 * event.issuedAt + 1 })
    underWay.push(event)
  }
  while (underWay.length > 0) land()
  return points.sort((a, b) => a.at - b.at)
}

/** The same, by the media themselves: after each point, every image of every change that may be lost. */
function statesByMedia(points: readonly TimelinePoint<number>[]): States {
  const media = new Map(NAMES.map((name) => [name, new Medium(name, shape)]))
  const underWay = new Set<MediumEvent>()
  const found: States = new Map()
  let generation = 0
  let moment = -1
  const visit = (): void => {
    const changes = [...NAMES.flatMap((name) => (media.get(name) as Medium).pending()), ...underWay]
    const images = changes.map(({ length }) => crashImages(length, 512, false))
    for (const choice of allStates(images.map(({ length }) => length))) {
      const imageOf = (event: MediumEvent) => images[changes.indexOf(event)]?.[choice[changes.indexOf(event)] as number]
      const contents = new Map(
        [...media].map(([name, medium]) => [name, medium.afterCrash((event) => imageOf(event) as CrashImage)]),
      )
      for (const event of underWay)
        applyImage(contents.get(event.medium) as MediumContent, event, imageOf(event) as CrashImage)
      add(found, generation, [...contents.values()], moment)
    }
  }
  visit()
  for (const point of points) {
    if (point.kind !== "landed") moment = point.moment
    if (point.kind === "issued") underWay.add(point.event)
    else if (point.kind === "owed") generation++
    else {
      underWay.delete(point.event)
      const medium = media.get(point.event.medium) as Medium
      // Landing makes it durable with FUA; while it is under way, it was not.
      medium.land(point.event)
    }
    visit()
  }
  return found
}

/** By the epochs: content and generation of what was owed. */
function statesByEpochs(points: readonly TimelinePoint<number>[]): { found: States; count: number } {
  const media = new Map(NAMES.map((name) => [name, new Medium(name, shape)]))
  const found: States = new Map()
  const owed = points.filter(({ kind }) => kind === "owed").map(({ at }) => at)
  let count = 0
  for (const epoch of epochsOf({ media, start: -1, points }, false)) {
    const pending = pendingOf(epoch)
    if (epoch.isContinued && !pending.some(({ isNew }) => isNew)) continue
    for (const choice of allStates(pending.map(({ images }) => images.length))) {
      if (epoch.isContinued && pending.every(({ isNew }, index) => !isNew || choice[index] === 0)) continue
      count++
      const moment = owedIn(epoch, choice)
      const at = moment % 2 === 0 ? moment / 2 - 1 : (moment - 1) / 2
      const generation = owed.filter((place) => place <= at).length
      const contents = mediaAfter(epoch, choice)
      add(
        found,
        generation,
        NAMES.map((name) => (contents.get(name) as Medium).current),
        moment,
      )
    }
  }
  return { found, count }
}

it("the epochs of a timeline hold every state that the media permit, each with what was owed, and no other", () => {
  const random = seededRandom(inject("seed"), "timelines")
  let visited = 0
  let byMedia = 0
  for (let run = runCount(30); run > 0; run--) {
    const points = randomPoints(random)
    const expected = statesByMedia(points)
    const { found, count } = statesByEpochs(points)
    expect(found).toEqual(expected)
    visited += count
    for (const states of expected.values()) byMedia += states.size
  }
  // Different subsets may give the same content, but not many times over.
  expect(visited).toBeGreaterThanOrEqual(byMedia)
})

it("all states are as many as their product, and different", () => {
  const states = Array.from(allStates([2, 3, 5]), (choice) => choice.join())
  expect(new Set(states).size).toBe(stateCount([2, 3, 5]))
  expect([...allStates([])]).toHaveLength(1)
})

it("samples hold every singleton, pair, prefix and suffix, and what is random, once each", () => {
  const counts = [5, 2, 6, 3, 4, 5, 2]
  const states = [...sampledStates(counts, 50, seededRandom(1))].map((choice) => [...choice].join())
  expect(new Set(states).size).toBe(states.length)
  for (const wanted of [
    "0,0,5,0,0,0,0",
    "1,1,5,0,0,0,0",
    "1,0,1,1,1,1,1",
    "0,1,0,0,0,1,0",
    "1,1,1,0,0,0,0",
    "0,0,0,1,1,1,1",
  ]) {
    expect(states).toContain(wanted)
  }
  expect(states.length).toBeGreaterThan(100)
})
