import type { DeviceEvent } from "@blockstrata/device"
import { expect, test } from "vitest"
import { writeLimit } from "./write-limit.ts"

function counting(sectorsBefore: number) {
  const events: DeviceEvent[] = []
  return { events, limit: writeLimit({ device: "crypt", sectorsBefore, onEvent: (event) => events.push(event) }) }
}

const refused = expect.objectContaining({ name: "BlockError", code: "REFUSED" })

test("tells once at 2^31 sectors and refuses beyond 2^32", () => {
  const { limit, events } = counting(0)
  limit.take(2 ** 31 - 1)
  expect(events).toEqual([])
  limit.take(1)
  limit.take(1)
  expect(events.map((event) => [event.kind, event.device])).toEqual([["limit", "crypt"]])
  limit.take(2 ** 31 - 2)
  expect(limit.sectorsWritten).toBe(2 ** 32 - 1)
  expect(() => limit.take(2)).toThrow(refused)
  limit.take(1)
  expect(() => limit.take(1)).toThrow(refused)
  expect(events.length).toBe(1)
})

test.each([
  [2 ** 31 - 1, 1],
  [2 ** 31, 1],
  [2 ** 32 - 1, 1],
  [0, 2 ** 32],
])("with %i sectors before, a write of %i is told", (sectorsBefore, sectors) => {
  const { limit, events } = counting(sectorsBefore)
  expect(events).toEqual([])
  limit.take(sectors)
  expect(events.length).toBe(1)
  expect(limit.sectorsWritten).toBe(sectorsBefore + sectors)
})

test("an exhausted key writes nothing more", () => {
  for (const sectorsBefore of [2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    const { limit } = counting(sectorsBefore)
    expect(() => limit.take(1)).toThrow(refused)
    expect(limit.sectorsWritten).toBe(sectorsBefore)
  }
})

test.each([-1, 0.5, Number.NaN, 2 ** 53])("%d is no number of sectors", (sectorsBefore) => {
  expect(() => counting(sectorsBefore)).toThrow(RangeError)
})
