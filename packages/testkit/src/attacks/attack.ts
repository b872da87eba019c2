import type { AttackStack, Tampering } from "./attack-stack.ts"
import type { AttackedVolume } from "./attacked-volume.ts"
import type { Outcome } from "./outcome.ts"

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

/** The only way of an attack that states none. */
export const ONE_WAY: readonly Tampering[] = [{ name: "", change: () => {} }]
