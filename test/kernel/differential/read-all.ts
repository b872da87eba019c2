import { type BlockDevice, readAround } from "@blockstrata/device"
import type { StepOutcome } from "./case.ts"

/** What of a range can be read. */
export async function readAll(
  device: BlockDevice,
  offset = 0,
  length: number = device.size,
): Promise<Extract<StepOutcome, { kind: "read" }>> {
  const content = new Uint8Array(length)
  const bad = await readAround(device, offset, content)
  const badOffsets = bad.flatMap((run) =>
    Array.from({ length: run.length / device.blockSize }, (_, index) => run.offset + index * device.blockSize),
  )
  return { kind: "read", content, badOffsets }
}
