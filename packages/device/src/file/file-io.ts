import { BlockError } from "../block-error.ts"
import { errnoOf, requestError } from "./errno.ts"
import type { FileHost } from "./file-host.ts"
import type { IoPolicy } from "./io-mode.ts"

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
  read(area: FileArea, offset: number, bytes: Uint8Array): Promise<void>
  /** Writes all of `bytes`. On failure the error names the first block not written whole, up to the last. */
  write(area: FileArea, offset: number, bytes: Uint8Array): Promise<void>
}

export interface FileIoOptions {
  readonly host: FileHost
  readonly fd: number
  readonly blockSize: number
  readonly policy: IoPolicy
}

type Direction = "read" | "write"

/** How far a transfer came, and what stopped it. */
interface Outcome {
  readonly doneBytes: number
  /** A system error, or `end` where the file gave or took nothing. */
  readonly failure: unknown
}

/** Positional reads and writes that continue what the system cut short. Never moves the descriptor's own position. */
export function fileIo({ host, fd, blockSize, policy }: FileIoOptions): FileIo {
  /** In `sync` there is no await between the calls, so that a request is one step of this thread. */
  async function transfer(
    direction: Direction,
    bytes: Uint8Array,
    position: number,
    mode: "sync" | "threads",
  ): Promise<Outcome> {
    let doneBytes = 0
    let interruptionCount = 0
    while (doneBytes < bytes.length) {
      const length = Math.min(bytes.length - doneBytes, CALL_BYTES_MAX)
      let count: number
      try {
        if (mode === "sync") {
          const call = direction === "read" ? host.readSync : host.writeSync
          count = call(fd, bytes, doneBytes, length, position + doneBytes)
        } else count = await host[direction](fd, bytes, doneBytes, length, position + doneBytes)
      } catch (failure) {
        const errno = errnoOf(failure)
        interruptionCount += 1
        if ((errno === "EINTR" || errno === "EAGAIN") && interruptionCount <= INTERRUPTION_COUNT_MAX) continue
        return { doneBytes, failure }
      }
      // Neither is asked again: at its end a file gives nothing for ever.
      if (count === 0) return { doneBytes, failure: "end" }
      doneBytes += count
      interruptionCount = 0
    }
    return { doneBytes, failure: undefined }
  }

  /** How many units from `firstUnit` on fail: the blocks after them may be good, and the error must not blame them. */
  async function countFailingUnits(
    area: FileArea,
    position: number,
    unitCount: number,
    firstUnit: number,
  ): Promise<number> {
    const scratch = new Uint8Array(area.unitSize)
    for (let unit = firstUnit + 1; unit < unitCount; unit++) {
      const { failure } = await transfer(
        "read",
        scratch,
        position + unit * area.unitSize,
        policy("read", scratch.length),
      )
      if (failure === undefined) return unit - firstUnit
    }
    return unitCount - firstUnit
  }

  async function run(direction: Direction, area: FileArea, offset: number, bytes: Uint8Array): Promise<void> {
    const position = area.startBytes + (offset / blockSize) * area.unitSize
    const { doneBytes, failure } = await transfer(direction, bytes, position, policy(direction, bytes.length))
    if (failure === undefined) return
    const unitCount = bytes.length / area.unitSize
    const firstUnit = Math.floor(doneBytes / area.unitSize)
    const isProbed = direction === "read" && failure !== "end"
    const failingCount = isProbed
      ? await countFailingUnits(area, position, unitCount, firstUnit)
      : unitCount - firstUnit
    const place = { offset: offset + firstUnit * blockSize, length: failingCount * blockSize }
    if (failure !== "end") throw requestError(failure, direction, place)
    const what = direction === "read" ? "the file ends early: it was truncated while open" : "nothing was written"
    throw new BlockError("IO", `file: ${direction} failed at offset ${place.offset}: ${what}`, place)
  }

  return {
    read: (area, offset, bytes) => run("read", area, offset, bytes),
    write: (area, offset, bytes) => run("write", area, offset, bytes),
  }
}
