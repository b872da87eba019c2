import { type BlockDevice, readAround } from "@blockstrata/device"
import type { StepOutcome } from "./case.ts"

/** Everything that can be read. */
export async function readAll(device: BlockDevice): Promise<Extract<StepOutcome, { kind: "read" }>> {
  const content = new Uint8Array(device.size)
  const bad = await readAround(device, 0, content)
  const badOffsets = bad.flatMap(({ offset, length }) =>
    Array.from({ length: length / device.blockSize }, (_, index) => offset + index * device.blockSize),
  )
  return { kind: "read", content, badOffsets }
}
