import { type BadRange, BlockError, type ByteRange, type LongVerbOptions, type RangeLock } from "@blockstrata/device"
import { runsBetween } from "./byte-runs.ts"
import type { DoubtfulRanges } from "./doubtful-ranges.ts"
import type { MirrorLegs } from "./mirror-legs.ts"
import type { MirrorBuffers, MirrorReads } from "./mirror-reads.ts"

/** Bytes that are locked, read and written at a time. */
const PIECE_SIZE = 1024 * 1024

export interface ResyncOptions extends LongVerbOptions {
  /** The leg whose content all others get, whatever they hold. If not given: the legs that are current. */
  readonly from?: number | undefined
}

export interface MirrorParts {
  readonly legs: MirrorLegs
  readonly reads: MirrorReads
  readonly doubtful: DoubtfulRanges
  readonly lock: RangeLock
  readonly size: number
  readonly blockSize: number
  readonly isClosing: () => boolean
}

/** Makes all legs hold what the mirror reads as, piece by piece, beside requests. */
export async function resyncLegs(parts: MirrorParts, { from, signal, onProgress }: ResyncOptions): Promise<void> {
  const { legs, lock, size, blockSize, reads, doubtful } = parts
  const all = { offset: 0, length: size }
  await lock.hold([all], "exclusive", async () => {
    const source = from === undefined ? undefined : legs.all[from]
    if (source !== undefined) await legs.trustOnly(source)
    for (const leg of legs.all) if (leg.state === "stale") leg.state = "syncing"
  })
  const pieceSize = Math.min(size, Math.max(PIECE_SIZE, blockSize))
  const memory = [0, 1].map(() => reads.memory({ offset: 0, length: pieceSize }))
  const copyPiece = (piece: ByteRange) => {
    const [source, other] = memory.map((buffers) => reads.cut({ ...buffers, offset: piece.offset }, piece))
    return resyncPiece(parts, source!, other!)
  }
  const failures: BadRange[] = []
  try {
    for (const piece of piecesOf(all, pieceSize)) {
      signal?.throwIfAborted()
      if (parts.isClosing()) throw new BlockError("CLOSED", "mirror: closed during a resync")
      failures.push(...(await lock.hold([piece], "exclusive", () => copyPiece(piece))))
      onProgress?.(piece.offset + piece.length, size)
    }
    await lock.hold([all], "exclusive", async () => {
      // A leg that becomes current may be the first one: it must not answer otherwise where the others may differ.
      for (const range of doubtful.within(all))
        for (const piece of piecesOf(range, pieceSize)) failures.push(...(await copyPiece(piece)))
      await legs.change((device) => device.flush())
      reads.throwLost(failures)
      for (const leg of legs.syncing) leg.state = "live"
    })
  } finally {
    // What was not copied whole is as old as it was.
    for (const leg of legs.syncing) leg.state = "stale"
  }
  if (legs.live.length < legs.all.length) throw new BlockError("IO", "mirror: a leg failed while it was written")
}

function* piecesOf({ offset, length }: ByteRange, size: number): Generator<ByteRange> {
  for (let done = 0; done < length; done += size) yield { offset: offset + done, length: Math.min(size, length - done) }
}

/**
 * Returns what no leg can give: it stays as it is on all of them. Only legs that differ are written: a crash meanwhile
 * leaves the one that was read whole.
 */
async function resyncPiece(parts: MirrorParts, source: MirrorBuffers, other: MirrorBuffers): Promise<BadRange[]> {
  const { legs, reads, doubtful } = parts
  const others = reads.order(source).slice(1)
  const bad = await reads.read(source)
  for (const run of runsBetween(source, bad)) {
    const content = reads.cut(source, run)
    const behind = legs.syncing
    for (const leg of others) {
      const copy = reads.cut(other, run)
      const isEqual = (await reads.readLeg(leg, copy)).length === 0 && isSame(copy, content)
      if (!isEqual) behind.push(leg)
    }
    try {
      await legs.change((device) => device.write(run.offset, content.data, { tags: content.tags }), {
        legs: behind,
        range: run,
      })
    } catch (error) {
      doubtful.add(run)
      throw error
    }
    doubtful.remove(run)
  }
  return bad
}

function isSame(left: MirrorBuffers, right: MirrorBuffers): boolean {
  return isEqualBytes(left.data, right.data) && isEqualBytes(left.tags, right.tags)
}

function isEqualBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  const length = left?.length ?? 0
  for (let index = 0; index < length; index++) if (left?.[index] !== right?.[index]) return false
  return true
}
