import { type BlockDevice, BlockError, defineDevice, type EventListener } from "@blockstrata/device"
import { lowerPart } from "../lower-part.ts"
import { SECTOR_SIZE } from "../table-number.ts"
import { onMessage } from "./message.ts"
import { encodeWriteLogHeader } from "./write-log.ts"
import type { WriteLogEntry } from "./write-log-reader.ts"
import { WriteLogWriter } from "./write-log-writer.ts"

export interface LogWritesOptions {
  /** What is written to. Without tags: a log has no place for them. */
  readonly lower: BlockDevice
  /** Where the log goes, from its first byte. Its `blockSize` is at most the lower's. */
  readonly log: BlockDevice
  /** Bytes from the start of `lower`; all of it if not given. */
  readonly size?: number | undefined
  /** Told (`limit`) when the log takes no more entries. */
  readonly onEvent?: EventListener | undefined
}

export interface LogWrites {
  readonly device: BlockDevice
  /**
   * Puts a mark into the log, after all entries that are there: not after writes that no flush has followed. Settles when
   * it is in the log. One byte a character; cut to what a sector holds, 479 of 512.
   *
   * @throws BlockError `NO_SPACE` when the log takes no more entries. RangeError for a mark that bytes cannot say.
   */
  mark(text: string): Promise<void>
}

const PLAIN = { offset: 0, length: 0, isFlush: false, isFua: false, isDiscard: false, isMetadata: false }
/** What the kernel marks a log with that it closes. */
const END_MARK = "dm-log-writes-end"

/** Why these devices cannot be logged and log; `undefined` if they can. */
export function logWritesProblem({ lower, log }: LogWritesOptions): string | undefined {
  if (lower.tagSize > 0) return "a device with tags, for which the log has no place"
  return log.blockSize > lower.blockSize ? "log: blocks larger than those of the device" : undefined
}

/**
 * The lower device from its start, and a log of all that is written to it, in the order in which it became durable.
 *
 * Promises: the log has the bytes that the kernel's target gives it for the same requests. Writes and discards are held, in
 * memory, until a flush that came after they had settled succeeds; then they stand before it in the log, in the order in
 * which they settled. A FUA write stands there at once. When a flush, a FUA write or `mark` settles, the log device has it.
 * Does not promise: to fail when the log is full or fails: logging ends, `onEvent` and the status say so, and all goes on.
 * That what is held stays small. That the log is durable before `close`.
 * Attacks that remain: all that the lower device leaves; nothing in a log is authenticated.
 *
 * Two differences from the kernel: `close` flushes, so a FLUSH stands before the end mark; a flush that failed does not
 * stand in the log. Like the kernel, it logs a write that failed, which may have been made; and a FUA write stands in the log
 * before an older one of the same place that no flush had followed, so that a replay ends with the older.
 *
 * @throws RangeError if the devices do not fit.
 * Source: Linux, admin-guide/device-mapper/log-writes.
 */
export function logWritesTarget(options: LogWritesOptions): LogWrites {
  const { lower, log, size, onEvent } = options
  const problem = logWritesProblem(options)
  if (problem !== undefined) throw new RangeError(`log-writes: ${problem}`)
  const part = lowerPart("log-writes", { lower, size })
  const writer = new WriteLogWriter(log, lower.blockSize, (cause) => {
    const reason = cause instanceof Error ? cause.message : "it is full"
    onEvent?.({ kind: "limit", device: "log-writes", message: `log-writes: the log ends here: ${reason}` })
  })
  /** Settled, and in no log yet. */
  let held: WriteLogEntry[] = []

  async function settled(entry: WriteLogEntry): Promise<void> {
    if (writer.isStopped) return
    if (entry.isFua) await writer.append([entry])
    else held.push(entry)
  }
  async function mark(text: string): Promise<void> {
    const entry = { ...PLAIN, mark: text }
    encodeWriteLogHeader(entry, lower.blockSize) // refuses what bytes cannot say
    await writer.append([entry])
    if (writer.isStopped) throw new BlockError("NO_SPACE", "log-writes: the log takes no more entries")
  }
  const device = defineDevice({
    ...part,
    // A FUA write is logged as one, whatever the lower device makes of it.
    features: { ...part.features, fua: lower.features.write },
    lowers: [
      { role: "data", device: lower },
      { role: "log", device: log },
    ],
    status: () => ({
      entryCount: writer.entryCount,
      lastSector: writer.position / SECTOR_SIZE - 1,
      logging: writer.isStopped ? "off" : "on",
    }),
    async write(offset, data, { fua }) {
      const copy = writer.isStopped ? undefined : new Uint8Array(data)
      try {
        await lower.write(offset, data, { fua })
      } finally {
        if (copy) await settled({ ...PLAIN, offset, length: copy.length, isFua: fua, data: copy })
      }
    },
    async discard(offset, length) {
      try {
        await lower.discard(offset, length)
      } finally {
        await settled({ ...PLAIN, offset, length, isDiscard: true })
      }
    },
    async flush() {
      const flushed = held
      held = []
      try {
        await lower.flush()
      } catch (error) {
        held = [...flushed, ...held]
        throw error
      }
      await writer.append([...flushed, { ...PLAIN, isFlush: true }])
    },
    close: () => writer.append([...held, { ...PLAIN, mark: END_MARK }]),
  })
  onMessage(device, async ([word = "", text, ...rest]) => {
    if (word.toLowerCase() !== "mark" || text === undefined || rest.length > 0) {
      throw new BlockError("INVALID", `log-writes: message ${word}: expected "mark" and one word`)
    }
    await mark(text)
    return ""
  })
  return { device, mark }
}
