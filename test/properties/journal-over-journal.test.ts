import { type BlockDevice, share } from "@blockstrata/device"
import { formatIntegrity, openIntegrity } from "@blockstrata/integrity"
import { type CreateStack, replayStack, seededRuntime } from "@blockstrata/testkit"
import { expect, it } from "vitest"

const internalHash = { name: "crc32c" } as const
const SIZE = 16 * 1024
const ROOM = 256 * 1024

/** What is found while a journal is replayed is found: the volume does not open, and does once the bit is put back. */
it("a bit that changes below a journal's own journal is found when the stack is opened", async () => {
  let refusedCount = 0
  const create: CreateStack = async ({ medium, isNew }) => {
    const runtime = seededRuntime(1)
    const open = (lower: BlockDevice, size: number) => openIntegrity({ lower, size, mode: "J", internalHash, runtime })
    const format = { tagSize: 4, blockSize: 512, internalHash, journalSectors: 64, interleaveSectors: 128, wipe: true }
    const disk = medium("disk", { size: SIZE + 2 * ROOM })
    if (isNew) await formatIntegrity({ lower: share(disk), ...format })
    const inner = await open(disk, SIZE + ROOM)
    if (isNew) await formatIntegrity({ lower: share(inner), ...format })
    return await open(inner, SIZE).catch((error: unknown) => {
      refusedCount += 1
      throw error
    })
  }
  const write = (at: number) => ({ do: "together", requests: [{ do: "write", at, count: 1, fua: false }] }) as const
  const corrupt = { do: "corrupt", at: 0, part: "tag", bit: 32, reopens: true } as const
  const crash = { do: "crash", during: [], turns: 0, left: [0] } as const
  const operations = [write(-1), crash, corrupt, write(0)]
  await replayStack({ create, authentic: true }, { operations, jitter: 0, minimumSizeBytes: 0 })
  expect(refusedCount).toBe(1)
})
