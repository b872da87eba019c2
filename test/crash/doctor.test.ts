import { share } from "@blockstrata/device"
import { formatIntegrity, type JournalAlgorithm, openIntegrity, replayJournal } from "@blockstrata/integrity"
import { type CrashWorkload, type CreateSeededStack, exploreCrashes, seededRandom } from "@blockstrata/testkit"
import { keepReplay } from "@blockstrata/testkit/node"
import { expect, inject, it } from "vitest"

/**
 * After a crash the doctor replays the journal, and only then the volume is opened. Crashes while it does so are among the
 * states: it promises as much as the opening does by itself.
 */
const isSlow = process.env["SLOW"] === "1"
const seed = inject("seed")
const BLOCK_SIZE = 512
const BLOCK_COUNT = 16
// Large tags, padded with zeroes, make sections of 8 entries.
const SHAPE = { tagSize: 240, blockSize: BLOCK_SIZE, internalHash: { name: "crc32c" } } as const
const algorithm = (name: string): JournalAlgorithm => ({ name, key: seededRandom(3, name).bytes(32) })
const KINDS = [
  ["four sections", 4, {}],
  [
    "a MAC and ctr(aes), three sections",
    3,
    { journalMac: algorithm("hmac(sha256)"), journalCrypt: algorithm("ctr(aes)") },
  ],
  ["cbc(aes), a single section", 1, { journalCrypt: algorithm("cbc(aes)") }],
] as const

function stackOf(sectionCount: number, keys: object): CreateSeededStack {
  return async ({ medium, isNew, runtime }) => {
    const lower = medium("disk", { size: 128 * 1024 })
    const volume = { ...SHAPE, ...keys }
    if (isNew) {
      const format = { journalSectors: sectionCount * 16, interleaveSectors: 64, wipe: true, runtime }
      const { journalSectionCount } = await formatIntegrity({ ...volume, ...format, lower: share(lower) })
      expect(journalSectionCount).toBe(sectionCount)
    } else {
      const planned = await replayJournal({ ...volume, lower: share(lower), dryRun: true })
      const done = await replayJournal({ ...volume, lower: share(lower) })
      expect({ ...done, hasWritten: false }).toEqual(planned)
      const again = await replayJournal({ ...volume, lower: share(lower), dryRun: true })
      expect([again.blockCount, again.cleared]).toEqual([0, undefined])
    }
    return await openIntegrity({ ...volume, lower, size: BLOCK_COUNT * BLOCK_SIZE, mode: "J", runtime })
  }
}

/** Blocks over each other, more than a journal holds, and flushes now and then. */
function workloadOf(workloadSeed: number): CrashWorkload {
  return async (device, step) => {
    const random = seededRandom(workloadSeed, "doctor workload")
    for (let round = 0; round < (isSlow ? 8 : 5); round++) {
      const first = random.below(BLOCK_COUNT)
      const count = 1 + random.below(Math.min(6, BLOCK_COUNT - first))
      const data = random.bytes(count * BLOCK_SIZE)
      await step(`${count} blocks at block ${first}`, () => device.write(first * BLOCK_SIZE, data))
      if (random.below(3) > 0) await step("flush", () => device.flush())
    }
  }
}

it.each(KINDS)(
  "replayed by the doctor, %s: no block is unreadable, or older than what was flushed",
  async (name, count, keys) => {
    const wanted = isSlow ? 5_000 : 40
    const counts = { stateCount: 0, recoveryStateCount: 0 }
    for (let round = 0; counts.stateCount < wanted || counts.recoveryStateCount === 0; round++) {
      const options = {
        ...{ seed: seed + round, create: stackOf(count, keys), workload: workloadOf(seed + round) },
        ...{ atomicSizes: [512] as const, recoveryShare: isSlow ? 1 / 16 : 1 / 40 },
        exhaustiveStateCount: isSlow ? 6 ** 4 : 8,
        randomStateCount: isSlow ? 500 : 2,
      }
      const report = await keepReplay({ name: `crash doctor ${name}` }, () => exploreCrashes(options))
      expect(report.unreadableStateCount).toBe(0)
      counts.stateCount += report.stateCount
      counts.recoveryStateCount += report.recoveryStateCount
    }
    console.log(name, counts)
    expect(counts.recoveryStateCount).toBeGreaterThan(0)
  },
)
