import {
  type BlockDevice,
  BlockError,
  defineDevice,
  hostRuntime,
  type Operation,
  type Runtime,
} from "@blockstrata/device"
import { type LowerPartOptions, lowerPart } from "../lower-part.ts"

/** What happens to one byte of each request in the down interval. */
export interface FlakeyCorruption {
  /** Which byte of the request, counted from 1; a shorter request stays as it is. */
  readonly byteNumber: number
  readonly direction: "read" | "write"
  /** What the byte becomes, 0 to 255. */
  readonly value: number
  /** Bits of a Linux bio that a request must have, all of them: 1 says a write, 2^17 FUA; others never match. 0 if not given. */
  readonly flags?: number | undefined
}

export interface FlakeyOptions extends LowerPartOptions {
  /** Seconds, whole, from the making of the target: all is well. */
  readonly upSeconds: number
  /** Seconds, whole, that then are bad, before all is well again. Together they are 1 to 2^32 - 1. */
  readonly downSeconds: number
  /** In the down interval writes, flushes and discards succeed and do nothing, or fail; reads are good. */
  readonly writes?: "drop" | "error" | undefined
  /** With `direction: "write"` not together with `writes`. */
  readonly corruption?: FlakeyCorruption | undefined
  /** The clock; the host's if not given. */
  readonly runtime?: Runtime | undefined
}

const U32_MAX = 2 ** 32 - 1
/** Of a Linux 6.1 bio: what a request here can tell of itself. */
const OPERATION_WRITE = 1
const FLAG_FUA = 2 ** 17

/** Why no flakey device can be; `undefined` if it can. */
export function flakeyProblem({ upSeconds, downSeconds, writes, corruption }: FlakeyOptions): string | undefined {
  if (!isBetween(upSeconds, 0) || !isBetween(downSeconds, 0)) return "intervals: expected whole seconds"
  if (!isBetween(upSeconds + downSeconds, 1)) return "intervals: expected 1 to 2^32 - 1 seconds together"
  if (corruption === undefined) return undefined
  const { byteNumber, direction, value, flags = 0 } = corruption
  if (!isBetween(byteNumber, 1)) return "corruption: bytes are counted from 1"
  if (!isBetween(value, 0) || value > 255) return `corruption: expected a value from 0 to 255, got ${value}`
  if (!isBetween(flags, 0)) return "corruption: flags: expected 32 bits"
  return direction === "write" && writes !== undefined ? "corruption of writes that are dropped or fail" : undefined
}

function isBetween(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= U32_MAX
}

/**
 * A range of the lower device that is good for some seconds, then bad for some seconds, and so on.
 *
 * Promises: in the up interval a linear target. In the down interval without further options every request fails with
 * `IO`; else what `writes` and `corruption` say, and nothing else.
 * Does not promise: `corruption` of reads as a 6.1 kernel has it: that one takes the words and corrupts no read.
 * Attacks that remain: all that the lower device leaves.
 *
 * @throws RangeError if the range or the options cannot be.
 * Source: Linux, admin-guide/device-mapper/dm-flakey.
 */
export function flakeyTarget(options: FlakeyOptions): BlockDevice {
  const { lower, upSeconds, downSeconds, writes, corruption, runtime = hostRuntime } = options
  const part = lowerPart("flakey", options)
  const problem = flakeyProblem(options)
  if (problem !== undefined) throw new RangeError(`flakey: ${problem}`)
  const startMs = runtime.now()
  const isDown = () => Math.floor((runtime.now() - startMs) / 1000) % (upSeconds + downSeconds) >= upSeconds
  const readsFail = writes === undefined && corruption === undefined
  const fail = (operation: Operation, place?: { offset: number; length: number }): never => {
    throw new BlockError("IO", `flakey: ${operation} fails in the down interval`, place)
  }
  /** Whether a change in the down interval goes on. */
  const goesOn = (operation: Operation, place?: { offset: number; length: number }): boolean => {
    if (!isDown() || (writes === undefined && corruption !== undefined)) return true
    return writes === "drop" ? false : fail(operation, place)
  }
  const corrupts = (direction: "read" | "write", bits: number, length: number) =>
    corruption?.direction === direction && matches(bits, corruption.flags ?? 0) && corruption.byteNumber <= length

  return defineDevice({
    ...part,
    status: () => ({ upSeconds, downSeconds, state: isDown() ? "down" : "up" }),
    async read(offset, buffer, tags) {
      // The state in which a request came is the state in which it ends.
      const wasDown = isDown()
      if (wasDown && readsFail) fail("read", { offset, length: buffer.length })
      await part.read(offset, buffer, tags)
      if (wasDown && corruption && corrupts("read", 0, buffer.length))
        buffer[corruption.byteNumber - 1] = corruption.value
    },
    async write(offset, data, how) {
      if (!goesOn("write", { offset, length: data.length })) return
      const bits = OPERATION_WRITE + (how.fua ? FLAG_FUA : 0)
      if (!corruption || !isDown() || !corrupts("write", bits, data.length)) return await part.write(offset, data, how)
      const corrupted = new Uint8Array(data)
      corrupted[corruption.byteNumber - 1] = corruption.value
      await part.write(offset, corrupted, how)
    },
    async flush() {
      if (goesOn("flush")) await lower.flush()
    },
    async discard(offset, length) {
      if (goesOn("discard", { offset, length })) await part.discard(offset, length)
    },
  })
}

/** Whether `bits` has all of `wanted`. */
function matches(bits: number, wanted: number): boolean {
  return (BigInt(bits) & BigInt(wanted)) === BigInt(wanted)
}
