import { cryptTarget } from "@blockstrata/crypt"
import type { BlockDevice } from "@blockstrata/device"
import { formatIntegrity, openIntegrity } from "@blockstrata/integrity"
import { linearTarget } from "@blockstrata/targets"
import { type ObservedWish, type ObserveOptions, seededRandom, type Workload } from "@blockstrata/testkit"
import { formatVerity, openVerity } from "@blockstrata/verity"

/** Bytes of each stack's device. */
const SIZE = 32 * 1024
const SECTOR_SIZE = 512
/** The sector of which a part changes. */
const TARGET_OFFSET = 8 * SECTOR_SIZE
const ROUND_COUNT = 8

export interface LeakageStack extends Pick<ObserveOptions, "create" | "prepare"> {
  readonly name: string
  readonly isWritable: boolean
}

const key = (length: number) => seededRandom(7, "leakage key").bytes(length)

async function integrity(
  { medium, isNew, runtime }: ObservedWish,
  tagSize: number,
  internalHash: { readonly name: "crc32c" } | undefined,
): Promise<BlockDevice> {
  const lower = medium("disk", { size: 2 * SIZE + 96 * 1024 })
  const volume = { lower, tagSize, blockSize: SECTOR_SIZE, internalHash, mode: "D" as const, runtime }
  if (isNew) await formatIntegrity({ ...volume, interleaveSectors: 32, journalSectors: 64, wipe: true })
  return await openIntegrity({ ...volume, size: SIZE })
}

/** As every workload finds the device: written once, all of it. */
async function fill({ device, random }: Session): Promise<void> {
  await device.write(0, random.bytes(device.size))
}

function verityStack(): LeakageStack {
  let rootHash: Uint8Array = new Uint8Array(32)
  return {
    name: "verity",
    isWritable: false,
    async create({ medium, isNew, runtime }) {
      const shape = { size: SIZE, blockSize: SECTOR_SIZE }
      const [data, hash] = [medium("data", shape), medium("hash", shape)]
      if (isNew) {
        const content = new Uint8Array(SIZE)
        runtime.fillRandom(content)
        await data.write(0, content)
        // Hash blocks of 1 KiB, so that a path through the tree has something to tell.
        const tree = { dataBlockSize: SECTOR_SIZE, hashBlockSize: 1024, algorithm: "sha256" as const }
        ;({ rootHash } = await formatVerity({ ...tree, data, hash, salt: new Uint8Array(32), runtime }))
      }
      return await openVerity({ data, hash, rootHash })
    },
  }
}

/** The stacks of which `docs/leakage.md` tells, each on media of its own. */
export function leakageStacks(): LeakageStack[] {
  return [
    {
      name: "linear",
      isWritable: true,
      prepare: fill,
      create: ({ medium }) => linearTarget({ lower: medium("disk", { size: 2 * SIZE }), start: 4096, size: SIZE }),
    },
    {
      name: "XTS",
      isWritable: true,
      prepare: fill,
      create: ({ medium, runtime }) =>
        cryptTarget({
          ...{ lower: medium("disk", { size: SIZE }), size: SIZE, cipher: "aes-xts-plain64", runtime },
          ...{ key: key(64), ivOffsetSectors: 0 },
        }),
    },
    {
      name: "integrity crc32c",
      isWritable: true,
      prepare: fill,
      create: (wish) => integrity(wish, 4, { name: "crc32c" }),
    },
    {
      name: "AEAD over integrity",
      isWritable: true,
      prepare: fill,
      create: async (wish) =>
        cryptTarget({
          ...{ lower: await integrity(wish, 28, undefined), size: SIZE, cipher: "capi:gcm(aes)-random", key: key(32) },
          ...{ ivOffsetSectors: 0, integrity: { tagSize: 28, kind: "aead" as const }, runtime: wish.runtime },
        }),
    },
    verityStack(),
  ]
}

/** What differs between two workloads, and nothing else. */
export interface LeakageCase {
  /** As in the table of threats: L1, L2, L3. */
  readonly threat: "L1" | "L2" | "L3"
  readonly secret: string
  readonly needsWriting: boolean
  readonly workloads: readonly Workload[]
}

type Run = Workload["run"]
type Session = Parameters<Run>[0]

const pair = (first: [string, Run], second: [string, Run]): Workload[] =>
  [first, second].map(([name, run]) => ({ name, run }))

/** Touches blocks anywhere in one half of the device. */
async function touchHalf({ device, random }: Session, half: 0 | 1, touch: (offset: number) => Promise<void>) {
  const blockCount = device.size / 2 / device.blockSize
  for (let round = 0; round < ROUND_COUNT; round++)
    await touch((half * blockCount + random.below(blockCount)) * device.blockSize)
}

const readIn =
  (half: 0 | 1): Run =>
  (session) =>
    touchHalf(session, half, (offset) => session.device.read(offset, new Uint8Array(session.device.blockSize)))

const writeIn =
  (half: 0 | 1): Run =>
  async (session) => {
    const { device, random } = session
    await touchHalf(session, half, (offset) => device.write(offset, random.bytes(device.blockSize)))
    await device.flush()
  }

/** Writes a sector anew of which 16 bytes have changed. */
const changePart =
  (place: number): Run =>
  async ({ device, random }) => {
    const sector = new Uint8Array(SECTOR_SIZE)
    await device.read(TARGET_OFFSET, sector)
    sector.set(random.bytes(16), place)
    await device.write(TARGET_OFFSET, sector)
    await device.flush()
  }

/** Writes blocks anywhere; before each the clock moves on, and after every `flushEach` of them comes a flush. */
const write =
  (roundCount: number, flushEach: number, waitMilliseconds: number): Run =>
  async ({ device, random, runtime }) => {
    for (let round = 1; round <= roundCount; round++) {
      runtime.advance(waitMilliseconds)
      const block = random.below(device.size / device.blockSize)
      await device.write(block * device.blockSize, random.bytes(device.blockSize))
      if (round % flushEach === 0) await device.flush()
    }
  }

export const leakageCases: readonly LeakageCase[] = [
  {
    ...{ threat: "L1", secret: "which half is read", needsWriting: false },
    workloads: pair(["front", readIn(0)], ["back", readIn(1)]),
  },
  {
    ...{ threat: "L1", secret: "which half is written", needsWriting: true },
    workloads: pair(["front", writeIn(0)], ["back", writeIn(1)]),
  },
  {
    ...{ threat: "L2", secret: "which 16 bytes of a sector change", needsWriting: true },
    workloads: pair(["first", changePart(0)], ["last", changePart(SECTOR_SIZE - 16)]),
  },
  {
    ...{ threat: "L3", secret: "how often it flushes", needsWriting: true },
    workloads: pair(["each write", write(8, 1, 1)], ["every fourth", write(8, 4, 1)]),
  },
  {
    ...{ threat: "L3", secret: "when it writes", needsWriting: true },
    workloads: pair(["every ms", write(8, 4, 1)], ["every 100 ms", write(8, 4, 100)]),
  },
  {
    ...{ threat: "L3", secret: "how much it writes", needsWriting: true },
    workloads: pair(["8 blocks", write(8, 4, 1)], ["12 blocks", write(12, 4, 1)]),
  },
]

/** The cases that a stack can run. */
export function casesOf({ isWritable }: LeakageStack): LeakageCase[] {
  return leakageCases.filter(({ needsWriting }) => isWritable || !needsWriting)
}
