import { type BlockDevice, BlockError, settleAll } from "@blockstrata/device"
import { flushBoth } from "./journal-area.ts"
import { type AreaRun, areaRuns, type IntegrityLayout } from "./layout.ts"
import { TagCache } from "./tag-cache.ts"
import { DISCARD_FILLER, type TagCheck } from "./tag-check.ts"

/** The devices that hold a volume: one, or the data on one and everything else on the other. */
export interface VolumeMedia {
  readonly data: BlockDevice
  readonly metadata: BlockDevice
}

/** Blocks and their tags on the devices below. Requests are whole blocks of `layout.blockSize`, in range. */
export interface BlockStore {
  /**
   * Reads and, with a check, verifies. Resolves with the lowest maximal run of blocks that do not match, if any; then
   * the blocks of the request before it were good.
   */
  read(offset: number, buffer: Uint8Array): Promise<BadBlocks | undefined>
  /** Reads data and tags as they are. */
  readUnchecked(offset: number, buffer: Uint8Array, tags: Uint8Array | undefined): Promise<void>
  /** Writes data and, if there are any, tags; with a check these are computed. */
  write(offset: number, data: Uint8Array, tags: Uint8Array | undefined): Promise<void>
  /** Writes data and tags as they are given. */
  writeTagged(offset: number, data: Uint8Array, tags: Uint8Array): Promise<void>
  /**
   * Makes the tags say that anything goes, then gives the data up below where that is possible; `flush` is called in between.
   */
  discard(offset: number, length: number, flush?: () => Promise<void>): Promise<void>
  /** Computes the tags of what stands there and writes them. The data are not written. Needs a check. */
  retag(offset: number, length: number): Promise<void>
  /** Writes below the tags that it keeps: those of changes that failed, too. That is not yet durable. */
  settle(): Promise<void>
  /** Makes data and tags durable. */
  flush(): Promise<void>
}

/** The blocks of an open volume, with what has to be done around its writes and when it closes. */
export interface VolumeStore extends BlockStore {
  /** Bytes: what a crash leaves old or new, tags included; 0 if absent. */
  readonly atomicSize?: number | undefined
  /** Nothing is in flight any more, everything is flushed, and the devices below are still open. */
  close?(): Promise<void>
  /** For people; as `layer.status()`. */
  status?(): Readonly<Record<string, string | number>>
}

export interface BlockStoreOptions {
  /**
   * Bytes of tags that are kept, to be written together, by `flush` at the latest: whoever gives more than 0 makes things
   * durable by this `flush` alone.
   */
  readonly tagCacheSize?: number | undefined
}

/** Bytes of the integrity device. */
export interface BadBlocks {
  readonly offset: number
  readonly length: number
}

/** Bytes of data in one batch: with tags of 255 bytes on blocks of 512, all scratch together stays below 1 MiB. */
export const PIECE_SIZE: number = 512 * 1024
/** Areas in one batch of discards. */
const DISCARD_AREA_COUNT = 64

/** The blocks of one volume. Without `check` tags are whatever the caller stores. */
export function blockStore(
  { data: dataBelow, metadata }: VolumeMedia,
  layout: IntegrityLayout,
  check: TagCheck | undefined,
  { tagCacheSize = 0 }: BlockStoreOptions = {},
): BlockStore {
  const tagsBelow = new TagCache(metadata, tagCacheSize)
  const { blockSize, tagSize } = layout
  const tagBytes = (length: number) => (length / blockSize) * tagSize

  function readData(runs: readonly AreaRun[], buffer: Uint8Array): Promise<void>[] {
    const base = runs[0]?.offset ?? 0
    return runs.map((run) => dataBelow.read(run.dataOffset, dataOf(run, base, buffer)))
  }

  /** One batch: a read of the data, a read of the tags, one call of the hash. */
  async function readChecked(tagChecker: TagCheck, offset: number, buffer: Uint8Array): Promise<BadBlocks | undefined> {
    const runs = areaRuns(layout, offset, buffer.length)
    const tags = new Uint8Array(tagBytes(buffer.length))
    const tagRead = tagsBelow.read(runs, tags)
    try {
      await settleAll([...readData(runs, buffer), tagRead])
    } catch (error) {
      // The error names the lowest failing block, and says that those before it are good: they have to be looked at.
      const places = (await failureOf(tagRead)) === error ? "tags" : "data"
      const goodLength = failedOffset(layout, dataBelow.blockSize, runs, error, places) - offset
      const bad = goodLength > 0 ? await readChecked(tagChecker, offset, buffer.subarray(0, goodLength)) : undefined
      if (bad !== undefined) return bad
      throw error
    }
    const run = tagChecker.firstMismatch(offset, buffer, tags)
    return run && { offset: offset + run.blockIndex * blockSize, length: run.blockCount * blockSize }
  }

  async function writeBatch(offset: number, data: Uint8Array, tags: Uint8Array | undefined): Promise<void> {
    const runs = areaRuns(layout, offset, data.length)
    const dataWrites = runs.map((run) => dataBelow.write(run.dataOffset, dataOf(run, offset, data)))
    await settleAll(tags === undefined ? dataWrites : [...dataWrites, tagsBelow.write(runs, tags)])
  }

  async function readUnchecked(offset: number, buffer: Uint8Array, tags: Uint8Array | undefined): Promise<void> {
    for (const piece of piecesOf(offset, buffer.length, PIECE_SIZE)) {
      const at = piece.offset - offset
      const pieceTags = tags?.subarray(tagBytes(at), tagBytes(at + piece.length))
      const runs = areaRuns(layout, piece.offset, piece.length)
      const dataReads = readData(runs, buffer.subarray(at, at + piece.length))
      await settleAll(pieceTags === undefined ? dataReads : [...dataReads, tagsBelow.read(runs, pieceTags)])
    }
  }

  // Data and tags go out side by side, as in the kernel: without a journal no order helps. A crash between the two
  // leaves a block that does not match, whichever came first, until it is written again.
  async function writePieces(
    offset: number,
    data: Uint8Array,
    tags: Uint8Array | undefined,
    tagger?: TagCheck,
  ): Promise<void> {
    for (const piece of piecesOf(offset, data.length, PIECE_SIZE)) {
      const at = piece.offset - offset
      const pieceData = data.subarray(at, at + piece.length)
      const pieceTags = tagger
        ? new Uint8Array(tagBytes(piece.length))
        : tags?.subarray(tagBytes(at), tagBytes(at + piece.length))
      if (pieceTags !== undefined) tagger?.compute(piece.offset, pieceData, pieceTags)
      await writeBatch(piece.offset, pieceData, pieceTags)
    }
  }

  return {
    readUnchecked,
    writeTagged: (offset, data, tags) => writePieces(offset, data, tags),
    write: (offset, data, tags) => writePieces(offset, data, tags, check),

    async read(offset, buffer) {
      if (check === undefined) {
        await readUnchecked(offset, buffer, undefined)
        return undefined
      }
      return await firstBadRun(offset, buffer, (at, part) => readChecked(check, at, part))
    },

    discard: (offset, length, flush) => discardBlocks(dataBelow, tagsBelow, layout, { offset, length, flush }),

    async retag(offset, length) {
      if (check === undefined) throw new TypeError("integrity: tags without an internal hash cannot be computed")
      for (const piece of piecesOf(offset, length, PIECE_SIZE)) {
        const runs = areaRuns(layout, piece.offset, piece.length)
        const data = new Uint8Array(piece.length)
        const tags = new Uint8Array(tagBytes(piece.length))
        await settleAll(readData(runs, data))
        check.compute(piece.offset, data, tags)
        await tagsBelow.write(runs, tags)
      }
    },

    settle: () => tagsBelow.writeBack(),

    async flush() {
      await tagsBelow.writeBack()
      await flushBoth(dataBelow, metadata)
    },
  }
}

async function failureOf(request: Promise<void>): Promise<unknown> {
  try {
    await request
    return undefined
  } catch (error) {
    return error
  }
}

/** The part of a batch, which begins at `base`, that lies in one area. */
function dataOf({ offset, length }: AreaRun, base: number, batch: Uint8Array): Uint8Array {
  return batch.subarray(offset - base, offset - base + length)
}

/** Tags first: the filler goes with the old data too, but an old tag does not go with what a discard leaves. */
async function discardBlocks(
  dataBelow: BlockDevice,
  tagsBelow: TagCache,
  layout: IntegrityLayout,
  { offset, length, flush }: BadBlocks & { readonly flush: (() => Promise<void>) | undefined },
): Promise<void> {
  const { blockSize, tagSize, interleaveBytes } = layout
  const byTags = Math.floor(PIECE_SIZE / tagSize) * blockSize
  for (const piece of piecesOf(offset, length, Math.min(byTags, DISCARD_AREA_COUNT * interleaveBytes))) {
    const runs = areaRuns(layout, piece.offset, piece.length)
    const tags = new Uint8Array((piece.length / blockSize) * tagSize)
    await tagsBelow.write(runs, tags.fill(DISCARD_FILLER))
    await tagsBelow.writeBack()
    await flush?.()
    if (dataBelow.features.discard) await settleAll(runs.map((run) => dataBelow.discard(run.dataOffset, run.length)))
  }
}

/** The first block of a batch whose data or tags stand on what failed below; the batch's own start if that is not known. */
function failedOffset(
  layout: IntegrityLayout,
  dataBlockSize: number,
  runs: readonly AreaRun[],
  error: unknown,
  places: "data" | "tags",
): number {
  const start = runs[0]?.offset ?? 0
  if (!(error instanceof BlockError) || error.offset === undefined || error.length === undefined) return start
  const failedStart = error.offset
  const failedEnd = error.offset + error.length
  const found = runs.flatMap((run) => {
    const [from, length] = places === "data" ? [run.dataOffset, run.length] : [run.tagOffset, run.tagLength]
    const first = Math.max(failedStart, from) - from
    if (first >= length || failedEnd <= from) return []
    return [run.offset + (places === "data" ? first : Math.floor(first / layout.tagSize) * layout.blockSize)]
  })
  const lowest = found.length === 0 ? start : Math.min(...found)
  const unit = Math.max(layout.blockSize, dataBlockSize)
  return Math.floor(lowest / unit) * unit
}

export function* piecesOf(offset: number, length: number, size: number): Generator<BadBlocks> {
  for (let done = 0; done < length; done += size) yield { offset: offset + done, length: Math.min(size, length - done) }
}

/** The lowest maximal run of bad blocks in a request that is read piece by piece, no further than it takes. */
export async function firstBadRun(
  offset: number,
  buffer: Uint8Array,
  readPiece: (offset: number, part: Uint8Array) => Promise<BadBlocks | undefined>,
): Promise<BadBlocks | undefined> {
  if (buffer.length <= PIECE_SIZE) return await readPiece(offset, buffer)
  let bad: BadBlocks | undefined
  for (const piece of piecesOf(offset, buffer.length, PIECE_SIZE)) {
    // Only a run that reaches the end of its piece goes on in the next one.
    if (bad !== undefined && bad.offset + bad.length !== piece.offset) break
    const part = buffer.subarray(piece.offset - offset, piece.offset - offset + piece.length)
    const found = await readPiece(piece.offset, part).catch((error: unknown) => {
      if (bad === undefined || !(error instanceof BlockError)) throw error
      return undefined
    })
    if (bad === undefined) bad = found
    else if (found?.offset === piece.offset) bad = { offset: bad.offset, length: bad.length + found.length }
    else break
  }
  return bad
}
