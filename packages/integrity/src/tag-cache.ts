import { type BlockDevice, settleAll } from "@blockstrata/device"
import { spansOf, type TagPlace, TagReader, type TagSpan } from "./tag-spans.ts"

/** Bytes of tags that are kept at the most: those of 128 MiB, with 4 bytes per 512 or 32 per 4096. */
export const TAG_CACHE_SIZE: number = 1024 * 1024
/** Requests below at a time. */
const REQUEST_COUNT_MAX = 32

/** A block below with tags that it does not hold yet. */
interface DirtyUnit {
  readonly index: number
  readonly bytes: Uint8Array
  /** From ... to: where `bytes` is what stands here now. All of it, once the rest was read. */
  from: number
  to: number
  isDirty: boolean
  /** On its way below: until it stands there, the medium holds older tags. */
  isUnderWay: boolean
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
 * The tags on `lower`, written together: those that share a block below once, neighbouring blocks in one request. The tags
 * of the runs of a request stand one after the other in one buffer.
 *
 * A block that is filled from its start, or from where its known part ends, is not read before, so sequential writes read
 * no tags; any other write of a part of a block reads it first, and fails if that fails.
 *
 * Only what has to be written is kept, at most `sizeMax` bytes and what is being written meanwhile: a read asks the medium,
 * and takes from here only what is newer. With 0 a write resolves when its tags stand below.
 *
 * What a crash leaves: nothing here is promised before `writeBack` and a flush below. Until then the medium holds old tags
 * beside new data, as with Linux's buffers; whoever needs them to agree has a journal, or marks what may not. What is
 * written back is a whole block of tags, each of them the newest, or the one that stood there.
 */
export class TagCache {
  readonly #lower: BlockDevice
  readonly #reader: TagReader
  readonly #sizeMax: number
  readonly #unitSize: number
  readonly #units = new Map<number, DirtyUnit>()
  /** One after the other: an older copy of a block must not land on a newer one. */
  #lastWrite: Promise<void> = Promise.resolve()

  constructor(lower: BlockDevice, sizeMax: number) {
    this.#lower = lower
    this.#reader = new TagReader(lower)
    this.#sizeMax = sizeMax
    this.#unitSize = lower.blockSize
  }

  /** Fills `tags` with the tags of all runs. */
  read(runs: readonly TagPlace[], tags: Uint8Array): Promise<void> {
    if (this.#units.size === 0) return this.#reader.read(runs, tags)
    return settleAll(spansOf(runs, this.#unitSize).map((span) => this.#readSpan(span, tags)))
  }

  /**
   * Takes the tags of all runs, and leaves every other byte as it is, neighbours in the same block below included. If what
   * has to be read before cannot be, none of them is taken: half a tag matches nothing.
   */
  async write(runs: readonly TagPlace[], tags: Uint8Array): Promise<void> {
    const parts = spansOf(runs, this.#unitSize).flatMap((span) => this.#partsOf(span))
    if (this.#missing(parts).length > 0) await this.#loadMissing(parts)
    for (const part of parts) this.#put(part, tags)
    if (this.#units.size * this.#unitSize > this.#sizeMax) await this.writeBack()
  }

  /** Resolves once every tag that was given before stands below; that is not yet durable. What fails is kept. */
  writeBack(): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writeDirty())
    // Who comes next finds what this one left.
    this.#lastWrite = written.catch(() => {})
    return written
  }

  #partsOf({ offset, tagStart, tagLength, at }: TagSpan): UnitPart[] {
    const parts: UnitPart[] = []
    const start = offset + tagStart
    const end = start + tagLength
    for (let place = start; place < end; ) {
      const index = Math.floor(place / this.#unitSize)
      const from = place - index * this.#unitSize
      const to = Math.min(this.#unitSize, from + end - place)
      parts.push({ index, from, to, at: at + place - start })
      place += to - from
    }
    return parts
  }

  async #readSpan(span: TagSpan, tags: Uint8Array): Promise<void> {
    // Units are held on to: meanwhile they may be written and go, after this has read what stood there before.
    const parts = this.#partsOf(span).map((part) => ({ part, unit: this.#units.get(part.index) }))
    const missing: { tagOffset: number; tagLength: number; at: number }[] = []
    for (const { part, unit } of parts) {
      if (unit !== undefined && unit.from <= part.from && part.to <= unit.to) continue
      const last = missing.at(-1)
      const tagLength = part.to - part.from
      if (last && last.at + last.tagLength === part.at) last.tagLength += tagLength
      else missing.push({ tagOffset: part.index * this.#unitSize + part.from, tagLength, at: part.at })
    }
    await settleAll(
      missing.map((place) => this.#reader.read([place], tags.subarray(place.at, place.at + place.tagLength))),
    )
    for (const { part, unit } of parts) {
      if (unit === undefined) continue
      const [from, to] = [Math.max(part.from, unit.from), Math.min(part.to, unit.to)]
      if (from < to) tags.set(unit.bytes.subarray(from, to), part.at + from - part.from)
    }
  }

  /** The parts of blocks of which something else has to be known first. */
  #missing(parts: readonly UnitPart[]): UnitPart[] {
    return parts.filter(({ index, from, to }) => {
      const known = this.#units.get(index)
      // A stream: its start, or what follows or precedes what came. The next write may well bring the rest.
      return known === undefined ? from !== 0 : from > known.to || known.from > to
    })
  }

  async #loadMissing(parts: readonly UnitPart[]): Promise<void> {
    try {
      // Meanwhile a unit may have been written back and be gone: then it is read again.
      for (let missing = this.#missing(parts); missing.length > 0; missing = this.#missing(parts))
        await settleAll(missing.map(({ index }) => this.#load(this.#units.get(index) ?? this.#newUnit(index))))
    } catch (error) {
      // Nobody writes what was read for this: others that waited for it read it again.
      for (const unit of parts.map(({ index }) => this.#units.get(index))) if (unit) this.#dropClean(unit)
      throw error
    }
  }

  #put({ index, from, to, at }: UnitPart, tags: Uint8Array): void {
    const unit = this.#units.get(index) ?? this.#newUnit(index)
    unit.bytes.set(tags.subarray(at, at + to - from), from)
    unit.from = Math.min(unit.from, from)
    unit.to = Math.max(unit.to, to)
    unit.isDirty = true
  }

  #newUnit(index: number): DirtyUnit {
    const bytes = new Uint8Array(this.#unitSize)
    const unit: DirtyUnit = { index, bytes, from: 0, to: 0, isDirty: false, isUnderWay: false, loading: undefined }
    this.#units.set(index, unit)
    return unit
  }

  /** Reads what is not known of a unit. */
  #load(unit: DirtyUnit): Promise<void> {
    unit.loading ??= this.#loadRest(unit).finally(() => {
      unit.loading = undefined
      if (unit.to === 0) this.#dropClean(unit)
    })
    return unit.loading
  }

  async #loadRest(unit: DirtyUnit): Promise<void> {
    const bytes = new Uint8Array(this.#unitSize)
    await this.#lower.read(unit.index * this.#unitSize, bytes)
    // As it is now: more of it may have become known meanwhile.
    bytes.set(unit.bytes.subarray(unit.from, unit.to), unit.from)
    unit.bytes.set(bytes)
    unit.from = 0
    unit.to = this.#unitSize
  }

  #isWhole({ from, to }: DirtyUnit): boolean {
    return from === 0 && to === this.#unitSize
  }

  #dropClean(unit: DirtyUnit): void {
    if (!unit.isDirty && !unit.isUnderWay && this.#units.get(unit.index) === unit) this.#units.delete(unit.index)
  }

  async #writeDirty(): Promise<void> {
    const dirty = [...this.#units.values()].filter(({ isDirty }) => isDirty)
    const partial = dirty.filter((unit) => !this.#isWhole(unit))
    const failures = await failuresOf(partial, (unit) => this.#load(unit))
    // What can be written is, whatever becomes of the rest.
    const runs = runsOf(dirty.filter((unit) => this.#isWhole(unit)))
    failures.push(...(await failuresOf(runs, (run) => this.#writeRun(run))))
    if (failures.length > 0) throw failures[0]
  }

  /** Neighbouring whole units, in one request. */
  async #writeRun(run: readonly DirtyUnit[]): Promise<void> {
    // A copy: until the request settles the memory is not ours, and tags go on changing.
    const bytes = new Uint8Array(run.length * this.#unitSize)
    for (const [position, unit] of run.entries()) {
      bytes.set(unit.bytes, position * this.#unitSize)
      unit.isDirty = false
      unit.isUnderWay = true
    }
    try {
      await this.#lower.write((run[0]?.index ?? 0) * this.#unitSize, bytes)
    } catch (error) {
      for (const unit of run) unit.isDirty = true
      throw error
    } finally {
      for (const unit of run) unit.isUnderWay = false
    }
    for (const unit of run) this.#dropClean(unit)
  }
}

/** Does everything, so many at a time, whatever fails. */
async function failuresOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<unknown[]> {
  const failures: unknown[] = []
  for (let first = 0; first < items.length; first += REQUEST_COUNT_MAX) {
    const window = items.slice(first, first + REQUEST_COUNT_MAX).map(work)
    await settleAll(window).catch((error: unknown) => failures.push(error))
  }
  return failures
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
