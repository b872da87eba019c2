import { type BlockDevice, baseExtents } from "@blockstrata/device"
import type { Media } from "../media/media.ts"
import type { PagedBytes } from "../media/paged-bytes.ts"
import type { SeededRandom } from "../seeded-random.ts"
import { seededRuntime } from "../seeded-runtime.ts"
import type { AttackStack, AttackWish, Party } from "./attack-stack.ts"

/** Bytes on a medium that belong to a block. */
export interface Place {
  readonly medium: string
  /** `tags`: those that travel with the medium's blocks. */
  readonly area: "data" | "tags"
  readonly offset: number
  readonly length: number
  readonly kind: "data" | "tag" | "hash"
}

/** A volume as its owner left it at some time. */
export interface VolumeState {
  readonly media: Media
  readonly kept: ReadonlyMap<string, Uint8Array>
  /** What the owner last wrote, by block. */
  readonly blocks: readonly Uint8Array[]
  /** Where each block stands. */
  readonly places: readonly (readonly Place[])[]
}

/** What stands before any attack: one volume at two times, and another one with the same keys. */
export interface Scene {
  readonly stack: AttackStack
  readonly seed: number
  readonly blockSize: number
  /** The block that the attack is about. The owner overwrote it, and other blocks. */
  readonly victim: number
  readonly overwritten: readonly number[]
  /** Before the owner overwrote anything. */
  readonly earlier: VolumeState
  readonly current: VolumeState
  /** Another volume of the same owner, with the same keys. */
  readonly other: VolumeState
}

/** A volume in the attacker's hands, with all that an attacker may have collected. */
export interface AttackedVolume extends Scene {
  readonly random: SeededRandom
  /** What the reader will be given; the attacker may change everything in it. */
  media: Media
  /** What the reader will be told by the place that the attacker does not reach. */
  kept: Map<string, Uint8Array>
  /** What the owner last wrote, by block. */
  readonly blocks: Uint8Array[]
  /** All that the owner ever wrote, by block. */
  readonly history: Uint8Array[][]
  /** What the attacker wants the reader to see, by block. */
  readonly wanted: Map<number, Uint8Array>
  /** How the media answer the reader, if not as they are. */
  answer: AttackWish["medium"] | undefined
}

/** Opens a stack for one party. An attacker's notes are never the owner's. */
export async function openStack(
  stack: AttackStack,
  { media, kept, answer }: Pick<AttackedVolume, "media" | "kept"> & Partial<Pick<AttackedVolume, "answer">>,
  random: SeededRandom,
  party: Party,
  isNew = false,
): Promise<BlockDevice> {
  return await stack.create({
    medium: answer ?? ((name, shape) => media.medium(name, shape)),
    isNew,
    party,
    kept: party === "owner" ? kept : new Map(kept),
    runtime: seededRuntime(random.nextUint32()),
  })
}

/** Has a party write whole blocks, and closes. */
export async function writeBlocks(
  volume: AttackedVolume,
  party: Party,
  blocks: ReadonlyMap<number, Uint8Array>,
): Promise<void> {
  const device = await openStack(volume.stack, volume, volume.random, party)
  for (const [index, block] of blocks) await device.write(index * volume.blockSize, block)
  await device.flush()
  await device.close()
}

/** Finds each block on the media, by walking the stack down. Where things stand is no secret. */
export function placesOf(device: BlockDevice, media: Media): Place[][] {
  const { size, blockSize } = device
  return Array.from({ length: size / blockSize }, (_, index) =>
    baseExtents(device, index * blockSize, blockSize).flatMap(({ device: base, offset, length, kind }): Place[] => {
      const medium = base.layer.name
      const place: Place = { medium, area: "data", offset, length, kind }
      const content = media.byName.get(medium)?.current
      if (content === undefined || content.tagSize === 0) return [place]
      const first = content.tagOffset(offset - (offset % content.blockSize))
      const end = content.tagOffset(Math.ceil((offset + length) / content.blockSize) * content.blockSize)
      return [place, { medium, area: "tags", offset: first, length: end - first, kind: "tag" }]
    }),
  )
}

export function readPlace(media: Media, place: Place): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(place.length)
  areaOf(media, place).read(place.offset, bytes)
  return bytes
}

export function writePlace(media: Media, place: Place, bytes: Uint8Array): void {
  areaOf(media, place).write(place.offset, bytes)
}

/** Puts a block of one state where a block of the volume stands, with its tag; and with its path in a hash tree, if asked. */
export function copyBlock(
  from: VolumeState,
  fromIndex: number,
  volume: AttackedVolume,
  index: number,
  withPath = false,
): void {
  const source = from.places[fromIndex] ?? []
  for (const [at, place] of (volume.current.places[index] ?? []).entries()) {
    const original = source[at]
    if (original === undefined || (place.kind === "hash" && !withPath)) continue
    writePlace(volume.media, place, readPlace(from.media, original))
  }
}

function areaOf(media: Media, { medium, area }: Place): PagedBytes {
  const content = media.byName.get(medium)?.current
  if (content === undefined) throw new RangeError(`attacks: no medium ${medium}: give base devices their medium's name`)
  return content[area]
}
