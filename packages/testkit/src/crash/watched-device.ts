import { type BlockDevice, defineDevice } from "@blockstrata/device"
import type { BlockModel } from "../model/block-model.ts"
import type { BlockContent } from "../model/change.ts"

/**
 * The first blocks of a device, whose requests a model hears of. It checks what reads give, and calls `onDurable` when
 * more became durable. Closing it leaves the device open.
 */
export function watchedDevice(device: BlockDevice, model: BlockModel, onDurable: () => void): BlockDevice {
  const { blockSize, features } = device
  const size = model.shape.blockCount * blockSize

  async function change(
    offset: number,
    contents: readonly BlockContent[],
    fua: boolean,
    request: () => Promise<void>,
  ): Promise<void> {
    const pending = model.change(offset / blockSize, contents, fua)
    try {
      await request()
    } catch (error) {
      pending.failed()
      throw error
    }
    pending.settled()
    if (fua) onDurable()
  }
  const blocks = (length: number, content: (index: number) => BlockContent): BlockContent[] =>
    Array.from({ length: length / blockSize }, (_, index) => content(index))

  return defineDevice({
    name: "watched",
    size,
    blockSize,
    features: { ...features, fua: true },
    ownsLowers: false,
    lowers: [{ role: "data", device }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    async read(offset, buffer) {
      const read = model.read(offset / blockSize, buffer.length / blockSize)
      await device.read(offset, buffer)
      for (let index = 0; index < buffer.length / blockSize; index++) {
        const problem = read.problem(index, buffer.subarray(index * blockSize, (index + 1) * blockSize))
        if (problem !== undefined) throw new Error(`a read without any crash: ${problem}`)
      }
    },
    write(offset, data, { fua }) {
      // The caller may use its buffer again as soon as the request has settled.
      const copy = new Uint8Array(data)
      const contents = blocks(data.length, (index) => copy.subarray(index * blockSize, (index + 1) * blockSize))
      return change(offset, contents, fua, () => device.write(offset, data, { fua }))
    },
    ...(features.writeZeroes && {
      writeZeroes(offset, length, how) {
        const zeroes = new Uint8Array(blockSize)
        const contents = blocks(length, () => zeroes)
        return change(offset, contents, how.fua, () => device.writeZeroes(offset, length, how))
      },
    }),
    ...(features.discard && {
      discard: (offset, length) =>
        change(
          offset,
          blocks(length, () => "anything"),
          false,
          () => device.discard(offset, length),
        ),
    }),
    async flush() {
      const pending = model.flush()
      await device.flush()
      pending.settled()
      onDurable()
    },
  })
}
