import { BlockError, type ByteRange, type LongVerbOptions, readAround } from "@blockstrata/device"
import { blockStore, PIECE_SIZE, type VolumeMedia } from "./block-store.ts"
import { type AreaRun, areaRuns, type IntegrityLayout } from "./layout.ts"

/** Blocks that stand together, and their tags, as they are on the medium. */
export interface SweptPiece {
  /** Bytes of the volume. */
  readonly offset: number
  readonly data: Uint8Array
  readonly tags: Uint8Array
  /** What could not be read; those bytes of `data` and `tags` are zero. */
  readonly unreadable: readonly UnreadableRange[]
}

export interface UnreadableRange {
  readonly of: "data" | "tags"
  /** Bytes of the device below. */
  readonly offset: number
  readonly length: number
  /** The blocks that stand on it; bytes of the volume. */
  readonly blocks: { readonly offset: number; readonly length: number }
  readonly error: BlockError
}

interface ReadPiece {
  readonly piece: SweptPiece
  readonly error?: unknown
}

interface Slot {
  readonly data: Uint8Array
  readonly tags: Uint8Array
}

/** Pieces in memory: one that is looked at, and the next ones, which are being read. */
const SLOT_COUNT = 4

/**
 * Reads a range of blocks in pieces and shows each to `look`, in their order; it may keep nothing of them. While one is
 * looked at the next ones are being read.
 *
 * Memory: four pieces of 512 KiB and their tags, whatever the size.
 *
 * @throws the signal's reason when aborted; what is not the failure of a place below.
 */
export async function sweepBlocks(
  media: VolumeMedia,
  layout: IntegrityLayout,
  range: ByteRange,
  look: (piece: SweptPiece) => void | Promise<void>,
  { signal, onProgress }: LongVerbOptions,
): Promise<void> {
  const read = taggedReader(media, layout)
  const size = Math.min(PIECE_SIZE, range.length)
  const pieceCount = size === 0 ? 0 : Math.ceil(range.length / size)
  const slots = Array.from({ length: Math.min(SLOT_COUNT, pieceCount) }, () => ({
    data: new Uint8Array(size),
    tags: new Uint8Array((size / layout.blockSize) * layout.tagSize),
  }))
  const startPiece = (index: number): Promise<ReadPiece> => {
    const length = Math.min(size, range.length - index * size)
    return startRead(read, layout, slots[index % SLOT_COUNT]!, range.offset + index * size, length)
  }
  const reading = slots.map((_, index) => startPiece(index))
  try {
    for (let index = 0; index < pieceCount; index++) {
      const { piece, error } = await reading[index % SLOT_COUNT]!
      signal?.throwIfAborted()
      await look(error === undefined ? piece : await readPieceAround(media, layout, piece, error))
      onProgress?.(index * size + piece.data.length, range.length)
      if (index + SLOT_COUNT < pieceCount) reading[index % SLOT_COUNT] = startPiece(index + SLOT_COUNT)
    }
  } finally {
    // What is being read writes into buffers of ours until it settles; nothing of it rejects.
    for (const piece of reading) await piece
  }
}

/** Reads blocks and their tags as they are; whole units of the device below. */
export type TaggedReader = (offset: number, data: Uint8Array, tags: Uint8Array) => Promise<void>

export function taggedReader(media: VolumeMedia, layout: IntegrityLayout): TaggedReader {
  if (!layout.isInline) return blockStore(media, layout, undefined).readUnchecked
  return async (offset, data, tags) => {
    const tuples = tuplesOf(media, layout, data)
    await media.data.read(layout.firstAreaOffset + offset, data, tuples)
    unpackTuples(media, layout, tuples, tags)
  }
}

/** Room for what the device below keeps with these blocks. */
function tuplesOf({ data: lower }: VolumeMedia, { blockSize }: IntegrityLayout, data: Uint8Array): Uint8Array {
  return new Uint8Array((data.length / blockSize) * lower.tagSize)
}

/** Each tag is the start of what the device below keeps with a block. */
function unpackTuples(
  { data: lower }: VolumeMedia,
  { tagSize }: IntegrityLayout,
  tuples: Uint8Array,
  tags: Uint8Array,
): void {
  for (let index = 0; index < tags.length / tagSize; index++) {
    const start = index * lower.tagSize
    tags.set(tuples.subarray(start, start + tagSize), index * tagSize)
  }
}

/** Never rejects: nobody may be waiting yet. */
function startRead(
  read: TaggedReader,
  { blockSize, tagSize }: IntegrityLayout,
  slot: Slot,
  offset: number,
  length: number,
): Promise<ReadPiece> {
  const data = slot.data.subarray(0, length)
  const tags = slot.tags.subarray(0, (length / blockSize) * tagSize)
  const piece = { offset, data, tags, unreadable: [] }
  return read(offset, data, tags).then(
    () => ({ piece }),
    (error: unknown) => ({ piece, error }),
  )
}

/** A piece with bad places: what can be read of it. */
async function readPieceAround(
  media: VolumeMedia,
  layout: IntegrityLayout,
  { offset, data, tags }: SweptPiece,
  error: unknown,
): Promise<SweptPiece> {
  if (!(error instanceof BlockError)) throw error
  const unreadable: UnreadableRange[] = []
  let tagAt = 0
  const tuples = layout.isInline ? tuplesOf(media, layout, data) : undefined
  for (const run of areaRuns(layout, offset, data.length)) {
    const part = data.subarray(run.offset - offset, run.offset - offset + run.length)
    for (const bad of await readAround(media.data, run.dataOffset, part, tuples)) {
      const blocks = { offset: run.offset + (bad.offset - run.dataOffset), length: bad.length }
      unreadable.push({ ...bad, of: "data", blocks })
    }
    if (tuples !== undefined) {
      unpackTuples(media, layout, tuples, tags)
      continue
    }
    const runTags = tags.subarray(tagAt, tagAt + run.tagLength)
    unreadable.push(...(await readTagsAround(media, layout, run, runTags)))
    tagAt += run.tagLength
  }
  return { offset, data, tags, unreadable }
}

async function readTagsAround(
  { metadata }: VolumeMedia,
  { tagSize, blockSize }: IntegrityLayout,
  run: AreaRun,
  tags: Uint8Array,
): Promise<UnreadableRange[]> {
  const unit = metadata.blockSize
  const start = Math.floor(run.tagOffset / unit) * unit
  const bytes = new Uint8Array(Math.ceil((run.tagOffset + run.tagLength) / unit) * unit - start)
  const bad = await readAround(metadata, start, bytes)
  tags.set(bytes.subarray(run.tagOffset - start, run.tagOffset - start + run.tagLength))
  return bad.map((range) => {
    const first = Math.max(0, range.offset - run.tagOffset)
    const end = Math.min(run.tagLength, range.offset + range.length - run.tagOffset)
    const firstBlock = Math.floor(first / tagSize)
    const blockCount = Math.ceil(end / tagSize) - firstBlock
    const blocks = { offset: run.offset + firstBlock * blockSize, length: blockCount * blockSize }
    return { ...range, of: "tags", blocks }
  })
}
