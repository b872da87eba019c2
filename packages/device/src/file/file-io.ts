import { BlockError } from "../block-error.ts"
import { errnoOf, requestError } from "./errno.ts"
import type { FileHost } from "./file-host.ts"
import type { RequestWay } from "./io-mode.ts"

/** What one system call moves at most: below the 2^31 - 1 that Node and Linux take. */
const CALL_BYTES_MAX = 1024 * 1024 * 1024
/** EINTR and EAGAIN in a row, without a byte moved, before it counts as a failure. */
const INTERRUPTION_COUNT_MAX = 100

/**
 * A part of the file in which each block of the device has one unit: `blockSize` bytes of data, or `tagSize` bytes of
 * tag.
 */
export interface FileArea {
  readonly startBytes: number
  readonly unitSize: number
}

export interface FileIo {
  /** Fills `bytes` with the units of the blocks from `offset`. `IO` at the first run of blocks that cannot be read. */
  read(area: FileArea, offset: number, bytes: Uint8Array, way: RequestWay): Promise<void>
  /** Writes all of `bytes`. On failure the error names the first block not written whole, up to the last. */
  write(area: FileArea, offset: number, bytes: Uint8Array, way: RequestWay): Promise<void>
}

export interface FileIoOptions {
  readonly host: FileHost
  readonly fd: number
  readonly blockSize: number
}

type Direction = "read" | "write"

/** How far a transfer came, and what stopped it. */
interface Outcome {
  doneBytes: number
  interruptionCount: number
  /** A system error, or `end` where the file gave or took nothing. */
  failure: unknown
}

/** One request on one area. */
interface Transfer {
  readonly direction: Direction
  readonly area: FileArea
  readonly offset: number
  readonly bytes: Uint8Array
  /** Bytes into the file. */
  readonly position: number
  readonly way: RequestWay
}

const SETTLED = Promise.resolve()

/** Positional reads and writes that continue what the system cut short. Never moves the descriptor's own position. */
export function fileIo({ host, fd, blockSize }: FileIoOptions): FileIo {
  /** No await between the calls: a request is one step of this thread, and costs no promise. */
  function transferSync(direction: Direction, bytes: Uint8Array, position: number): Outcome {
    const call = direction === "read" ? host.readSync : host.writeSync
    const outcome: Outcome = { doneBytes: 0, interruptionCount: 0, failure: undefined }
    while (goesOn(outcome, bytes)) {
      const { doneBytes } = outcome
      try {
        noteCount(outcome, call(fd, bytes, doneBytes, nextLength(bytes, doneBytes), position + doneBytes))
      } catch (failure) {
        noteFailure(outcome, failure)
      }
    }
    return outcome
  }

  async function transferOnThreads(direction: Direction, bytes: Uint8Array, position: number): Promise<Outcome> {
    const outcome: Outcome = { doneBytes: 0, interruptionCount: 0, failure: undefined }
    while (goesOn(outcome, bytes)) {
      const { doneBytes } = outcome
      try {
        noteCount(
          outcome,
          await host[direction](fd, bytes, doneBytes, nextLength(bytes, doneBytes), position + doneBytes),
        )
      } catch (failure) {
        noteFailure(outcome, failure)
      }
    }
    return outcome
  }

  /** How many units from `firstUnit` on fail: the blocks after them may be good, and the error must not blame them. */
  async function countFailingUnits(
    area: FileArea,
    position: number,
    unitCount: number,
    firstUnit: number,
    way: RequestWay,
  ): Promise<number> {
    const scratch = new Uint8Array(area.unitSize)
    for (let unit = firstUnit + 1; unit < unitCount; unit++) {
      const at = position + unit * area.unitSize
      const { failure } =
        way === "sync" ? transferSync("read", scratch, at) : await transferOnThreads("read", scratch, at)
      if (failure === undefined) return unit - firstUnit
    }
    return unitCount - firstUnit
  }

  function run(
    direction: Direction,
    area: FileArea,
    offset: number,
    bytes: Uint8Array,
    way: RequestWay,
  ): Promise<void> {
    const position = area.startBytes + (offset / blockSize) * area.unitSize
    const finish = (outcome: Outcome) =>
      outcome.failure === undefined ? SETTLED : fail({ direction, area, offset, bytes, position, way }, outcome)
    if (way === "sync") return finish(transferSync(direction, bytes, position))
    return transferOnThreads(direction, bytes, position).then(finish)
  }

  async function fail(
    { direction, area, offset, bytes, position, way }: Transfer,
    { doneBytes, failure }: Outcome,
  ): Promise<never> {
    const unitCount = bytes.length / area.unitSize
    const firstUnit = Math.floor(doneBytes / area.unitSize)
    const isProbed = direction === "read" && failure !== "end"
    const failingCount = isProbed
      ? await countFailingUnits(area, position, unitCount, firstUnit, way)
      : unitCount - firstUnit
    const place = { offset: offset + firstUnit * blockSize, length: failingCount * blockSize }
    if (failure !== "end") throw requestError(failure, direction, place)
    const what = direction === "read" ? "the file ends early: it was truncated while open" : "nothing was written"
    throw new BlockError("IO", `file: ${direction} failed at offset ${place.offset}: ${what}`, place)
  }

  return {
    read: (area, offset, bytes, way) => run("read", area, offset, bytes, way),
    write: (area, offset, bytes, way) => run("write", area, offset, bytes, way),
  }
}

function goesOn({ doneBytes, failure }: Outcome, bytes: Uint8Array): boolean {
  return failure === undefined && doneBytes < bytes.length
}

function nextLength(bytes: Uint8Array, doneBytes: number): number {
  return Math.min(bytes.length - doneBytes, CALL_BYTES_MAX)
}

function noteCount(outcome: Outcome, count: number): void {
  outcome.doneBytes += count
  outcome.interruptionCount = 0
  // Neither is asked again: at its end a file gives nothing for ever.
  if (count === 0) outcome.failure = "end"
}

function noteFailure(outcome: Outcome, failure: unknown): void {
  const errno = errnoOf(failure)
  outcome.interruptionCount += 1
  const isPassing = (errno === "EINTR" || errno === "EAGAIN") && outcome.interruptionCount <= INTERRUPTION_COUNT_MAX
  if (!isPassing) outcome.failure = failure
}
