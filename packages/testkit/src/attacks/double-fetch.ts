import { type BlockDevice, defineDevice } from "@blockstrata/device"
import type { Attack } from "./attack.ts"
import { forge } from "./block-attacks.ts"

/** The reader may read a block as often as it likes: what it gives out must be what it has verified. */
export const DOUBLE_FETCH: Attack = {
  id: "A18",
  name: "a medium that answers differently when it is asked again",
  applies: () => true,
  async run(volume) {
    const honest = volume.media.fork()
    await forge(volume)
    const forged = volume.media
    volume.answer = (name, shape) => twoFaced(honest.medium(name, shape), forged.medium(name, shape))
    return undefined
  },
}

/** Gives a block of `first` when it is read for the first time, and of `later` from then on. */
function twoFaced(first: BlockDevice, later: BlockDevice): BlockDevice {
  const { size, blockSize, tagSize, features } = first
  const seen = new Set<number>()
  return defineDevice({
    name: first.layer.name,
    size,
    blockSize,
    tagSize,
    features: { write: features.write, fua: features.fua, atomicSize: features.atomicSize },
    async read(offset, buffer, tags) {
      for (let at = 0; at < buffer.length; at += blockSize) {
        const face = seen.has(offset + at) ? later : first
        seen.add(offset + at)
        const tagAt = (at / blockSize) * tagSize
        await face.read(offset + at, buffer.subarray(at, at + blockSize), tags?.subarray(tagAt, tagAt + tagSize))
      }
    },
    write: (offset, data, options) => first.write(offset, data, options),
    flush: () => first.flush(),
  })
}
