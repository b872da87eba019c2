import { BlockError, type ByteRange, type RangeLock, settleAll } from "@blockstrata/device"
import { runsBetween } from "./byte-runs.ts"
import type { DoubtfulRanges } from "./doubtful-ranges.ts"
import type { Leg } from "./mirror-legs.ts"
import type { MirrorReads } from "./mirror-reads.ts"

/** Bytes that are copied at a time. */
const PIECE_SIZE = 1024 * 1024

export interface AgreementParts {
  readonly reads: MirrorReads
  readonly doubtful: DoubtfulRanges
  readonly lock: RangeLock
  /** Bytes of the mirror. */
  readonly size: number
}

/** A leg that goes, and what has to be done before. */
export interface Departure {
  /** The leg that has answered for what is in doubt. */
  readonly first: Leg
  readonly kept: readonly Leg[]
  /** What the change that failed has just written to those that are kept, and holds the lock of. */
  readonly own: ByteRange | undefined
  /** Lets it go. */
  readonly go: () => void
}

/**
 * Before the leg goes that alone answered for what is in doubt, those that are kept get what it answers there: a block that
 * was read as new must not be read as old after.
 *
 * @throws BlockError where that leg cannot be read or another not be written, `BUSY` where such a range is just being
 * written: waiting for it could wait for each other.
 */
export async function agreeBeforeDeparture(
  { reads, doubtful, lock, size }: AgreementParts,
  { first, kept, own, go }: Departure,
): Promise<void> {
  const agreed: ByteRange[] = []
  const releases: (() => void)[] = []
  const inDoubt = () => {
    const done = [...agreed, ...(own === undefined ? [] : [own])].sort((left, right) => left.offset - right.offset)
    return doubtful.within({ offset: 0, length: size }).flatMap((range) => runsBetween(range, done))
  }
  try {
    // What becomes doubtful meanwhile needs it too.
    for (let ranges = inDoubt(); ranges.length > 0; ranges = inDoubt()) {
      const release = lock.tryAcquire(ranges, "shared")
      if (release === undefined) throw new BlockError("BUSY", "mirror: what is in doubt is being written")
      releases.push(release)
      for (const range of ranges) await copy(reads, first, kept, range)
      agreed.push(...ranges)
    }
    go()
    for (const range of agreed) doubtful.remove(range)
  } finally {
    for (const release of releases) release()
  }
}

async function copy(reads: MirrorReads, from: Leg, to: readonly Leg[], { offset, length }: ByteRange): Promise<void> {
  for (let done = 0; done < length; done += PIECE_SIZE) {
    const piece = reads.memory({ offset: offset + done, length: Math.min(PIECE_SIZE, length - done) })
    const [bad] = await reads.readLeg(from, piece)
    if (bad !== undefined) throw bad.error
    await settleAll(to.map(({ device }) => device.write(piece.offset, piece.data, { tags: piece.tags })))
  }
}
