import { settleAll } from "@blockstrata/device"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import type { CrashWorkload } from "./crash-moment.ts"

type Kind = "write" | "fua" | "zeroes" | "discard" | "read" | "flush"

interface Operation {
  readonly kind: Kind
  readonly firstBlock: number
  readonly blockCount: number
  readonly contentSeed: number
}

/** What happens, and how often. */
const KINDS: readonly Kind[] = [
  ...Array<Kind>(9).fill("write"),
  ...["fua" as const, "zeroes" as const, "discard" as const, "read" as const, "read" as const],
  ...Array<Kind>(4).fill("flush"),
]
const RUN_BLOCKS_MAX = 8
/** Bytes: some writes are longer, so that a record that spans the pages of a medium is torn between them. */
const LONG_BYTES = 4096
const IN_FLIGHT_MAX = 4

/**
 * Writes of 1 ... 8 blocks and some of more than 4 KiB, zeroes, discards, writes with FUA, reads and flushes, up to four
 * of them in flight together. The seed decides all; each operation is a step.
 */
export function seededWorkload(seed: number, operationCount: number): CrashWorkload {
  return async (device, step) => {
    const random = seededRandom(seed, "crash workload")
    const blockCount = device.size / device.blockSize
    for (let count = 0; count < operationCount; ) {
      const width = Math.min(operationCount - count, random.below(3) === 0 ? 2 + random.below(IN_FLIGHT_MAX - 1) : 1)
      const group = Array.from({ length: width }, () => pickOperation(random, blockCount, device.blockSize))
      await settleAll(
        group.map((operation, index) => {
          const { firstBlock, blockCount: length } = operation
          const place = operation.kind === "flush" ? "" : ` of ${length} blocks at block ${firstBlock}`
          return step(`${count + index + 1}: ${operation.kind}${place}`, () => perform(device, operation))
        }),
      )
      count += width
    }
  }
}

function pickOperation(random: SeededRandom, blockCount: number, blockSize: number): Operation {
  const long = Math.floor(LONG_BYTES / blockSize) + 1
  const length = random.below(6) === 0 ? long + random.below(long) : 1 + random.below(RUN_BLOCKS_MAX)
  const count = Math.min(length, blockCount)
  return {
    kind: random.pick(KINDS),
    blockCount: count,
    firstBlock: random.below(blockCount - count + 1),
    contentSeed: random.nextUint32(),
  }
}

async function perform(device: Parameters<CrashWorkload>[0], operation: Operation): Promise<void> {
  const { kind, contentSeed } = operation
  const offset = operation.firstBlock * device.blockSize
  const length = operation.blockCount * device.blockSize
  if (kind === "flush") return await device.flush()
  if (kind === "read") return await device.read(offset, new Uint8Array(length))
  if (kind === "zeroes") return await device.writeZeroes(offset, length)
  if (kind === "discard") return device.features.discard ? await device.discard(offset, length) : undefined
  const data = seededRandom(contentSeed, "written").bytes(length)
  await device.write(offset, data, { fua: kind === "fua" })
}
