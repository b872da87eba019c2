import fc from "fast-check"
import { expect, it } from "vitest"
import { type CrashImage, crashImages } from "./crash-image.ts"
import { Medium } from "./medium.ts"
import type { MediumEvent } from "./medium-event.ts"

const SECTOR_COUNT = 8
const SHAPE = { size: SECTOR_COUNT * 512, blockSize: 512, tagSize: 0 }

interface Change {
  readonly kind: "write" | "writeZeroes" | "discard"
  readonly first: number
  readonly count: number
  readonly fua: boolean
}

const change = fc.record({
  kind: fc.constantFrom<Change["kind"]>("write", "write", "writeZeroes", "discard"),
  first: fc.nat(SECTOR_COUNT - 1),
  count: fc.integer({ min: 1, max: 5 }),
  fua: fc.integer({ min: 0, max: 4 }).map((chance) => chance === 0),
})
/** Whether a flush is issued before or after `lag` changes land says what it makes durable. */
const step = fc.oneof(
  { weight: 4, arbitrary: change },
  fc.record({ kind: fc.constant("flush" as const), lag: fc.nat(3) }),
)

/** What a sector held, oldest first. */
type History = { readonly value: number; readonly landedAt: number; isDurable: boolean }[]

function run(steps: readonly (Change | { kind: "flush"; lag: number })[]) {
  const medium = new Medium("m", SHAPE)
  const sectors: History[] = Array.from({ length: SECTOR_COUNT }, () => [{ value: 0, landedAt: -1, isDurable: true }])
  let clock = 0
  for (const one of steps) {
    if (one.kind === "flush") {
      const issuedAt = Math.max(0, clock++ - one.lag)
      medium.land(event({ kind: "flush", offset: 0, length: 0, issuedAt, landedAt: clock++ }))
      for (const entry of sectors.flat()) entry.isDurable ||= entry.landedAt < issuedAt
      continue
    }
    const count = Math.min(one.count, SECTOR_COUNT - one.first)
    const value = one.kind === "write" ? 1 + (clock % 255) : 0
    const [issuedAt, landedAt] = [clock++, clock++]
    medium.land(
      event({
        ...{ kind: one.kind, offset: one.first * 512, length: count * 512, fua: one.fua, issuedAt, landedAt },
        data: one.kind === "write" ? new Uint8Array(count * 512).fill(value) : undefined,
      }),
    )
    for (const history of sectors.slice(one.first, one.first + count))
      history.push({ value, landedAt, isDurable: one.fua })
  }
  return { medium, sectors }
}

function event(given: Partial<MediumEvent> & Pick<MediumEvent, "kind">): MediumEvent {
  const none = { data: undefined, tags: undefined, landedAt: undefined }
  return { medium: "m", offset: 0, length: 0, fua: false, issuedAt: 0, ...none, ...given }
}

function valuesOf({ data }: { data: { read(offset: number, buffer: Uint8Array): void } }): number[] {
  const bytes = new Uint8Array(SHAPE.size)
  data.read(0, bytes)
  return Array.from({ length: SECTOR_COUNT }, (_, index) => {
    const sector = bytes.subarray(index * 512, index * 512 + 512)
    expect(new Set(sector).size, "a torn sector").toBe(1)
    return sector[0]!
  })
}

/** Which sectors of a change an image leaves there, by its name alone. */
function isLeft(image: CrashImage, index: number): boolean {
  if (image === "first unit") return index === 0
  if (image === "all but the first unit") return index > 0
  return image === "every other unit" ? index % 2 === 0 : image === "whole"
}

it("keeps after a crash exactly what flushes and FUA promised, and of the rest what the image says", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), (steps, choice) => {
      const { medium, sectors } = run(steps)
      expect(valuesOf(medium.current)).toEqual(sectors.map((history) => history.at(-1)!.value))

      const pending = medium.pending()
      const images = new Map<number, { image: CrashImage; first: number }>()
      for (const [index, { landedAt, offset, length }] of pending.entries()) {
        const permitted = crashImages(length, 512, false)
        images.set(landedAt!, { image: permitted[(choice + index * 7) % permitted.length]!, first: offset / 512 })
      }
      const expected = sectors.map((history, sector) => {
        const left = history.filter(({ isDurable, landedAt }) => {
          const chosen = images.get(landedAt)
          return isDurable || (chosen !== undefined && isLeft(chosen.image, sector - chosen.first))
        })
        return left.at(-1)!.value
      })
      expect(valuesOf(medium.afterCrash((lost) => images.get(lost.landedAt!)!.image))).toEqual(expected)

      const durable = sectors.map((history) => history.findLast(({ isDurable }) => isDurable)!.value)
      expect(valuesOf(medium.afterCrash(() => "absent"))).toEqual(durable)
      // Asking changes nothing; a flush of everything leaves nothing to lose.
      expect(medium.pending()).toEqual(pending)
      medium.land(event({ kind: "flush", issuedAt: 1e9, landedAt: 1e9 + 1 }))
      expect(medium.pending()).toEqual([])
      expect(valuesOf(medium.afterCrash(() => "absent"))).toEqual(valuesOf(medium.current))
    }),
  )
})

it("tells what is pending in the order in which it landed, also behind a change that is durable", () => {
  const { medium } = run([
    { kind: "write", first: 0, count: 2, fua: false },
    { kind: "write", first: 1, count: 2, fua: true },
    { kind: "discard", first: 4, count: 1, fua: false },
  ])
  expect(medium.pending().map(({ kind, offset }) => [kind, offset])).toEqual([
    ["write", 0],
    ["discard", 2048],
  ])
  const [first, second] = [medium.afterCrash(() => "whole"), medium.current].map(valuesOf)
  expect(first).toEqual(second)
})

it("forks and restores: all of it is durable, and neither side sees the other's changes", () => {
  const { medium } = run([{ kind: "write", first: 0, count: 8, fua: false }])
  const fork = medium.fork()
  const before = valuesOf(medium.current)
  fork.land(event({ kind: "discard", length: 4096, landedAt: 1 }))
  expect(valuesOf(medium.current)).toEqual(before)
  expect(valuesOf(fork.afterCrash(() => "absent"))).toEqual(before)
  medium.restore(medium.afterCrash(() => "absent"))
  expect([valuesOf(medium.current), medium.pending()]).toEqual([[0, 0, 0, 0, 0, 0, 0, 0], []])
  expect(valuesOf(fork.current)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
})

it("knows which images differ", () => {
  expect(crashImages(512, 512, false)).toEqual(["absent", "whole"])
  expect(crashImages(1024, 512, false)).toEqual(["absent", "whole", "first unit", "all but the first unit"])
  expect(crashImages(1536, 512, true)).toHaveLength(6)
  const medium = new Medium("m", SHAPE)
  medium.land(event({ kind: "write", length: 512, data: new Uint8Array(512).fill(7), fua: true, landedAt: 0 }))
  medium.land(event({ kind: "write", length: 512, data: new Uint8Array(512).fill(8), landedAt: 1 }))
  expect(valuesOf(medium.afterCrash(() => "zeroed"))[0]).toBe(0)
})

it("keeps through a crash what was altered in a fork and restored", () => {
  const { medium } = run([{ kind: "write", first: 0, count: 8, fua: true }])
  const altered = medium.current.fork()
  altered.data.write(512, new Uint8Array(512).fill(99))
  expect(valuesOf(medium.current)[1]).not.toBe(99)
  medium.restore(altered)
  expect(valuesOf(medium.afterCrash(() => "absent"))[1]).toBe(99)
})

it("puts back what was altered by hand, wherever a write has carried it since", () => {
  const medium = new Medium("m", SHAPE)
  medium.current.data.write(0, Uint8Array.of(9))
  for (const fua of [true, false]) {
    const data = new Uint8Array(512)
    medium.current.data.read(0, data)
    medium.land(event({ kind: "write", length: 512, data, fua, landedAt: 0 }))
  }
  medium.putBack("data", 0, 9, 0)
  const contents = [medium.current, medium.afterCrash(() => "whole"), medium.afterCrash(() => "absent")]
  expect(contents.map((content) => valuesOf(content)[0])).toEqual([0, 0, 0])
})
