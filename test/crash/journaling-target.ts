import { type BlockDevice, defineDevice, RangeLock, settleAll } from "@blockstrata/device"
import type { CreateSeededStack } from "@blockstrata/testkit"

/** What is wrong with a target that is otherwise right. */
export type Mutant =
  | "no barrier between record and commit"
  | "commit without checksum"
  | "stale cache"
  | "recovery forgets too early"

const BLOCK_SIZE = 1024
const BLOCK_COUNT = 32
const RECORD_COUNT = 8
const COMMIT_SIZE = 1024
const RECORD_OFFSET = COMMIT_SIZE
const DATA_OFFSET = 16 * 1024
const MAGIC = 0x6a726e6c

/**
 * A journal of one transaction: blocks are old or new after a crash, and durable when a write settles. The commit record
 * spans two sectors, so that a crash can tear it; a record has up to 8 KiB.
 *
 * | offset | bytes | field                                                          |
 * |     0  |     4 | magic                                                          |
 * |     4  |     4 | number of blocks                                               |
 * |     8  |     4 | checksum of number and places                                  |
 * |   512  |    32 | where each block belongs                                       |
 * |  1024  |  8192 | the blocks                                                     |
 * | 16384  | 32768 | data                                                           |
 */
export const journaling =
  (mutant?: Mutant): CreateSeededStack =>
  async ({ medium }) => {
    const lower = medium("disk", { size: DATA_OFFSET + BLOCK_COUNT * BLOCK_SIZE })
    const cache = mutant === "stale cache" ? new Uint8Array(BLOCK_COUNT * BLOCK_SIZE) : undefined
    if (cache) await lower.read(DATA_OFFSET, cache)
    await recover(lower, mutant)
    return journalDevice(lower, mutant, cache)
  }

function journalDevice(lower: BlockDevice, mutant: Mutant | undefined, cache: Uint8Array | undefined): BlockDevice {
  const lock = new RangeLock()
  // A transaction that failed may stand in the journal: it is ended before anything else happens.
  let isOpen = false
  const alone = (action: () => Promise<void>) =>
    lock.hold([{ offset: 0, length: 1 }], "exclusive", async () => {
      if (isOpen) {
        // It may have been the flush that failed: what is not committed for good must not be written back.
        await lower.flush()
        await recover(lower, mutant)
      }
      isOpen = false
      await action()
    })
  return defineDevice({
    name: "journaling",
    size: BLOCK_COUNT * BLOCK_SIZE,
    blockSize: BLOCK_SIZE,
    features: { write: true, atomicSize: BLOCK_SIZE },
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset: DATA_OFFSET + offset, length }],
    read: (offset, buffer) =>
      alone(async () => {
        if (cache) buffer.set(cache.subarray(offset, offset + buffer.length))
        else await lower.read(DATA_OFFSET + offset, buffer)
      }),
    write: (offset, data) =>
      alone(async () => {
        for (let done = 0; done < data.length; done += RECORD_COUNT * BLOCK_SIZE) {
          const piece = data.subarray(done, done + RECORD_COUNT * BLOCK_SIZE)
          isOpen = true
          await writeThroughJournal(lower, offset + done, piece, mutant)
          isOpen = false
          cache?.set(piece, offset + done)
        }
      }),
    flush: () => lower.flush(),
  })
}

async function writeThroughJournal(
  lower: BlockDevice,
  offset: number,
  data: Uint8Array,
  mutant: Mutant | undefined,
): Promise<void> {
  const first = offset / BLOCK_SIZE
  const places = Array.from({ length: data.length / BLOCK_SIZE }, (_, index) => first + index)
  await lower.write(RECORD_OFFSET, data)
  // A commit must never stand before what it commits.
  if (mutant !== "no barrier between record and commit") await lower.flush()
  await lower.write(0, encodeCommit(places))
  await lower.flush()
  await lower.write(DATA_OFFSET + offset, data)
  await lower.flush()
  await lower.write(0, new Uint8Array(COMMIT_SIZE))
  // The next record must not stand under this commit.
  await lower.flush()
}

/** Writes back what was committed. */
async function recover(lower: BlockDevice, mutant: Mutant | undefined): Promise<void> {
  const commit = new Uint8Array(COMMIT_SIZE)
  await lower.read(0, commit)
  const places = decodeCommit(commit, mutant)
  if (places === undefined) return
  const record = new Uint8Array(places.length * BLOCK_SIZE)
  await lower.read(RECORD_OFFSET, record)
  await settleAll(
    places.map((place, index) =>
      lower.write(DATA_OFFSET + place * BLOCK_SIZE, record.subarray(index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE)),
    ),
  )
  if (mutant !== "recovery forgets too early") await lower.flush()
  await lower.write(0, new Uint8Array(COMMIT_SIZE))
  await lower.flush()
}

function encodeCommit(places: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(COMMIT_SIZE)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint32(4, places.length)
  view.setUint32(8, checksum(places))
  for (const [index, place] of places.entries()) view.setUint32(512 + 4 * index, place)
  return bytes
}

/** The places of a commit; undefined if there is none, or one that a crash tore. */
function decodeCommit(bytes: Uint8Array, mutant: Mutant | undefined): number[] | undefined {
  const view = new DataView(bytes.buffer)
  const count = view.getUint32(4)
  if (view.getUint32(0) !== MAGIC || count > RECORD_COUNT) return undefined
  const places = Array.from({ length: count }, (_, index) => view.getUint32(512 + 4 * index))
  const isWhole = mutant === "commit without checksum" || view.getUint32(8) === checksum(places)
  return isWhole ? places : undefined
}

function checksum(places: readonly number[]): number {
  return (
    places.reduce((hash, place) => Math.imul(hash ^ (place + 1), 0x01000193) >>> 0, 0x811c9dc5 + places.length) >>> 0
  )
}
