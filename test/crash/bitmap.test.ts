import { readAround, settleAll, share } from "@blockstrata/device"
import { formatIntegrity, type InternalHash, type OpenIntegrityOptions, openIntegrity } from "@blockstrata/integrity"
import {
  type CrashInvariant,
  type CrashOptions,
  type CrashWorkload,
  type CreateSeededStack,
  exploreCrashes,
  printCrashReport,
  type SeededRuntime,
  seededRandom,
} from "@blockstrata/testkit"
import { keepReplay } from "@blockstrata/testkit/node"
import { expect, inject, it } from "vitest"

/** What mode B of dm-integrity promises of a crash, on media that tear no sector. Without that a tag's neighbours go too. */

const isSlow = process.env["SLOW"] === "1"
const seed = inject("seed")
const limits = {
  seed,
  exhaustiveStateCount: isSlow ? 6 ** 5 : 100,
  randomStateCount: isSlow ? 2000 : 20,
  recoveryShare: 1 / 16,
  atomicSizes: [512] as const,
}
const SIZE = 32 * 1024
const REGION = 4096
const INTERVAL = 1000

interface Volume {
  readonly internalHash: InternalHash
  readonly tagSize: number
  readonly blockSize: number
  /** How the workload opens it, and how whoever comes after the crash. */
  readonly opening?: Partial<OpenIntegrityOptions>
  readonly reopening?: Partial<OpenIntegrityOptions>
}

const crc: Volume = { internalHash: { name: "crc32c" }, tagSize: 4, blockSize: 512 }

const VOLUMES: readonly (readonly [string, Volume])[] = [
  ["blocks of 512", crc],
  ["tags that cross sectors, and sectors of tags that cross regions", { ...crc, tagSize: 20 }],
  ["blocks of 4096", { internalHash: { name: "sha256" }, tagSize: 32, blockSize: 4096 }],
  ["opened in mode D after the crash", { ...crc, reopening: { mode: "D" } }],
  ["other regions after the crash", { ...crc, reopening: { sectorsPerBit: 16 } }],
  ["recalculated meanwhile", { ...crc, opening: { resetRecalculate: true }, reopening: { recalculation: "now" } }],
  [
    "a keyed hash",
    {
      internalHash: { name: "hmac(sha256)", key: seededRandom(1, "key").bytes(32) },
      tagSize: 32,
      blockSize: 512,
      opening: { allowUnauthenticatedRecovery: true },
      reopening: { allowUnauthenticatedRecovery: true },
    },
  ],
]

/** The stack, and the clock of the opening that the workload sees. */
function stackOf({ opening = {}, reopening = {}, ...format }: Volume) {
  let clock: SeededRuntime | undefined
  const create: CreateSeededStack = async ({ medium, isNew, runtime }) => {
    const lower = medium("disk", { size: 256 * 1024 })
    if (isNew) {
      clock = runtime as SeededRuntime
      const area = { interleaveSectors: 128, journalSectors: 64, mode: "B", wipe: true } as const
      await formatIntegrity({ ...format, ...area, lower: share(lower), runtime })
    }
    return await openIntegrity({
      ...{ lower, size: SIZE, mode: "B", internalHash: format.internalHash, runtime },
      ...{ sectorsPerBit: REGION / 512, bitmapFlushIntervalMs: INTERVAL },
      ...(isNew ? opening : reopening),
    })
  }
  return { create, advance: (milliseconds: number) => clock?.advance(milliseconds) }
}

/** Writes in regions of their own and in the same, some in flight together, while marks are set and cleared. */
const workloadOf =
  (advance: (milliseconds: number) => void): CrashWorkload =>
  async (device, step) => {
    const random = seededRandom(seed, "bitmap workload")
    const blockCount = device.size / device.blockSize
    const write = async (name: string) => {
      const count = 1 + random.below(Math.min(9, blockCount))
      const data = random.bytes(count * device.blockSize)
      const first = random.below(blockCount - count + 1)
      await step(`${name}: ${count} blocks at block ${first}`, () => device.write(first * device.blockSize, data))
    }
    for (let round = 0; round < (isSlow ? 12 : 3); round++) {
      await write(`${round}a`)
      await settleAll([write(`${round}b`), write(`${round}c`)])
      if (round % 2 === 0) await step(`${round}: flush`, () => device.flush())
      // Marks are cleared while writes are under way.
      await settleAll([step(`${round}: interval`, async () => advance(INTERVAL)), write(`${round}d`)])
      if (round % 3 === 2) await step(`${round}: flush`, () => device.flush())
    }
    await step("close", () => device.close())
  }

/** After recovery there is no unreadable block, and each holds what was flushed or written since: as sectors, where it is larger. */
const everyBlockReads: CrashInvariant = async (device, { expectation }) => {
  const { blockSize, size } = device
  const content = new Uint8Array(size)
  const [bad] = await readAround(device, 0, content)
  if (bad !== undefined) return `unreadable at ${bad.offset}: ${bad.error.message}`
  for (let block = 0; block < size / blockSize; block++) {
    const actual = content.subarray(block * blockSize, (block + 1) * blockSize)
    const isRight = blockSize === 512 ? expectation.isWhole(block, actual) : !expectation.problem(block, actual)
    if (!isRight) return `block ${block} is readable and wrong`
  }
  return undefined
}

const explore = (volume: Volume, more: Partial<CrashOptions> = {}) => {
  const { create, advance } = stackOf(volume)
  return exploreCrashes({ ...limits, create, workload: workloadOf(advance), invariant: everyBlockReads, ...more })
}

it.each(VOLUMES)("mode B, %s: recovered, every block reads, old or new", async (name, volume) => {
  const report = await keepReplay({ name: `crash bitmap ${name}` }, () => explore(volume))
  console.log(printCrashReport(`integrity B, ${name}`, report))
  expect(report.stateCount).toBeGreaterThan(200)
  expect(report.recoveryStateCount).toBeGreaterThan(20)
  expect(report.unreadableStateCount).toBe(0)
})

it("mode D does not promise that: the invariant sees it", async () => {
  const volume = { ...crc, opening: { mode: "D" }, reopening: { mode: "D" } } as const
  await expect(explore(volume, { minimizeStateCount: 0 })).rejects.toThrow("unreadable")
})
