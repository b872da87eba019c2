import { type BlockDevice, defineDevice } from "@blockstrata/device"

/** The same device for reading only: what stands on it cannot write, whatever it tries. Owns `device`. */
export function readOnlyDevice(device: BlockDevice): BlockDevice {
  if (!device.features.write) return device
  return defineDevice({
    name: "read-only",
    size: device.size,
    blockSize: device.blockSize,
    tagSize: device.tagSize,
    features: { atomicSize: device.features.atomicSize, optimalSize: device.features.optimalSize },
    lowers: [{ role: "data", device }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    read: (offset, buffer, tags) => device.read(offset, buffer, tags),
    blockStatus: (offset, length) => device.blockStatus(offset, length),
  })
}
