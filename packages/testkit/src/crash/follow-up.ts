import { type BlockDevice, readAround } from "@blockstrata/device"
import type { Media } from "../media/media.ts"
import { type CrashSearch, wishFor } from "./crash-search.ts"

const SEEN_COUNT = 6
const WRITTEN_COUNT = 2
/** One state in so many loses its power again. */
const CRASH_SHARE = 32
/** Bytes that no random workload writes by chance: two numbers alternate. */
const FILL = [0x5a, 0xa7] as const

/**
 * A stack that was opened after a crash has to work: a few blocks are written, one is zeroed, all is flushed; then it is
 * closed, or loses power again, and is opened once more. What was written is there, and its neighbours as they were.
 */
export async function followUp<Moment>(
  search: CrashSearch<Moment>,
  media: Media,
  device: BlockDevice,
  number: number,
): Promise<string | undefined> {
  const blockCount = device.size / device.blockSize
  if (!device.features.write || blockCount < SEEN_COUNT) return await closeWell(device)
  // Most are closed: a dead device costs one error for each layer. Where a state is looked at alone, it goes through both.
  const ends: End[] = search.isThorough ? ["close", "crash"] : [number % CRASH_SHARE === 0 ? "crash" : "close"]
  let current = device
  for (const end of ends) {
    const written = await writeBlocks(current, number)
    if (end === "crash") media.crash(() => "absent")
    // What is dead may say so when it is closed.
    await (end === "crash" ? current.close().catch(() => {}) : current.close())
    current = await search.create(wishFor(media, false, search.seed + 1))
    const problem = await compareBlocks(current, written, end)
    if (problem !== undefined) {
      await current.close()
      return problem
    }
  }
  return await closeWell(current)
}

type End = "close" | "crash"

/** What some blocks hold, and which of them could not be read and were not written. */
interface Written {
  readonly offset: number
  readonly expected: Uint8Array
  readonly isBad: readonly boolean[]
}

/** `number` says where. */
async function writeBlocks(device: BlockDevice, number: number): Promise<Written> {
  const { blockSize, size } = device
  const offset = (number % (size / blockSize - SEEN_COUNT + 1)) * blockSize
  const expected = new Uint8Array(SEEN_COUNT * blockSize)
  const isBad = badBlocks(await readAround(device, offset, expected), offset, blockSize)

  const first = 1 + (number % 3)
  const data = new Uint8Array(WRITTEN_COUNT * blockSize)
  for (let index = 0; index < data.length; index++) data[index] = FILL[index % 2] as number
  await device.write(offset + first * blockSize, data)
  await device.writeZeroes(offset + (first + WRITTEN_COUNT) * blockSize, blockSize)
  await device.flush()
  expected.set(data, first * blockSize)
  expected.fill(0, (first + WRITTEN_COUNT) * blockSize, (first + WRITTEN_COUNT + 1) * blockSize)
  isBad.fill(false, first, first + WRITTEN_COUNT + 1)
  return { offset, expected, isBad }
}

async function compareBlocks(
  device: BlockDevice,
  { offset, expected, isBad }: Written,
  end: End,
): Promise<string | undefined> {
  const { blockSize } = device
  const what = `after more writes, a flush and ${end === "crash" ? "another crash" : "closing"}`
  const actual = new Uint8Array(expected.length)
  const isBadNow = badBlocks(await readAround(device, offset, actual), offset, blockSize)
  for (let block = 0; block < SEEN_COUNT; block++) {
    if (isBad[block]) continue
    const from = block * blockSize
    const place = `block ${offset / blockSize + block}, ${what},`
    if (isBadNow[block]) return `${place} is unreadable`
    for (let index = from; index < from + blockSize; index++) {
      if (actual[index] !== expected[index]) return `${place} is not what it was made to be, or was before`
    }
  }
  return undefined
}

async function closeWell(device: BlockDevice): Promise<undefined> {
  await device.close()
}

function badBlocks(
  ranges: readonly { readonly offset: number; readonly length: number }[],
  start: number,
  blockSize: number,
): boolean[] {
  const isBad = Array.from({ length: SEEN_COUNT }, () => false)
  for (const { offset, length } of ranges) {
    isBad.fill(true, (offset - start) / blockSize, (offset - start + length) / blockSize)
  }
  return isBad
}
