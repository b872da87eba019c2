import type { Workload, WorkloadSession } from "./observation.ts"

const WRITE_COUNT = 24

/** Writes random blocks, of the first `blockCount`, one after the other. */
async function writeAmong({ device, random }: WorkloadSession, blockCount: number): Promise<void> {
  for (let round = 0; round < WRITE_COUNT; round++)
    await device.write(random.below(blockCount) * device.blockSize, random.bytes(device.blockSize))
  await device.flush()
}

/**
 * Two workloads that differ in where they write, and in nothing else: a few blocks again and again, or all over the device.
 * On whatever does not hide addresses, every meter has to tell them apart.
 */
export const CONTROL_WORKLOADS: readonly Workload[] = [
  { name: "a hot spot", run: (session) => writeAmong(session, 3) },
  {
    name: "all over",
    run: (session) => writeAmong(session, session.device.size / session.device.blockSize),
  },
]
