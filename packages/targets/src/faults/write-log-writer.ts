import type { BlockDevice } from "@blockstrata/device"
import { encodeWriteLogHeader, encodeWriteLogSuperblock } from "./write-log.ts"
import { ENTRY_DATA_MAX, type WriteLogEntry } from "./write-log-reader.ts"

/** Where the next entry of a log goes, and whether any does. */
export class WriteLogWriter {
  readonly #log: BlockDevice
  readonly #sectorSize: number
  readonly #onStop: (cause: unknown) => void
  #position: number
  #entryCount = 0
  #isStopped: boolean
  /** The entries that are on their way: one after another. */
  #queue: Promise<void> = Promise.resolve()

  /** `onStop` is called once, when the log is full or cannot be written. A log that is read-only takes nothing. */
  constructor(log: BlockDevice, sectorSize: number, onStop: (cause: unknown) => void) {
    this.#log = log
    this.#sectorSize = sectorSize
    this.#onStop = onStop
    this.#position = sectorSize
    this.#isStopped = !log.features.write
  }

  get entryCount(): number {
    return this.#entryCount
  }

  /** Bytes: the end of what the log has. */
  get position(): number {
    return this.#position
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Settles when these entries, and all before them, are in the log. Never rejects: a log that stops says so. */
  append(entries: readonly WriteLogEntry[]): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      for (const entry of entries) {
        for (const piece of pieces(entry)) {
          if (this.#isStopped) return
          try {
            await this.#appendOne(piece)
          } catch (error) {
            this.#stop(error)
          }
        }
      }
    })
    return this.#queue
  }

  async #appendOne({ data, ...header }: WriteLogEntry): Promise<void> {
    const start = this.#position
    this.#position += this.#sectorSize + (data?.length ?? 0)
    // As in the kernel, which leaves the last sector free.
    if (this.#position >= this.#log.size) return this.#stop(undefined)
    this.#entryCount += 1
    await this.#log.write(start, encodeWriteLogHeader(header, this.#sectorSize))
    if (data !== undefined) await this.#log.write(start + this.#sectorSize, data)
    if (!header.isFua && header.mark === undefined) return
    await this.#log.write(0, encodeWriteLogSuperblock({ entryCount: this.#entryCount, sectorSize: this.#sectorSize }))
  }

  #stop(cause: unknown): void {
    this.#isStopped = true
    this.#onStop(cause)
  }
}

/** An entry in pieces that a reader takes. */
function* pieces(entry: WriteLogEntry): Generator<WriteLogEntry> {
  const { data, offset, length } = entry
  if (data === undefined) return yield entry
  for (let done = 0; done < length; done += ENTRY_DATA_MAX) {
    const piece = data.subarray(done, done + ENTRY_DATA_MAX)
    yield { ...entry, offset: offset + done, length: piece.length, data: piece }
  }
}
