import { type BlockDevice, baseExtents } from "@blockstrata/device"
import type { Media } from "../media/media.ts"
import type { PagedBytes } from "../media/paged-bytes.ts"

/** A byte of a medium, below a block. */
interface Place {
  readonly bytes: PagedBytes
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
  const [byte] = [new Uint8Array(1)]
  place.bytes.read(place.offset, byte)
  const before = byte[0] ?? 0
  const changed = before ^ (1 << (bit % 8))
  place.bytes.write(place.offset, Uint8Array.of(changed))
  await action()
  place.bytes.read(place.offset, byte)
  // Whoever repaired the bit, or wrote the block again, is right.
  if (byte[0] === changed) place.bytes.write(place.offset, Uint8Array.of(before))
  return true
}

/** The bytes of a block on its media, or of its tags: those that extents call so, and those that travel with blocks. */
function placesBelow(device: BlockDevice, media: Media, offset: number, part: "data" | "tag"): Place[] {
  const places: Place[] = []
  for (const extent of baseExtents(device, offset, device.blockSize)) {
    const content = media.byName.get(extent.device.layer.name)?.current
    if (content === undefined || extent.kind === "hash") continue
    if (extent.kind === part || extent.kind === undefined) {
      for (let at = 0; at < extent.length; at++) places.push({ bytes: content.data, offset: extent.offset + at })
    }
    if (part === "tag" && extent.kind !== "tag" && content.tagSize > 0) {
      const start = content.tagOffset(extent.offset)
      for (let at = 0; at < content.tagOffset(extent.length); at++)
        places.push({ bytes: content.tags, offset: start + at })
    }
  }
  return places
}
