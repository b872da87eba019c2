import { type BlockDevice, BlockError, type BlockErrorCode } from "@blockstrata/device"
import { assertZeroes } from "../assertion.ts"
import { equals } from "../conformance/subject.ts"
import { type AttackedVolume, openStack } from "./attacked-volume.ts"

/**
 * What the reader got, worst first: `chosen`, what the attacker wanted; `old`, what the owner wrote there at another time;
 * `noise`, what nobody wrote; `resized`, a device of another size; `refused`, an error that says so and nothing wrong;
 * `unharmed`, what the owner last wrote, everywhere.
 */
export type Outcome = "chosen" | "old" | "noise" | "resized" | "refused" | "unharmed"

export const OUTCOMES: readonly Outcome[] = ["chosen", "old", "noise", "resized", "refused", "unharmed"]

/** Whether the reader took something for what the owner last wrote that is not. */
export function isUndetected(outcome: Outcome): boolean {
  return outcome !== "refused" && outcome !== "unharmed"
}

const REFUSALS: readonly BlockErrorCode[] = [
  "INTEGRITY",
  "CORRUPT",
  "STALE",
  "WRONG_KEY",
  "INVALID",
  "UNSUPPORTED",
  "REFUSED",
]
/** A byte that is neither zero nor likely. */
const POISON = 0xa5

/**
 * Opens the volume as its owner would and reads all of it, in one request and then by the block: the worst of what came.
 *
 * @throws Error for what no attack may cause: an error that is no `BlockError`, one of another code, bytes in the buffer
 * of a failed read.
 */
export async function readAsOwner(volume: AttackedVolume): Promise<Outcome> {
  const found = new Set<Outcome>()
  const device = await attempt(found, () => openStack(volume.stack, volume, volume.random, "reader"))
  if (device !== undefined) {
    await readAll(volume, device, found)
    await device.close()
  }
  return worstOf(found)
}

/** Does what the owner does while the attacker watches. @returns false if the owner was warned by a refusal. */
export async function ownerSucceeds(action: () => Promise<void>): Promise<boolean> {
  const found = new Set<Outcome>()
  await attempt(found, action)
  return !found.has("refused")
}

/** What a reader of any kind got: the size of the device, and each block, or undefined where it was refused. */
export interface Reading {
  readonly size: number
  readonly blocks: readonly (Uint8Array | undefined)[]
}

/** The worst of what came. An undefined reading is a device that did not open. */
export function judgeReading(volume: AttackedVolume, reading: Reading | undefined): Outcome {
  const found = new Set<Outcome>()
  if (reading === undefined) return "refused"
  if (reading.size !== volume.blocks.length * volume.blockSize) found.add("resized")
  for (const [index, block] of reading.blocks.entries()) {
    found.add(block === undefined ? "refused" : judge(volume, index, block))
  }
  return worstOf(found)
}

function worstOf(found: ReadonlySet<Outcome>): Outcome {
  return OUTCOMES.find((outcome) => found.has(outcome)) ?? "unharmed"
}

async function readAll(volume: AttackedVolume, device: BlockDevice, found: Set<Outcome>): Promise<void> {
  const size = volume.blocks.length * volume.blockSize
  if (device.size !== size) found.add("resized")
  const readable = Math.min(size, device.size)
  const step = Math.max(device.blockSize, volume.blockSize)
  await readRange(volume, device, 0, readable, found)
  for (let offset = 0; offset + step <= readable; offset += step) await readRange(volume, device, offset, step, found)
}

async function readRange(
  volume: AttackedVolume,
  device: BlockDevice,
  offset: number,
  length: number,
  found: Set<Outcome>,
): Promise<void> {
  const buffer = new Uint8Array(length).fill(POISON)
  const isRead = await attempt(found, async () => {
    await device.read(offset, buffer)
    return true
  })
  if (isRead === undefined) return assertZeroes(buffer, `buffer of a refused read at ${offset}`)
  const { blockSize } = volume
  for (let at = 0; at < length; at += blockSize) {
    found.add(judge(volume, (offset + at) / blockSize, buffer.subarray(at, at + blockSize)))
  }
}

function judge({ blocks, history, wanted }: AttackedVolume, index: number, bytes: Uint8Array): Outcome {
  if (isEqual(bytes, blocks[index])) return "unharmed"
  if (history[index]?.some((old) => isEqual(bytes, old))) return "old"
  return isEqual(bytes, wanted.get(index)) ? "chosen" : "noise"
}

async function attempt<Value>(found: Set<Outcome>, action: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof BlockError) || !REFUSALS.includes(error.code))
      throw new Error(`expected a refusal, got ${String(error)}`, { cause: error })
    found.add("refused")
    return undefined
  }
}

function isEqual(left: Uint8Array, right: Uint8Array | undefined): boolean {
  return right?.length === left.length && equals(left, right, 0, left.length)
}
