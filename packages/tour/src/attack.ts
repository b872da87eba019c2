import { type BlockDevice, BlockError, baseExtents } from "blockstrata"
import type { AttackedVolume } from "./stack.ts"

/** What the attacker does between two openings, knowing where everything stands but no key. */
export interface Attack {
  readonly name: string
  /** `before`: the media as they were before the owner's last write. */
  tamper(volume: AttackedVolume, before: ReadonlyMap<string, Uint8Array>): Promise<void>
}

/** What the reader gets afterwards. */
export type Outcome = "caught" | "accepted: old data" | "accepted: noise" | "accepted: unharmed"

export const BLOCK_SIZE = 4096
/** The block that is attacked, and the one it is swapped with. */
export const VICTIM_OFFSET: number = 3 * BLOCK_SIZE
const OTHER_OFFSET = 7 * BLOCK_SIZE

export const attacks: readonly Attack[] = [
  {
    name: "bit flip",
    async tamper(volume) {
      const [part] = await partsOf(volume, VICTIM_OFFSET)
      if (part !== undefined) part[part.length - 1] = (part.at(-1) ?? 0) ^ 1
    },
  },
  {
    name: "swap of two blocks with their tags",
    async tamper(volume) {
      const mine = await partsOf(volume, VICTIM_OFFSET)
      const theirs = await partsOf(volume, OTHER_OFFSET)
      for (const [index, part] of mine.entries()) {
        const other = theirs[index] ?? part
        const kept = new Uint8Array(part)
        part.set(other)
        other.set(kept)
      }
    },
  },
  {
    name: "zeroed block and tag",
    async tamper(volume) {
      for (const part of await partsOf(volume, VICTIM_OFFSET)) part.fill(0)
    },
  },
  {
    name: "replay of one block with its tag",
    async tamper(volume, before) {
      const then = await partsOf({ ...volume, media: before }, VICTIM_OFFSET)
      for (const [index, part] of (await partsOf(volume, VICTIM_OFFSET)).entries()) part.set(then[index] ?? part)
    },
  },
  {
    name: "replay of the whole volume",
    async tamper(volume, before) {
      for (const [name, medium] of volume.media) medium.set(before.get(name) ?? medium)
    },
  },
]

/** What a reader may find where the attack was: the block before the owner's last write, or after it. */
export interface Contents {
  readonly old: Uint8Array
  readonly current: Uint8Array
}

/** Puts two known blocks on a volume, lets the owner overwrite one, and lets the attacker at the media. */
export async function stageAttack(attack: Attack, volume: AttackedVolume): Promise<Contents> {
  const [old, other, current] = [1, 2, 3].map(pattern) as [Uint8Array, Uint8Array, Uint8Array]
  await volume.write(VICTIM_OFFSET, old)
  await volume.write(OTHER_OFFSET, other)
  const before = new Map([...volume.media].map(([name, medium]) => [name, new Uint8Array(medium)]))
  await volume.write(VICTIM_OFFSET, current)
  await attack.tamper(volume, before)
  return { old, current }
}

/** Stages an attack and reads as the owner would. */
export async function tryAttack(attack: Attack, volume: AttackedVolume): Promise<Outcome> {
  const contents = await stageAttack(attack, volume)
  // A tree below the metadata may find out as early as the opening.
  return await read(volume, contents).catch((error: unknown) => {
    if (error instanceof BlockError && error.code === "INTEGRITY") return "caught"
    throw error
  })
}

async function read(volume: AttackedVolume, { old, current }: Contents): Promise<Outcome> {
  const device = await volume.open()
  try {
    const buffer = new Uint8Array(BLOCK_SIZE)
    await device.read(VICTIM_OFFSET, buffer)
    if (isEqual(buffer, current)) return "accepted: unharmed"
    return isEqual(buffer, old) ? "accepted: old data" : "accepted: noise"
  } finally {
    await device.close()
  }
}

/** The bytes of a block and of its tag on the media, but not those of a hash tree: found by walking the stack down. */
export async function partsOf(volume: AttackedVolume, offset: number): Promise<Uint8Array[]> {
  const device = await volume.open()
  const parts = baseExtents(device, offset, BLOCK_SIZE)
    .filter(({ kind }) => kind !== "hash")
    .map((extent) => mediumBelow(extent.device, volume).subarray(extent.offset, extent.offset + extent.length))
  await device.close()
  return parts
}

/** The device at the bottom carries the name of its medium. */
function mediumBelow(device: BlockDevice, volume: AttackedVolume): Uint8Array {
  return volume.media.get(device.layer.name) ?? new Uint8Array(0)
}

function pattern(seed: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK_SIZE }, (_, index) => (index * 7 + seed * 31) % 256)
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, index) => byte === right[index])
}
