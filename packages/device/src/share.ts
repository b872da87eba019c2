import type { BlockDevice } from "./block-device.ts"
import { defineDevice } from "./define-device.ts"

const handleCounts = new WeakMap<BlockDevice, number>()

/**
 * One more handle on a device that several targets use: each owns and closes its handle, and the device closes with
 * the last one. Whoever shares a device no longer closes it directly.
 *
 * A handle orders nothing: what the users of one device owe each other is theirs to arrange.
 */
export function share(device: BlockDevice): BlockDevice {
  handleCounts.set(device, (handleCounts.get(device) ?? 0) + 1)
  return defineDevice({
    name: "share",
    size: device.size,
    blockSize: device.blockSize,
    tagSize: device.tagSize,
    features: device.features,
    lowers: [{ role: "data", device }],
    ownsLowers: false,
    extents: (offset, length) => [{ role: "data", offset, length }],
    read: (offset, buffer, tags) => device.read(offset, buffer, tags),
    write: (offset, data, options) => device.write(offset, data, options),
    flush: () => device.flush(),
    discard: (offset, length) => device.discard(offset, length),
    writeZeroes: (offset, length, options) => device.writeZeroes(offset, length, options),
    blockStatus: (offset, length) => device.blockStatus(offset, length),
    async close() {
      const handleCount = (handleCounts.get(device) ?? 1) - 1
      handleCounts.set(device, handleCount)
      if (handleCount === 0) await device.close()
    },
  })
}
