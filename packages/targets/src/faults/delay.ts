import { type BlockDevice, defineDevice, hostRuntime, type Runtime, settleAll } from "@blockstrata/device"
import { lowerPart } from "../lower-part.ts"
import { rangeProblem } from "../lower-range.ts"

/** Where requests of one class go, and how long they wait before. */
export interface DelayedPath {
  readonly lower: BlockDevice
  /** Bytes into `lower`; a multiple of its `blockSize`. */
  readonly start: number
  /** Milliseconds, whole, 0 to 2^32 - 1. */
  readonly delayMs: number
}

export interface DelayOptions {
  readonly read: DelayedPath
  /** Writes and discards; the path of reads if not given. */
  readonly write?: DelayedPath | undefined
  /** Flushes; the path of writes if not given. Only with `write`. */
  readonly flush?: DelayedPath | undefined
  /** Bytes. */
  readonly size: number
  readonly runtime?: Runtime | undefined
}

const DELAY_MS_MAX = 2 ** 32 - 1
/** A host's timers keep at most 31 bits of milliseconds. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Why these paths carry no device; `undefined` if they do. */
export function delayProblem({ read, write, flush, size }: DelayOptions): string | undefined {
  const paths = [read, write, flush].filter((path) => path !== undefined)
  if (flush !== undefined && write === undefined) return "a path for flushes without one for writes"
  if (paths.some(({ delayMs }) => !Number.isSafeInteger(delayMs) || delayMs < 0 || delayMs > DELAY_MS_MAX)) {
    return "delay: expected milliseconds from 0 to 2^32 - 1"
  }
  if (write !== undefined && write.lower.tagSize !== read.lower.tagSize) return "tags: expected alike on all paths"
  const blockSize = Math.max(...paths.map(({ lower }) => lower.blockSize))
  if (read.lower.tagSize > 0 && write !== undefined && write.lower.blockSize !== read.lower.blockSize) {
    return "blocks: expected alike on all paths that carry tags"
  }
  return paths
    .map(({ lower, start }) => rangeProblem(lower, start, size, blockSize))
    .find((problem) => problem !== undefined)
}

/**
 * A range of the lower device that answers late; reads, writes and flushes each from a device of their own if asked.
 *
 * Promises: each request reaches its lower device when its delay is over, on the runtime's clock, and then a linear
 * target. Requests wait side by side. A flush makes durable what the writing device holds, wherever flushes go.
 * Does not promise: that `close` comes before what waits; where reads have a device of their own, that they see writes.
 * Attacks that remain: all that the lower devices leave.
 *
 * @throws RangeError if the ranges or the delays cannot be.
 * Source: Linux, admin-guide/device-mapper/delay.
 */
export function delayTarget(options: DelayOptions): BlockDevice {
  const problem = delayProblem(options)
  if (problem !== undefined) throw new RangeError(`delay: ${problem}`)
  const { read, write = read, flush = write, size, runtime = hostRuntime } = options
  const reads = lowerPart("delay", { ...read, size })
  const writes = lowerPart("delay", { ...write, size })
  const lowers = [
    { role: "data", device: read.lower },
    ...(write === read ? [] : [{ role: "write", device: write.lower }]),
    ...(flush === write ? [] : [{ role: "flush", device: flush.lower }]),
  ]
  const waiting = { reads: 0, writes: 0, flushes: 0 }

  async function late(
    kind: keyof typeof waiting,
    { delayMs }: DelayedPath,
    action: () => Promise<void>,
  ): Promise<void> {
    waiting[kind] += 1
    await wait(runtime, delayMs)
    waiting[kind] -= 1
    await action()
  }
  return defineDevice({
    ...reads,
    blockSize: Math.max(...lowers.map(({ device }) => device.blockSize)),
    features: {
      ...writes.features,
      fua: write.lower.features.fua && write === flush,
      optimalSize: Math.max(read.lower.features.optimalSize, write.lower.features.optimalSize),
    },
    lowers,
    status: () => ({ ...waiting }),
    read: (offset, buffer, tags) => late("reads", read, () => reads.read(offset, buffer, tags)),
    write: (offset, data, how) => late("writes", write, () => writes.write(offset, data, how)),
    discard: (offset, length) => late("writes", write, () => writes.discard(offset, length)),
    flush: () =>
      late("flushes", flush, () =>
        settleAll((flush.lower === write.lower ? [flush] : [flush, write]).map(({ lower }) => lower.flush())),
      ),
  })
}

async function wait(runtime: Runtime, milliseconds: number): Promise<void> {
  for (let rest = milliseconds; rest > 0; rest -= TIMER_MS_MAX) {
    await new Promise<void>((resolve) => {
      runtime.setTimer(Math.min(rest, TIMER_MS_MAX), resolve)
    })
  }
}
