import { BlockError } from "@blockstrata/device"
import { expect, it } from "vitest"
import type { CrashImage } from "./crash-image.ts"
import { createMedia } from "./media.ts"

const absent = (): CrashImage => "absent"
const whole = (): CrashImage => "whole"
const block = (value: number, length = 512) => new Uint8Array(length).fill(value)

async function firstByte(device: { read(offset: number, buffer: Uint8Array): Promise<void> }, offset = 0) {
  const bytes = new Uint8Array(512)
  await device.read(offset, bytes)
  return bytes[0]
}

/** Holds every request of one kind until `release`. */
function hold(media: ReturnType<typeof createMedia>, kind: string) {
  const { promise, resolve } = withResolvers()
  media.intercept = (event) => (event.kind === kind ? promise : undefined)
  return resolve
}

function withResolvers() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => void (resolve = settle))
  return { promise, resolve: () => resolve() }
}

it("gives the same medium by name, of one shape; a shape that no device has leaves none", async () => {
  const media = createMedia()
  const [one, again] = [media.medium("a", { size: 4096 }), media.medium("a", { size: 4096, blockSize: 512 })]
  await one.write(512, block(3))
  expect(await firstByte(again, 512)).toBe(3)
  expect(() => media.medium("a", { size: 8192 })).toThrow(RangeError)
  expect(() => media.medium("b", { size: 100 })).toThrow(RangeError)
  expect([...media.byName.keys()]).toEqual(["a"])
  expect(media.medium("b", { size: 512 }).size).toBe(512)
  expect(media.events).toEqual([])
})

it("records every request in the order of issue over all media, with the bytes as they landed", async () => {
  const media = createMedia({ record: true })
  const [a, b] = [media.medium("a", { size: 4096 }), media.medium("b", { size: 4096 })]
  const data = block(1)
  const release = hold(media, "write")
  const write = a.write(0, data, { fua: true })
  const flush = b.flush()
  await flush
  expect(media.inFlightCount()).toBe(1)
  data.fill(2)
  release()
  await write
  await a.discard(512, 512)
  await b.writeZeroes(0, 1024, { fua: true })
  await firstByte(a)
  expect(media.events.map(({ medium, kind, offset, length, fua }) => [medium, kind, offset, length, fua])).toEqual([
    ["a", "write", 0, 512, true],
    ["b", "flush", 0, 0, false],
    ["a", "discard", 512, 512, false],
    ["b", "writeZeroes", 0, 1024, true],
    ["a", "read", 0, 512, false],
  ])
  const issued = media.events.map(({ issuedAt }) => issuedAt)
  expect(issued).toEqual(issued.toSorted((left, right) => left - right))
  const [held, passed] = media.events
  expect(held!.landedAt).toBeGreaterThan(passed!.landedAt!)
  expect(held!.data).toEqual(block(2))
  expect(media.inFlightCount()).toBe(0)
})

it("keeps tags with their blocks, torn by none but between blocks", async () => {
  const media = createMedia()
  const shape = { size: 16384, blockSize: 4096, tagSize: 8 }
  const device = media.medium("t", shape)
  expect(device.features).toMatchObject({ discard: false, atomicSize: 4096 })
  await device.write(0, block(1, 16384), { tags: block(1, 32), fua: true })
  await device.write(0, block(2, 12288), { tags: block(2, 24) })
  await device.write(4096, block(3, 4096))
  media.crash(({ length }) => (length === 4096 ? "absent" : "every other unit"))
  const [data, tags] = [new Uint8Array(16384), new Uint8Array(32)]
  await media.medium("t", shape).read(0, data, tags)
  const blocks = [0, 1, 2, 3].map((index) => new Set(data.subarray(index * 4096, index * 4096 + 4096)))
  expect(blocks.map((values) => [...values])).toEqual([[2], [1], [2], [1]])
  expect([...tags]).toEqual([2, 1, 2, 1].flatMap((value) => [...block(value, 8)]))
})

it("kills what is open when the power fails, on every medium, and only then", async () => {
  const media = createMedia({ record: true })
  const open = () => [media.medium("a", { size: 4096 }), media.medium("b", { size: 4096 })] as const
  const [a, b] = open()
  await a.write(0, block(1))
  await b.write(0, block(1))
  await b.flush()
  media.crash(absent)
  const count = media.events.length
  for (const request of [
    () => a.read(0, block(0)),
    () => b.write(0, block(9)),
    () => a.flush(),
    () => b.discard(0, 512),
  ])
    await expect(request()).rejects.toMatchObject({ code: "IO" })
  await expect(a.close()).rejects.toMatchObject({ code: "IO" })
  expect(media.events.length).toBe(count)
  const [reopened, other] = open()
  expect([await firstByte(reopened), await firstByte(other)]).toEqual([0, 1])
})

it("may keep what was under way in a crash, never what a request does after it", async () => {
  for (const [image, expected] of [
    [absent, 0],
    [whole, 5],
  ] as const) {
    const media = createMedia({ record: true })
    const device = media.medium("a", { size: 4096 })
    const release = hold(media, "write")
    const data = block(5)
    const write = device.write(0, data, { fua: true })
    media.crash(image)
    media.intercept = undefined
    data.fill(6)
    release()
    await expect(write).rejects.toMatchObject({ code: "IO", offset: 0, length: 512 })
    expect(await firstByte(media.medium("a", { size: 4096 }))).toBe(expected)
    expect(media.inFlightCount()).toBe(0)
  }
})

it("does not bring back in a second crash what the first one cut off", async () => {
  const media = createMedia()
  const open = () => media.medium("a", { size: 4096 })
  const release = hold(media, "write")
  const dead = open().write(0, block(5))
  media.crash(absent)
  media.intercept = undefined
  const device = open()
  await device.write(0, block(7), { fua: true })
  media.crash(whole)
  expect(await firstByte(open())).toBe(7)
  release()
  await expect(dead).rejects.toMatchObject({ code: "IO" })
  expect(await firstByte(open())).toBe(7)
})

it("makes durable by a flush what had landed when it was issued, if it ends", async () => {
  const media = createMedia()
  const open = () => media.medium("a", { size: 4096 })
  const device = open()
  await device.write(0, block(1))
  const release = hold(media, "flush")
  const flush = device.flush()
  await device.write(512, block(1))
  release()
  await flush
  media.intercept = () => Promise.reject(new Error("lost"))
  await expect(device.flush()).rejects.toBeDefined()
  expect(
    media.byName
      .get("a")
      ?.pending()
      .map(({ offset }) => offset),
  ).toEqual([512])
  media.intercept = undefined
  media.crash(absent)
  expect([await firstByte(open()), await firstByte(open(), 512)]).toEqual([1, 0])
})

it("forks what reads give, on media of their own", async () => {
  const media = createMedia({ record: true })
  const device = media.medium("a", { size: 4096 })
  await device.write(0, block(1))
  const fork = media.fork()
  fork.crash(absent)
  const copy = fork.medium("a", { size: 4096 })
  expect(await firstByte(copy)).toBe(1)
  await copy.write(0, block(2))
  expect([await firstByte(device), await firstByte(copy)]).toEqual([1, 2])
  expect(fork.events.map(({ kind }) => kind)).toEqual(["read", "write", "read"])
})

it("lets a request wait and fail after it took effect: it has landed, and only its answer is late or lost", async () => {
  const media = createMedia()
  const open = () => media.medium("a", { size: 4096 })
  const device = open()
  media.afterwards = ({ offset, length }) => {
    if (offset === 512) throw new BlockError("IO", "lost", { offset, length })
  }
  await device.write(0, block(1))
  await expect(device.write(512, block(2))).rejects.toMatchObject({ code: "IO" })
  const { promise, resolve } = withResolvers()
  media.afterwards = () => promise
  const late = device.write(1024, block(3))
  await Promise.resolve()
  const medium = media.byName.get("a")
  expect([medium?.pending().map(({ offset }) => offset), medium?.changeCount]).toEqual([[0, 512, 1024], 3])
  expect(media.inFlightCount()).toBe(1)
  // Each once: what has landed is not under way as well.
  const seen: number[] = []
  media.crash(({ offset }) => {
    seen.push(offset)
    return "whole"
  })
  expect(seen).toEqual([0, 512, 1024])
  resolve()
  await expect(late).rejects.toMatchObject({ code: "IO" })
  media.afterwards = undefined
  expect([await firstByte(open()), await firstByte(open(), 512), await firstByte(open(), 1024)]).toEqual([1, 2, 3])
})
