import { BlockError } from "@blockstrata/device"
import type { Attack } from "./attack.ts"
import { type AttackedVolume, copyBlock, openStack, writeBlocks } from "./attacked-volume.ts"
import { ownerSucceeds, readAsOwner } from "./outcome.ts"

/** What is done to whole volumes, and between the sessions of their owner. */
export const VOLUME_ATTACKS: readonly Attack[] = [
  {
    id: "A6",
    name: "the whole volume put back",
    applies: () => true,
    async run(volume) {
      volume.media = volume.earlier.media.fork()
      return undefined
    },
  },
  {
    id: "A7",
    name: "some blocks put back, others not",
    applies: () => true,
    async run(volume) {
      const { overwritten, random, earlier } = volume
      const count = 1 + random.below(overwritten.length - 1)
      for (const index of random.shuffle(overwritten).slice(0, count)) copyBlock(earlier, index, volume, index, true)
      return undefined
    },
  },
  {
    id: "A8a",
    name: "a medium cut off inside the data",
    applies: () => true,
    async run(volume) {
      const place = volume.random.pick(
        (volume.current.places[volume.victim] ?? []).filter(({ area }) => area === "data"),
      )
      const blockSize = volume.media.byName.get(place.medium)?.shape.blockSize ?? 512
      // A medium has at least one block: of those of the first block, its tag and path may remain.
      resizeMedium(volume, place.medium, Math.max(1, Math.floor(place.offset / blockSize)) * blockSize)
      return undefined
    },
  },
  {
    id: "A8b",
    name: "a medium made longer",
    applies: () => true,
    async run(volume) {
      const [name, { shape }] = volume.random.pick([...volume.media.byName])
      resizeMedium(volume, name, shape.size + (1 + volume.random.below(64)) * Math.max(shape.blockSize, 4096))
      return undefined
    },
  },
  {
    id: "A14",
    name: "a write that a crash had lost shown again",
    applies: () => true,
    async run(volume) {
      const { victim, blockSize, random, history, stack } = volume
      const lost = random.bytes(blockSize)
      const device = await openStack(stack, volume, random, "owner")
      await device.write(victim * blockSize, lost)
      history[victim]?.push(lost)
      // The power fails in the flush: what the stack had kept to itself has reached the media by then.
      volume.media.intercept = ({ kind }) => {
        if (kind === "flush") throw new BlockError("IO", "the power failed")
      }
      await device.flush().catch(() => {})
      volume.media.intercept = undefined
      const seen = volume.media.fork()
      volume.media.crash(() => "absent")
      await closeAfterCrash(() => device.close())
      // What recovery there is, is the owner's; then everything must be as it was flushed.
      await writeBlocks(volume, "owner", new Map())
      const left = await readAsOwner(volume)
      if (left !== "unharmed") throw new Error(`${left} after a crash that lost only what was not flushed`)
      volume.media = seen
      return undefined
    },
  },
  {
    id: "A15",
    name: "the last flushes dropped",
    applies: () => true,
    async run(volume) {
      const { victim, blockSize, random, stack } = volume
      const device = await openStack(stack, volume, random, "owner")
      const write = async () => {
        const block = random.bytes(blockSize)
        await device.write(victim * blockSize, block)
        await device.flush()
        remember(volume, block)
      }
      await write()
      const seen = volume.media.fork()
      for (let count = 1 + random.below(3); count > 0; count--) await write()
      await device.close()
      volume.media = seen
      return undefined
    },
  },
  {
    id: "A16",
    name: "a fork: work goes on from an old state, then the other branch is shown",
    applies: () => true,
    async run(volume) {
      const { victim, blockSize, random, earlier, blocks } = volume
      const branch = volume.media
      volume.media = earlier.media.fork()
      const next = random.pick([...blocks.keys()].filter((index) => index !== victim))
      const block = random.bytes(blockSize)
      const isUsable = await ownerSucceeds(() => writeBlocks(volume, "owner", new Map([[next, block]])))
      if (!isUsable) return "refused"
      for (const index of blocks.keys()) blocks[index] = earlier.blocks[index] as Uint8Array
      blocks[next] = block
      volume.media = branch
      return undefined
    },
  },
  {
    id: "A19",
    name: "what is kept elsewhere answers with an older value",
    applies: ({ keepsElsewhere }) => keepsElsewhere === true || "nothing but keys is kept elsewhere",
    async run(volume) {
      volume.kept = new Map(volume.earlier.kept)
      return undefined
    },
  },
]

/** The reader's medium of this name has another size. */
function resizeMedium(volume: AttackedVolume, name: string, size: number): void {
  volume.answer = (asked, shape) => {
    if (asked !== name) return volume.media.medium(asked, shape)
    const other = `${name}, resized`
    const device = volume.media.medium(other, { ...shape, size })
    const content = volume.media.byName.get(name)?.current.fork()
    if (content !== undefined) volume.media.byName.get(other)?.restore(content)
    return device
  }
}

/** The owner wrote the victim once more. */
function remember({ victim, blocks, history }: AttackedVolume, block: Uint8Array): void {
  blocks[victim] = block
  history[victim]?.push(block)
}

/** Gives keys and memory back; that nothing can be flushed any more is the crash's doing. */
async function closeAfterCrash(close: () => Promise<void>): Promise<void> {
  try {
    await close()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
  }
}
