import type { AttackStack, Tampering } from "./attack-stack.ts"
import type { AttackedVolume, Scene } from "./attacked-volume.ts"
import type { Outcome } from "./outcome.ts"
import { attackedVolume } from "./scene.ts"

/** What somebody does to a volume between two openings, or while it is read: a row of the matrix. */
export interface Attack {
  readonly id: string
  readonly name: string
  /** True, or the reason why the attack says nothing about this stack. */
  readonly applies: (stack: AttackStack) => true | string
  /** The ways in which it can be done, each tried at least once; one if not given. */
  readonly ways?: (stack: AttackStack) => readonly Tampering[]
  /**
   * Changes what the reader will be given, and says in `wanted` what for. An outcome is given only by an attack that ends
   * before anybody reads, because the owner was warned.
   */
  readonly run: (volume: AttackedVolume, way: Tampering) => Promise<Outcome | undefined>
}

const ONE_WAY: readonly Tampering[] = [{ name: "", change: () => {} }]

/** The ways of an attack on a stack; none where it says nothing about it. */
export function waysOf({ applies, ways }: Attack, stack: AttackStack): readonly Tampering[] {
  return applies(stack) === true ? (ways?.(stack) ?? ONE_WAY) : []
}

/**
 * Does an attack to a copy of the scene's volume, for a reader of any kind. `warning`: the owner noticed before there was
 * anything to read.
 */
export async function stageAttack(
  attack: Attack,
  way: Tampering,
  scene: Scene,
): Promise<{ readonly volume: AttackedVolume; readonly warning: Outcome | undefined }> {
  const volume = attackedVolume(scene, attack.id)
  return { volume, warning: await attack.run(volume, way) }
}
