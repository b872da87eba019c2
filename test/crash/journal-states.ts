import { settleAll, share } from "@blockstrata/device"
import { formatIntegrity, type InternalHash, type JournalAlgorithm, openIntegrity } from "@blockstrata/integrity"
import {
  type CrashWorkload,
  type CreateSeededStack,
  exploreCrashes,
  printCrashReport,
  type SeededRuntime,
  seededRandom,
} from "@blockstrata/testkit"
import { keepReplay } from "@blockstrata/testkit/node"
import { expect, inject, it } from "vitest"

/**
 * What mode J of dm-integrity promises of a crash, on media that tear no sector: every block is old or new, readable, and
 * not older than the last flush; crashes while a crash is recovered from included.
 */
const isSlow = process.env["SLOW"] === "1"
/** Milliseconds. */
const TIMEOUT = isSlow ? 3_600_000 : 60_000
const BLOCK_COUNT = 24
const COMMIT_TIME = 1000
/** States of all configurations together in the slow run. */
const SLOW_STATE_COUNT = 1_000_000

interface JournaledVolume {
  readonly internalHash: InternalHash | undefined
  /** Large ones, padded with zeroes, make small sections: 8 entries, or 16. */
  readonly tagSize: number
  readonly blockSize: number
  readonly sectionCount: number
  readonly journalMac?: JournalAlgorithm
  readonly journalCrypt?: JournalAlgorithm
}

const algorithm = (name: string): JournalAlgorithm => ({ name, key: seededRandom(3, name).bytes(32) })
const journalMac = algorithm("hmac(sha256)")
const crc: JournaledVolume = { internalHash: { name: "crc32c" }, tagSize: 240, blockSize: 512, sectionCount: 4 }
const hmac: JournaledVolume = {
  internalHash: { name: "hmac(sha256)", key: seededRandom(1, "key").bytes(32) },
  tagSize: 255,
  blockSize: 4096,
  sectionCount: 3,
}

/** By name. In the slow run those of either size take some ten minutes of a core. */
const JOURNALED_VOLUMES: readonly (readonly [string, JournaledVolume])[] = [
  ["crc32c, blocks of 512", crc],
  ["HMAC, blocks of 512, MAC", { ...hmac, blockSize: 512, sectionCount: 5, journalMac }],
  ["HMAC, blocks of 4096, MAC and ctr(aes)", { ...hmac, journalMac, journalCrypt: algorithm("ctr(aes)") }],
  [
    "sha256, blocks of 4096, cbc(aes), a single section",
    { ...hmac, internalHash: { name: "sha256" }, sectionCount: 1, journalCrypt: algorithm("cbc(aes)") },
  ],
  ["a tag store, blocks of 512, ctr(aes)", { ...crc, internalHash: undefined, journalCrypt: algorithm("ctr(aes)") }],
  [
    "a tag store, blocks of 512, MAC and cbc(aes), two sections",
    { ...crc, internalHash: undefined, sectionCount: 2, journalMac, journalCrypt: algorithm("cbc(aes)") },
  ],
]

/** The stack, and the clock of the opening that the workload sees. */
function stackOf({ sectionCount, ...volume }: JournaledVolume) {
  let clock: SeededRuntime | undefined
  const create: CreateSeededStack = async ({ medium, isNew, runtime }) => {
    const { blockSize } = volume
    const lower = medium("disk", { size: 96 * 1024 + 72 * blockSize })
    if (isNew) {
      clock = runtime as SeededRuntime
      // A section has 8 sectors and the blocks of 8 entries.
      const journalSectors = sectionCount * (8 + (8 * blockSize) / 512)
      const format = { ...volume, journalSectors, interleaveSectors: 64, wipe: true, runtime }
      const { journalSectionCount } = await formatIntegrity({ ...format, lower: share(lower) })
      expect(journalSectionCount).toBe(sectionCount)
    }
    const size = BLOCK_COUNT * blockSize
    return await openIntegrity({ ...volume, lower, size, mode: "J", commitTimeMs: COMMIT_TIME, runtime })
  }
  return { create, advance: (milliseconds: number) => clock?.advance(milliseconds) }
}

/** Blocks beside each other and over each other, some in flight together; commits by flush, clock and a full journal. */
function workloadOf(workloadSeed: number, advance: (milliseconds: number) => void): CrashWorkload {
  return async (device, step) => {
    const { blockSize, tagSize } = device
    const random = seededRandom(workloadSeed, "journal workload")
    const write = (first: number, wanted: number, fua = false) => {
      const count = Math.min(wanted, BLOCK_COUNT - first)
      const tags = tagSize > 0 ? { tags: random.bytes(count * tagSize) } : {}
      const data = random.bytes(count * blockSize)
      return step(`${count} blocks at block ${first}`, () => device.write(first * blockSize, data, { ...tags, fua }))
    }
    const somewhere = (fua = false) => write(random.below(BLOCK_COUNT), 1 + random.below(6), fua)
    const wait = () =>
      step("time passes", async () => {
        advance(COMMIT_TIME)
        await device.read(0, new Uint8Array(blockSize))
      })
    await write(0, 3)
    await step("flush", () => device.flush())
    await settleAll([somewhere(), write(4, 2), write(5, 3)])
    await wait()
    await somewhere(true)
    await write(0, BLOCK_COUNT)
    await settleAll([somewhere(), step("flush", () => device.flush()), write(6, 1)])
    await somewhere()
    await step("flush", () => device.flush())
    await settleAll([somewhere(), somewhere()])
  }
}

/**
 * Tests of the volumes with blocks of one size. What is asked is what the contract asks, and that no state has a block that
 * is not readable.
 */
export function exploreJournals(blockSize: number): void {
  const volumes = JOURNALED_VOLUMES.filter(([, volume]) => volume.blockSize === blockSize)
  it.each(volumes)(
    "integrity J, %s: no block is unreadable, or older than what was flushed",
    (name, volume) => exploreVolume(name, volume),
    TIMEOUT,
  )
}

async function exploreVolume(name: string, volume: JournaledVolume): Promise<void> {
  const seed = inject("seed")
  const { create, advance } = stackOf(volume)
  const wanted = isSlow ? SLOW_STATE_COUNT / JOURNALED_VOLUMES.length : 100
  const counts = { stateCount: 0, recoveryStateCount: 0 }
  const started = performance.now()
  for (let round = 0; counts.stateCount < wanted; round++) {
    const options = {
      ...{ seed: seed + round, create, workload: workloadOf(seed + round, advance), atomicSizes: [512] as const },
      exhaustiveStateCount: isSlow ? 6 ** 5 : 20,
      randomStateCount: isSlow ? 1500 : 4,
      // That it goes on working takes as long as all else, and depends on less.
      followUp: round % 4 === 0,
      // The recovery from one state has thousands of its own.
      recoveryShare: isSlow ? 1 / 1024 : 1 / 128,
    }
    const report = await keepReplay({ name: `crash integrity J ${name}` }, () => exploreCrashes(options))
    if (round === 0) console.log(printCrashReport(name, report))
    expect(report.unreadableStateCount).toBe(0)
    counts.stateCount += report.stateCount
    counts.recoveryStateCount += report.recoveryStateCount
  }
  const seconds = (performance.now() - started) / 1000
  console.log(name, counts, `${Math.round(counts.stateCount / seconds)} states a second`)
  if (isSlow) expect(counts.recoveryStateCount).toBeGreaterThan(0)
}
