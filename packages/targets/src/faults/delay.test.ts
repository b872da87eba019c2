import { memoryDevice } from "@blockstrata/device"
import { seededRuntime } from "@blockstrata/testkit"
import { expect, test } from "vitest"
import { type DelayOptions, delayTarget } from "./delay.ts"

const SIZE = 8192

/** The promise, and whether it has settled by now. */
function watch(promise: Promise<void>): { promise: Promise<void>; isDone: () => Promise<boolean> } {
  let done = false
  const watched = promise.then(() => {
    done = true
  })
  const isDone = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    return done
  }
  return { promise: watched, isDone }
}

test("reads, writes and flushes wait for their own time, side by side, and go to their own devices", async () => {
  const runtime = seededRuntime(1)
  const media = Array.from({ length: 3 }, (_, index) => new Uint8Array(2 * SIZE).fill(index))
  const [read, write, flush] = media.map((bytes, index) => ({
    lower: memoryDevice({ bytes }),
    start: index * 512,
    delayMs: 10 * (index + 1),
  })) as [DelayOptions["read"], DelayOptions["read"], DelayOptions["read"]]
  const device = delayTarget({ read, write, flush, size: SIZE, runtime })
  const buffer = new Uint8Array(512)
  const requests = [
    { ms: 10, ...watch(device.read(0, buffer)) },
    { ms: 20, ...watch(device.write(512, new Uint8Array(512).fill(9))) },
    { ms: 20, ...watch(device.discard(1024, 512)) },
    { ms: 30, ...watch(device.flush()) },
  ]
  expect(device.layer.status()).toEqual({ reads: 1, writes: 2, flushes: 1 })
  for (let now = 0; now < 40; now += 1) {
    for (const { ms, isDone } of requests) expect(await isDone()).toBe(now >= ms)
    runtime.advance(1)
  }
  expect(device.layer.status()).toEqual({ reads: 0, writes: 0, flushes: 0 })
  expect(buffer).toEqual(new Uint8Array(512))
  expect(media[1]?.subarray(1024, 2048)).toEqual(new Uint8Array(1024).fill(9, 0, 512))
  expect(media[0]).toEqual(new Uint8Array(2 * SIZE))
})

test("a delay longer than a host's timer is waited for in full", async () => {
  const runtime = seededRuntime(1)
  const read = { lower: memoryDevice({ size: SIZE }), start: 0, delayMs: 2 ** 32 - 1 }
  const device = delayTarget({ read, size: SIZE, runtime })
  const request = watch(device.read(0, new Uint8Array(512)))
  runtime.advance(2 ** 31 - 1)
  expect(await request.isDone()).toBe(false)
  runtime.advance(2 ** 31 - 1)
  expect(await request.isDone()).toBe(false)
  runtime.advance(1)
  expect(await request.isDone()).toBe(true)
})

test.each<[string, (path: DelayOptions["read"]) => DelayOptions]>([
  ["a negative delay", (read) => ({ read: { ...read, delayMs: -1 }, size: SIZE })],
  ["half a millisecond", (read) => ({ read: { ...read, delayMs: 0.5 }, size: SIZE })],
  ["a range beyond", (read) => ({ read, write: { ...read, start: 512 }, size: SIZE })],
  ["flushes without writes", (read) => ({ read, flush: read, size: SIZE })],
  ["other tags", (read) => ({ read, write: { ...read, lower: memoryDevice({ size: SIZE, tagSize: 4 }) }, size: SIZE })],
])("refuses %s", (_, options) => {
  const path = { lower: memoryDevice({ size: SIZE }), start: 0, delayMs: 0 }
  expect(() => delayTarget(options(path))).toThrow(RangeError)
})
