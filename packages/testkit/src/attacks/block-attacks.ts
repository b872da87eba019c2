import type { Attack } from "./attack.ts"
import { type AttackedVolume, copyBlock, type Place, readPlace, writeBlocks, writePlace } from "./attacked-volume.ts"

/** What is done to single blocks. A block goes with its tag; its path in a hash tree only where that is said. */
export const BLOCK_ATTACKS: readonly Attack[] = [
  {
    id: "A1",
    name: "one bit of a block flipped",
    applies: () => true,
    async run({ random, media, current, victim }) {
      const place = random.pick(partsOf({ current, victim }).filter(({ kind }) => kind === "data"))
      const bytes = readPlace(media, place)
      const bit = random.below(bytes.length * 8)
      const at = Math.floor(bit / 8)
      bytes[at] = (bytes[at] as number) ^ (2 ** (bit % 8))
      writePlace(media, place, bytes)
      return undefined
    },
  },
  {
    id: "A2",
    name: "a block of the attacker's choice, its tag recomputed",
    applies: () => true,
    async run(volume) {
      await forge(volume)
      return undefined
    },
  },
  {
    id: "A3",
    name: "two blocks swapped, with their tags",
    applies: () => true,
    async run(volume) {
      const { victim, blocks, current, random, wanted } = volume
      const bystander = random.pick([...blocks.keys()].filter((index) => index !== victim))
      copyBlock(current, victim, volume, bystander)
      copyBlock(current, bystander, volume, victim)
      wanted.set(victim, blocks[bystander] as Uint8Array).set(bystander, blocks[victim] as Uint8Array)
      return undefined
    },
  },
  {
    id: "A4",
    name: "a block and its tag from another volume",
    applies: () => true,
    async run(volume) {
      const { victim, other, wanted } = volume
      copyBlock(other, victim, volume, victim)
      wanted.set(victim, other.blocks[victim] as Uint8Array)
      return undefined
    },
  },
  {
    id: "A5",
    name: "one old block put back, with its tag",
    applies: () => true,
    async run(volume) {
      copyBlock(volume.earlier, volume.victim, volume, volume.victim, true)
      return undefined
    },
  },
  {
    id: "A9",
    name: "a block zeroed, its tag as if never written",
    applies: () => true,
    async run({ stack, media, blockSize, victim, wanted, current }) {
      for (const place of partsOf({ current, victim })) {
        const filler = place.kind === "tag" ? (stack.blankTagByte ?? 0) : 0
        writePlace(media, place, new Uint8Array(place.length).fill(filler))
      }
      wanted.set(victim, new Uint8Array(blockSize))
      return undefined
    },
  },
]

/** Writes a block of the attacker's choice over the victim, as far as that goes without the owner's keys. */
export async function forge(volume: AttackedVolume): Promise<void> {
  const block = volume.random.bytes(volume.blockSize)
  await writeBlocks(volume, "attacker", new Map([[volume.victim, block]]))
  volume.wanted.set(volume.victim, block)
}

/** Where the victim and its tag stand. */
function partsOf({ current, victim }: Pick<AttackedVolume, "current" | "victim">): Place[] {
  return (current.places[victim] ?? []).filter(({ kind }) => kind !== "hash")
}
