import { Medium } from "../media/medium.ts"
import type { MediumShape } from "../media/medium-content.ts"
import type { MediumEvent } from "../media/medium-event.ts"
import type { CrashInvariant, CrashProgress } from "./crash-moment.ts"
import { type CrashLimits, type CrashReport, checkCrashLimits, freshCounts } from "./crash-options.ts"
import { decodeReplay, encodeReplay } from "./crash-replay.ts"
import { type CrashSearch, type CreateSeededStack, searchTimeline } from "./crash-search.ts"
import { CrashViolation, traceOf } from "./crash-violation.ts"
import { searchLimits } from "./explore-crashes.ts"
import { simplestState, visitPlaces } from "./shortest-finding.ts"
import { visitState } from "./state-visit.ts"
import type { Timeline, TimelinePoint } from "./timeline.ts"

/** One entry of a log of writes: what `readWriteLog` of `@blockstrata/targets/faults` gives, or any other. */
export interface LogEntry {
  /** Bytes. */
  readonly offset: number
  readonly length: number
  /** Of a write: `length` bytes. */
  readonly data?: Uint8Array | undefined
  /** What stands before it in the log is durable before it takes effect. */
  readonly isFlush: boolean
  /** Durable with it. */
  readonly isFua: boolean
  readonly isDiscard: boolean
  readonly mark?: string | undefined
}

export interface LogOptions extends CrashLimits {
  /** In their order: that in which they were completed. */
  readonly entries: Iterable<LogEntry>
  /** The medium that was logged: `create` asks for it by this name and shape. */
  readonly medium: MediumShape & {
    readonly name: string
    /** What it held when the log began; zeroes, if not given. */
    readonly content?: Uint8Array | undefined
  }
  /** Opens what stands on the medium; `isNew` is false. */
  readonly create: CreateSeededStack
  /** What has to hold in every state. `begun` and `settled` are the marks that the log had passed. */
  readonly invariant: CrashInvariant<CrashProgress>
  readonly atomicSizes?: readonly (0 | 512)[] | undefined
}

/**
 * As `exploreCrashes`, for a log of what somebody else wrote: a kernel under dm-log-writes, say. Every state that a crash
 * may have left at any place of the log is opened.
 *
 * @throws CrashViolation for the first state that breaks the invariant, with as few changes as were found.
 * @throws RangeError for an entry outside the medium, or one that neither has data nor says what it is.
 */
export async function exploreLog(options: LogOptions): Promise<CrashReport> {
  checkCrashLimits(options)
  const { atomicSizes = [512, 0], seed = 1 } = options
  const counts = freshCounts()
  const timeline = timelineOf(options)
  const changeCount = timeline.points.filter(({ kind }) => kind === "issued").length
  for (const atomicSize of atomicSizes) {
    const search = searchOf(options, atomicSize, seed, counts)
    const found = await searchTimeline(search, timeline, 1, visitState)
    if (found === undefined) continue
    const finding = await simplestState({ ...search, counts: freshCounts(), isThorough: true }, timeline, found)
    const skippedSteps: number[] = []
    const replay = encodeReplay({
      ...{ kind: "crash", version: 1, seed, atomicSize, operationCount: 0, skippedSteps, places: finding.places },
    })
    throw new CrashViolation(finding.problem, traceOf(finding), replay)
  }
  return { ...counts, seed, stepCount: 0, changeCount: changeCount * atomicSizes.length }
}

/** As `replayCrash`, for a state of a log. */
export async function replayLog({ replay, ...options }: LogOptions & { readonly replay: string }): Promise<void> {
  const { seed, atomicSize, places } = decodeReplay(replay)
  const search = { ...searchOf(options, atomicSize, seed, freshCounts()), isThorough: true }
  const finding = await visitPlaces(search, timelineOf(options), places)
  if (finding !== undefined) throw new CrashViolation(finding.problem, traceOf(finding), replay)
}

function searchOf(
  options: LogOptions,
  atomicSize: 0 | 512,
  seed: number,
  counts: CrashSearch<CrashProgress>["counts"],
): CrashSearch<CrashProgress> {
  const { create, invariant } = options
  return { ...searchLimits(options), create, invariant, atomicSize, seed, counts }
}

function timelineOf({ entries, medium: { name, content, ...shape } }: LogOptions): Timeline<CrashProgress> {
  const medium = new Medium(name, { size: shape.size, blockSize: shape.blockSize ?? 512, tagSize: shape.tagSize ?? 0 })
  if (content !== undefined) medium.current.data.write(0, content)
  const points: TimelinePoint<CrashProgress>[] = []
  let progress: CrashProgress = { begun: [], settled: [] }
  const start = progress
  let clock = 0
  const landed = (event: MediumEvent): MediumEvent => {
    event.landedAt = clock++
    points.push({ kind: "landed", event, at: event.landedAt })
    return event
  }
  for (const entry of entries) {
    if (entry.isFlush) landed(eventOf(name, "flush", clock++))
    if (entry.mark !== undefined) {
      const marks = [...progress.settled, entry.mark]
      progress = { begun: marks, settled: marks }
      points.push({ kind: "owed", at: clock++, moment: progress })
    }
    const kind = kindOf(entry, shape.size)
    if (kind === undefined) continue
    const event = { ...eventOf(name, kind, clock++), ...placeOf(entry), data: entry.data }
    points.push({ kind: "issued", event, at: event.issuedAt, moment: progress })
    landed(event)
  }
  return { media: new Map([[name, medium]]), start, points }
}

function placeOf({ offset, length, isFua }: LogEntry): Pick<MediumEvent, "offset" | "length" | "fua"> {
  return { offset, length, fua: isFua }
}

/** What an entry does to the medium; undefined if nothing. */
function kindOf(entry: LogEntry, size: number): "write" | "discard" | undefined {
  const { offset, length, data, isDiscard } = entry
  if (length === 0) return undefined
  const isWhole = Number.isSafeInteger(offset) && offset >= 0 && length > 0 && offset + length <= size
  if (!isWhole || (data !== undefined && data.length !== length) || (data === undefined && !isDiscard)) {
    throw new RangeError(`exploreLog: an entry of ${length} bytes at ${offset} is none of a medium of ${size} bytes`)
  }
  return isDiscard ? "discard" : "write"
}

function eventOf(medium: string, kind: MediumEvent["kind"], issuedAt: number): MediumEvent {
  const nothing = { data: undefined, tags: undefined, landedAt: undefined }
  return { medium, kind, issuedAt, offset: 0, length: 0, fua: false, ...nothing }
}
