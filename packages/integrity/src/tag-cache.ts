import { type BlockDevice, settleAll } from "@blockstrata/device"
import { readSpans, spansOf, type TagPlace, type TagSpan } from "./tag-spans.ts"

/** Bytes of tags that are kept at the most: those of 128 MiB, with 4 bytes per 512 or 32 per 4096. */
export const TAG_CACHE_SIZE: number = 1024 * 1024
/** Requests below at a time. */
const REQUEST_COUNT_MAX = 32

/** The tags of a volume. Those of the runs of a request stand one after the other in one buffer. */
export interface TagCache {
  /** Fills `tags` with the tags of all runs. */
  read(runs: readonly TagPlace[], tags: Uint8Array): Promise<void>
  /** Takes the tags of all runs, and leaves every other byte as it is, neighbours in the same block below included. */
  write(runs: readonly TagPlace[], tags: Uint8Array): Promise<void>
  /** Resolves once every tag that was given before stands below; that is not yet durable. */
  writeBack(): Promise<void>
}

/** A block below with tags that it does not hold yet. */
interface DirtyUnit {
  readonly index: number
  readonly bytes: Uint8Array
  /** From ... to: where `bytes` is what stands here now. All of it, once the rest was read. */
  from: number
  to: number
  isDirty: boolean
  loading: Promise<void> | undefined
}

/** The part of a span that lies in one unit. */
interface UnitPart {
  readonly index: number
  readonly from: number
  readonly to: number
  /** Where in the request's tags it stands. */
  readonly at: number
}

/**
 * The tags on `lower`, written together: those that share a block below once, neighbouring blocks in one request. A block
 * that is filled from its start, or from where its known part ends, is not read before, so sequential writes read no
 * tags; any other write of a part of a block reads it first, and fails if that fails.
 *
 * Only what has to be written is kept, at most `sizeMax` bytes and what is being written meanwhile: a read asks the medium,
 * and takes from here only what is newer. With 0 a write resolves when its tags stand below.
 *
 * What a crash leaves: nothing here is promised before `writeBack` and a flush below. Until then the medium holds old tags
 * beside new data, as with Linux's buffers; whoever needs them to agree has a journal, or marks what may not. What is
 * written back is a whole block of tags, each of them the newest, or the one that stood there.
 */
export function tagCache(lower: BlockDevice, sizeMax: number): TagCache {
  const unitSize = lower.blockSize
  const units = new Map<number, DirtyUnit>()
  /** One after the other: an older copy of a block must not land on a newer one. */
  let lastWrite: Promise<void> = Promise.resolve()

  const newUnit = (index: number): DirtyUnit => {
    return { index, bytes: new Uint8Array(unitSize), from: 0, to: 0, isDirty: false, loading: undefined }
  }
  const isWhole = (unit: DirtyUnit) => unit.from === 0 && unit.to === unitSize

  function partsOf({ offset, tagStart, tagLength, at }: TagSpan): UnitPart[] {
    const parts: UnitPart[] = []
    const end = offset + tagStart + tagLength
    for (let place = offset + tagStart; place < end; ) {
      const index = Math.floor(place / unitSize)
      const from = place - index * unitSize
      const to = Math.min(unitSize, from + end - place)
      parts.push({ index, from, to, at: at + place - offset - tagStart })
      place += to - from
    }
    return parts
  }

  /** Reads what is not known of a unit. */
  function load(unit: DirtyUnit): Promise<void> {
    unit.loading ??= (async () => {
      const bytes = new Uint8Array(unitSize)
      await lower.read(unit.index * unitSize, bytes)
      // As it is now: more of it may have become known meanwhile.
      bytes.set(unit.bytes.subarray(unit.from, unit.to), unit.from)
      unit.bytes.set(bytes)
      unit.from = 0
      unit.to = unitSize
    })().finally(() => {
      unit.loading = undefined
      if (unit.to === 0) dropClean(unit)
    })
    return unit.loading
  }

  /** Keeps a part; a promise only where something has to be read before. */
  function put(part: UnitPart, tags: Uint8Array): Promise<void> | undefined {
    const { index, from, to, at } = part
    const known = units.get(index)
    const unit = known ?? newUnit(index)
    units.set(index, unit)
    // A stream: its start, or what follows or precedes what came. The next write may well bring the rest.
    const isJoined = known === undefined ? from === 0 : from <= known.to && known.from <= to
    // Afterwards the unit may have been written back and be gone: then this begins anew.
    if (!isJoined) return load(unit).then(() => put(part, tags))
    unit.bytes.set(tags.subarray(at, at + to - from), from)
    unit.from = Math.min(unit.from, from)
    unit.to = Math.max(unit.to, to)
    unit.isDirty = true
    return undefined
  }

  function dropClean(unit: DirtyUnit): void {
    if (!unit.isDirty && units.get(unit.index) === unit) units.delete(unit.index)
  }

  /** Neighbouring whole units, in one request. */
  async function writeRun(run: readonly DirtyUnit[]): Promise<void> {
    // A copy: until the request settles the memory is not ours, and tags go on changing.
    const bytes = new Uint8Array(run.length * unitSize)
    for (const [position, unit] of run.entries()) {
      bytes.set(unit.bytes, position * unitSize)
      unit.isDirty = false
    }
    try {
      await lower.write((run[0]?.index ?? 0) * unitSize, bytes)
    } catch (error) {
      for (const unit of run) unit.isDirty = true
      throw error
    }
    run.forEach(dropClean)
  }

  async function writeDirty(): Promise<void> {
    const dirty = [...units.values()].filter(({ isDirty }) => isDirty)
    const failures: unknown[] = []
    const inWindows = async <Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> => {
      for (let first = 0; first < items.length; first += REQUEST_COUNT_MAX) {
        await settleAll(items.slice(first, first + REQUEST_COUNT_MAX).map(work)).catch((error) => failures.push(error))
      }
    }
    await inWindows(
      dirty.filter((unit) => !isWhole(unit)),
      load,
    )
    // What can be written is, whatever becomes of the rest.
    await inWindows(runsOf(dirty.filter(isWhole)), writeRun)
    if (failures.length > 0) throw failures[0]
  }

  function writeBack(): Promise<void> {
    const written = lastWrite.then(writeDirty)
    // Who comes next finds what this one left.
    lastWrite = written.catch(() => {})
    return written
  }

  async function readSpan(span: TagSpan, tags: Uint8Array): Promise<void> {
    // Units are held on to: meanwhile they may be written and go, after this has read what stood there before.
    const parts = partsOf(span).map((part) => ({ part, unit: units.get(part.index) }))
    const missing: { tagOffset: number; tagLength: number; at: number }[] = []
    for (const { part, unit } of parts) {
      if (unit !== undefined && unit.from <= part.from && part.to <= unit.to) continue
      const last = missing.at(-1)
      const tagLength = part.to - part.from
      if (last && last.at + last.tagLength === part.at) last.tagLength += tagLength
      else missing.push({ tagOffset: part.index * unitSize + part.from, tagLength, at: part.at })
    }
    await settleAll(
      missing.map(({ tagOffset, tagLength, at }) =>
        readSpans(lower, [{ tagOffset, tagLength }], tags.subarray(at, at + tagLength)),
      ),
    )
    for (const { part, unit } of parts) {
      if (unit === undefined) continue
      const [from, to] = [Math.max(part.from, unit.from), Math.min(part.to, unit.to)]
      if (from < to) tags.set(unit.bytes.subarray(from, to), part.at + from - part.from)
    }
  }

  return {
    async read(runs, tags) {
      if (units.size === 0) return await readSpans(lower, runs, tags)
      await settleAll(spansOf(runs, unitSize).map((span) => readSpan(span, tags)))
    },

    async write(runs, tags) {
      const waiting: Promise<void>[] = []
      for (const span of spansOf(runs, unitSize)) {
        for (const part of partsOf(span)) {
          const loading = put(part, tags)
          if (loading !== undefined) waiting.push(loading)
        }
      }
      if (waiting.length > 0) await settleAll(waiting)
      if (units.size * unitSize > sizeMax) await writeBack()
    },

    writeBack,
  }
}

/** Units side by side, in the order in which they lie below. */
function runsOf(units: readonly DirtyUnit[]): DirtyUnit[][] {
  const runs: DirtyUnit[][] = []
  for (const unit of [...units].sort((left, right) => left.index - right.index)) {
    const last = runs.at(-1)
    if (last?.at(-1)?.index === unit.index - 1) last.push(unit)
    else runs.push([unit])
  }
  return runs
}
