import { type BlockDevice, baseExtents } from "@blockstrata/device"
import type { Media } from "../media/media.ts"
import type { Medium } from "../media/medium.ts"

/** A byte of a medium, below a block. */
interface Place {
  readonly medium: Medium
  readonly area: "data" | "tags"
  readonly offset: number
}

/**
 * Changes one bit on the medium below the block at `offset`, in what `part` says, runs `action` and puts the bit back,
 * where it still is as it was left. @returns whether there was such a bit.
 */
export async function tryChangedBit(
  device: BlockDevice,
  media: Media,
  offset: number,
  part: "data" | "tag",
  bit: number,
  action: () => Promise<void>,
): Promise<boolean> {
  const places = placesBelow(device, media, offset, part)
  const place = places[Math.floor(bit / 8) % Math.max(1, places.length)]
  if (place === undefined) return false
  const { medium, area, offset: at } = place
  const byte = new Uint8Array(1)
  medium.current[area].read(at, byte)
  const before = byte[0] ?? 0
  const changed = before ^ (1 << (bit % 8))
  medium.current[area].write(at, Uint8Array.of(changed))
  await action()
  // Whoever repaired the bit, or wrote the block again, is right.
  medium.putBack(area, at, changed, before)
  return true
}

/** The bytes of a block on its media, or of its tags: those that extents call so, and those that travel with blocks. */
function placesBelow(device: BlockDevice, media: Media, offset: number, part: "data" | "tag"): Place[] {
  const places: Place[] = []
  for (const extent of baseExtents(device, offset, device.blockSize)) {
    const medium = media.byName.get(extent.device.layer.name)
    if (medium === undefined || extent.kind === "hash") continue
    const content = medium.current
    if (extent.kind === part || extent.kind === undefined) {
      for (let at = 0; at < extent.length; at++) places.push({ medium, area: "data", offset: extent.offset + at })
    }
    if (part === "tag" && extent.kind !== "tag" && content.tagSize > 0) {
      const start = content.tagOffset(extent.offset)
      for (let at = 0; at < content.tagOffset(extent.length); at++)
        places.push({ medium, area: "tags", offset: start + at })
    }
  }
  return places
}
