import type { DeviceEvent } from "@blockstrata/device"
import { expect, test } from "vitest"
import { writeLimit } from "./write-limit.ts"

test("tells once at 2^31 sectors and refuses beyond 2^32", () => {
  const events: DeviceEvent[] = []
  const limit = writeLimit("crypt", (event) => events.push(event))
  limit.take(2 ** 31 - 1)
  expect(events).toEqual([])
  limit.take(1)
  limit.take(1)
  expect(events.map((event) => [event.kind, event.device])).toEqual([["limit", "crypt"]])
  limit.take(2 ** 31 - 2)
  expect(limit.sectorsWritten).toBe(2 ** 32 - 1)
  expect(() => limit.take(2)).toThrow(expect.objectContaining({ code: "REFUSED" }))
  limit.take(1)
  expect(() => limit.take(1)).toThrow(expect.objectContaining({ code: "REFUSED" }))
  expect(events.length).toBe(1)
})
