import { createMedia } from "../media/media.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import type { AttackStack } from "./attack-stack.ts"
import { type AttackedVolume, openStack, placesOf, type Scene, type VolumeState } from "./attacked-volume.ts"
import { readAsOwner } from "./outcome.ts"

const BLOCK_COUNT_MIN = 4

/**
 * Makes the volumes of one seed: each block written, some of them, the victim among them, written again. Consecutive seeds have
 * consecutive victims, so that as many runs as there are blocks attack every block.
 *
 * @throws Error if the stack does not give back what was written: then no attack on it says anything.
 */
export async function createScene(stack: AttackStack, seed: number): Promise<Scene> {
  const random = seededRandom(seed, `scene of ${stack.name}`)
  const earlier = await freshVolume(stack, random)
  const other = await freshVolume(stack, random)
  const blockCount = earlier.blocks.length
  const blockSize = earlier.blocks[0]?.length ?? 0
  if (blockCount < BLOCK_COUNT_MIN) throw new RangeError(`attacks: ${stack.name}: expected at least 4 blocks`)
  const victim = seed % blockCount
  const others = random.shuffle([...earlier.blocks.keys()].filter((index) => index !== victim))
  const overwritten = [victim, ...others.slice(0, 1 + random.below(blockCount - 2))]

  const media = earlier.media.fork()
  const kept = new Map(earlier.kept)
  const blocks = [...earlier.blocks]
  const device = await openStack(stack, { media, kept }, random, "owner")
  for (const index of overwritten) {
    const block = random.bytes(blockSize)
    blocks[index] = block
    await device.write(index * blockSize, block)
  }
  await device.flush()
  await device.close()
  const current = await located(stack, { media, kept, blocks }, random)
  const scene = { stack, seed, blockSize, victim, overwritten, earlier, current, other }
  const control = await readAsOwner(attackedVolume(scene, "control"))
  if (control !== "unharmed") throw new Error(`attacks: ${stack.name}, seed ${seed}: ${control} without any attack`)
  return scene
}

/** The scene's volume in the hands of an attacker: a copy, so that any number of attacks start from the same scene. */
export function attackedVolume(scene: Scene, stream: string): AttackedVolume {
  const { stack, seed, earlier, current } = scene
  return {
    ...scene,
    random: seededRandom(seed, `${stream} on ${stack.name}`),
    media: current.media.fork(),
    kept: new Map(current.kept),
    blocks: [...current.blocks],
    history: current.blocks.map((block, index) => [earlier.blocks[index] as Uint8Array, block]),
    wanted: new Map(),
    answer: undefined,
  }
}

async function freshVolume(stack: AttackStack, random: SeededRandom): Promise<VolumeState> {
  const volume = { media: createMedia(), kept: new Map<string, Uint8Array>() }
  const device = await openStack(stack, volume, random, "owner", true)
  const { size, blockSize } = device
  const content = random.bytes(size)
  await device.write(0, content)
  await device.flush()
  await device.close()
  const blocks = Array.from({ length: size / blockSize }, (_, index) =>
    content.subarray(index * blockSize, (index + 1) * blockSize),
  )
  return await located(stack, { ...volume, blocks }, random)
}

async function located(
  stack: AttackStack,
  state: {
    readonly media: VolumeState["media"]
    readonly kept: Map<string, Uint8Array>
    readonly blocks: Uint8Array[]
  },
  random: SeededRandom,
): Promise<VolumeState> {
  const device = await openStack(stack, state, random, "reader")
  const places = placesOf(device, state.media)
  await device.close()
  return { ...state, places }
}
