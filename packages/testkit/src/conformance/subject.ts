import type { BlockDevice } from "@blockstrata/device"
import { assert, assertBytes } from "../assertion.ts"
import { PROBE_NAME, type Probe, pause } from "../probe.ts"
import type { SeededRandom } from "../seeded-random.ts"
import { need } from "./conformance-case.ts"
import type { ConformanceOptions } from "./conformance-options.ts"

/** What a case works with: a fresh device, and randomness of its own. */
export interface Subject {
  readonly options: ConformanceOptions
  readonly device: BlockDevice
  /** Sees what reaches the base devices; without any, if `create` did not wrap them. */
  readonly probe: Probe
  readonly random: SeededRandom
  /** Opens again what the device, closed now, stood on; undefined if nobody can. */
  readonly reopen: (() => Promise<BlockDevice>) | undefined
}

/** Bytes of a device. */
export interface Run {
  readonly offset: number
  readonly length: number
}

/** A byte that is neither zero nor likely: buffers are filled with it before a read. */
export const POISON = 0xa5

/**
 * Brings a run into a known state, by writing to it where that is possible, and gives what reads of it must return.
 * Does not depend on what the run held before, which may be unreadable.
 */
export async function fill({ options, device, random }: Subject, offset: number, length: number): Promise<Uint8Array> {
  const { content = "kept" } = options
  if (content instanceof Uint8Array) return content.slice(offset, offset + length)
  if (!device.features.write) return await readByBlocks(device, offset, length)
  const data = random.bytes(length)
  await device.write(offset, data)
  return content === "zero" ? new Uint8Array(length) : data
}

/** Reads in one request, into poisoned memory. */
export async function read(device: BlockDevice, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length).fill(POISON)
  await device.read(offset, buffer)
  return buffer
}

/** Reads one block at a time: the slow way, as a reference for the others. */
export async function readByBlocks(device: BlockDevice, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length).fill(POISON)
  for (let start = 0; start < length; start += device.blockSize) {
    await device.read(offset + start, buffer.subarray(start, start + device.blockSize))
  }
  return buffer
}

/** Reads the run in one request and compares. */
export async function assertReads(
  device: BlockDevice,
  offset: number,
  expected: Uint8Array,
  what: string,
): Promise<void> {
  assertBytes(await read(device, offset, expected.length), expected, `${what}, read from offset ${offset}`)
}

/** The last `blockCountMax` blocks of the device, or all of them. */
export function tail(device: BlockDevice, blockCountMax: number): Run {
  const length = Math.min(device.size, blockCountMax * device.blockSize)
  return { offset: device.size - length, length }
}

/** A run of 1 to `blockCountMax` blocks somewhere in `within`. */
export function randomRun(random: SeededRandom, within: Run, blockSize: number, blockCountMax: number): Run {
  const blockCount = within.length / blockSize
  const count = 1 + random.below(Math.min(blockCountMax, blockCount))
  const first = random.below(blockCount - count + 1)
  return { offset: within.offset + first * blockSize, length: count * blockSize }
}

/** Writing changes what is read: on other devices the case says nothing. */
export function needKept({ options, device }: Subject): void {
  need(device.features.write, "read-only")
  need((options.content ?? "kept") === "kept", "keeps nothing that is written")
}

export function needTags({ device }: Subject): void {
  need(device.tagSize > 0, "no tags")
}

/** The case looks at what the device does below: a base device has nothing there. */
export function needProbe({ device, probe }: Subject): void {
  need(probe.bases.length > 0, "create wraps no base device")
  need(device.layer.name !== PROBE_NAME, "is itself a base device")
}

/** Delays every request below by a random number of turns, so that requests overtake each other. */
export function jitter({ probe, random }: Subject): void {
  const turns = random.below(2 ** 32)
  let count = 0
  probe.intercept = () => pause((Math.imul(++count, 0x9e3779b1) ^ turns) & 15)
}

/** Waits until all have settled, then throws the first failure. */
export async function allSettled(requests: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(requests)
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason
}

/** Each block of `actual` equals, as a whole, that block of one of the candidates. */
export function assertOneOf(
  actual: Uint8Array,
  candidates: readonly Uint8Array[],
  blockSize: number,
  what: string,
): void {
  for (let start = 0; start < actual.length; start += blockSize) {
    const isWhole = candidates.some((candidate) => equals(actual, candidate, start, start + blockSize))
    assert(isWhole, `${what}: block at ${start} is none of the ${candidates.length} that it may be, as a whole`)
  }
}

export function equals(left: Uint8Array, right: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (left[index] !== right[index]) return false
  return true
}
