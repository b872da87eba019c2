import { type BadRange, BlockError, type ByteRange, type EventListener, readAround } from "@blockstrata/device"
import { runsBetween, wholeBlockRuns } from "./byte-runs.ts"
import type { DoubtfulRanges } from "./doubtful-ranges.ts"
import type { Leg, MirrorLegs } from "./mirror-legs.ts"

/** Bytes: reading around bad blocks reads the rest of such a piece again for each of them, and nothing of the others. */
const PIECE_SIZE = 4 * 1024 * 1024

/** Memory of a request, from `offset` of the mirror. */
export interface MirrorBuffers extends ByteRange {
  readonly data: Uint8Array
  readonly tags: Uint8Array | undefined
}

/** Bytes, since the mirror was opened. */
export interface MirrorCounts {
  /** That a leg could not give. */
  badBytes: number
  /** That were written to such a leg again, as another had them. */
  repairedBytes: number
  /** That no leg could give. */
  lostBytes: number
}

export interface MirrorReadsOptions {
  readonly legs: MirrorLegs
  readonly doubtful: DoubtfulRanges
  readonly blockSize: number
  readonly tagSize: number
  readonly canRepair: boolean
  readonly onEvent: EventListener | undefined
}

/** Reads from the legs of a mirror, mending those that fail. */
export class MirrorReads {
  readonly counts: MirrorCounts = { badBytes: 0, repairedBytes: 0, lostBytes: 0 }
  readonly #options: MirrorReadsOptions

  constructor(options: MirrorReadsOptions) {
    this.#options = options
  }

  /** Fresh memory for a range. */
  memory(range: ByteRange): MirrorBuffers {
    const { blockSize, tagSize } = this.#options
    const tags = tagSize === 0 ? undefined : new Uint8Array((range.length / blockSize) * tagSize)
    return { ...range, data: new Uint8Array(range.length), tags }
  }

  /** The part of a request's memory that belongs to `range`: views. */
  cut({ offset, data, tags }: MirrorBuffers, range: ByteRange): MirrorBuffers {
    const { blockSize, tagSize } = this.#options
    const [from, to] = [range.offset - offset, range.offset - offset + range.length]
    const tagsAt = (bytes: number) => (bytes / blockSize) * tagSize
    return { ...range, data: data.subarray(from, to), tags: tags?.subarray(tagsAt(from), tagsAt(to)) }
  }

  /** The legs that may be asked, the first of which is. */
  order(range: ByteRange): Leg[] {
    const { legs, doubtful } = this.#options
    // What is in doubt, only one leg may answer, and always the same.
    return doubtful.within(range).length > 0 ? legs.live : legs.readOrder
  }

  /**
   * Fills what some leg can give, and returns the runs that none can, in ascending order. A block that one leg could
   * not give and another could is written to the first again; where none can, nothing is written.
   */
  async read(buffers: MirrorBuffers): Promise<BadRange[]> {
    const [first, ...others] = this.order(buffers)
    if (first === undefined) throw new BlockError("IO", "mirror: no leg is current")
    let bad = await this.readLeg(first, buffers)
    if (bad.length === 0) return bad
    const lost = bad.flatMap(({ error, ...run }) =>
      this.#options.doubtful.within(run).map((range): BadRange => ({ ...range, error })),
    )
    bad = bad.flatMap(({ error, ...run }) => runsBetween(run, lost).map((range): BadRange => ({ ...range, error })))
    const failed = [first]
    for (const leg of others) {
      const left: BadRange[] = []
      for (const run of bad) left.push(...(await this.#readFromOther(leg, run, buffers, failed)))
      bad = left
      failed.push(leg)
    }
    return [...lost, ...bad].sort((left, right) => left.offset - right.offset)
  }

  /** Throws the lowest of the runs that nobody can give, if there are any. */
  throwLost([run, ...others]: readonly BadRange[]): void {
    if (run === undefined) return
    this.counts.lostBytes += [run, ...others].reduce((sum, { length }) => sum + length, 0)
    const { offset, length, error } = run
    throw new BlockError(error.code, `mirror: ${error.code} on every leg at offset ${offset}`, {
      ...{ offset, length, cause: error },
    })
  }

  /** Reads one leg; its bad runs come back as whole blocks of the mirror. */
  async readLeg(leg: Leg, buffers: MirrorBuffers): Promise<BadRange[]> {
    const { blockSize } = this.#options
    const pieceSize = Math.max(PIECE_SIZE, blockSize)
    const bad: BadRange[] = []
    for (let done = 0; done < buffers.length; done += pieceSize) {
      const range = { offset: buffers.offset + done, length: Math.min(pieceSize, buffers.length - done) }
      const piece = this.cut(buffers, range)
      bad.push(...(await readAround(leg.device, piece.offset, piece.data, piece.tags)))
    }
    const runs = wholeBlockRuns(bad, blockSize)
    for (const run of runs) {
      this.counts.badBytes += run.length
      this.#tell("corruption", `mirror: ${run.error.code} on leg ${leg.index} at offset ${run.offset}`, run)
    }
    return runs
  }

  /** Asks one more leg for a bad run, mends the legs that failed, and returns what this one cannot give either. */
  async #readFromOther(
    leg: Leg,
    { offset, length, error }: BadRange,
    buffers: MirrorBuffers,
    failed: readonly Leg[],
  ): Promise<BadRange[]> {
    const run = { offset, length }
    const bad = await this.readLeg(leg, this.cut(buffers, run))
    for (const good of runsBetween(run, bad)) {
      for (const other of failed) await this.#repair(other, this.cut(buffers, good))
    }
    // Of several reasons, the one that may be an attack is told.
    return bad.map((range) => (error.code === "INTEGRITY" ? { ...range, error } : range))
  }

  async #repair(leg: Leg, { offset, length, data, tags }: MirrorBuffers): Promise<void> {
    if (!this.#options.canRepair) return
    const place = { offset, length }
    try {
      await leg.device.write(offset, data, { tags })
      this.counts.repairedBytes += length
      this.#tell("repaired", `mirror: leg ${leg.index} was written again at offset ${offset}`, place)
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      leg.isWeak = true
      this.#tell("degraded", `mirror: leg ${leg.index} cannot be written at offset ${offset}: ${error.code}`, place)
    }
  }

  #tell(kind: "corruption" | "repaired" | "degraded", message: string, { offset, length }: ByteRange): void {
    this.#options.onEvent?.({ kind, device: "mirror", message, offset, length })
  }
}
