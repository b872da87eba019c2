import { type BlockDevice, BlockError } from "@blockstrata/device"
import type { Windows } from "./windows.ts"

/** A block and its tag; both undefined where it is unreadable. */
export type BlockRead = readonly [data: Uint8Array | undefined, tags: Uint8Array | undefined]

/** All blocks of the windows. Anything but a `BlockError` is a failure of the test. */
export async function readBlocks(device: BlockDevice, windows: Windows): Promise<BlockRead[]> {
  const blocks: BlockRead[] = []
  for (const { index, count } of windows.runs()) blocks.push(...(await readRun(device, windows, index, count)))
  return blocks
}

/** A run of blocks in one request; one by one where that fails, so that the good ones among them are found. */
export async function readRun(
  device: BlockDevice,
  windows: Windows,
  index: number,
  count: number,
): Promise<BlockRead[]> {
  const { blockSize, tagSize } = device
  const data = new Uint8Array(count * blockSize)
  const tags = new Uint8Array(count * tagSize)
  try {
    await device.read(windows.offsetOf(index), data, tagSize > 0 ? tags : undefined)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    if (count === 1) return [[undefined, undefined]]
    const blocks: BlockRead[] = []
    for (let at = index; at < index + count; at++) blocks.push(...(await readRun(device, windows, at, 1)))
    return blocks
  }
  const part = (bytes: Uint8Array, size: number, block: number) => bytes.subarray(block * size, (block + 1) * size)
  return Array.from({ length: count }, (_, block) => [part(data, blockSize, block), part(tags, tagSize, block)])
}
