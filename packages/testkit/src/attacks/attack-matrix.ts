import { type Attack, stageAttack, waysOf } from "./attack.ts"
import type { AttackStack, Tampering } from "./attack-stack.ts"
import type { Scene } from "./attacked-volume.ts"
import { BLOCK_ATTACKS } from "./block-attacks.ts"
import { DOUBLE_FETCH } from "./double-fetch.ts"
import { METADATA_ATTACKS } from "./metadata-attacks.ts"
import { isUndetected, OUTCOMES, type Outcome, readAsOwner } from "./outcome.ts"
import { createScene } from "./scene.ts"
import { VOLUME_ATTACKS } from "./volume-attacks.ts"

/** Every attack, in the order of their numbers. */
export const ATTACKS: readonly Attack[] = [
  ...BLOCK_ATTACKS,
  ...VOLUME_ATTACKS,
  ...METADATA_ATTACKS,
  DOUBLE_FETCH,
].toSorted((left, right) => numberOf(left) - numberOf(right) || (left.id < right.id ? -1 : 1))

export interface AttackMatrixOptions {
  /** 0 or more. Run n of a cell has the seed `seed + n`, which decides all of it. */
  readonly seed: number
  /** Seeds of each cell. Where an attack has more ways than that, several are tried with each seed. */
  readonly runsPerCell: number
  /** All, if not given. */
  readonly attacks?: readonly Attack[] | undefined
}

/** One attack on one volume, and how it ended. */
export interface AttackRun {
  readonly seed: number
  /** Empty where an attack has one way only. */
  readonly way: string
  readonly outcome: Outcome
}

export interface AttackCell {
  readonly attack: string
  readonly stack: string
  /** Why the attack says nothing about this stack; then there are no runs. */
  readonly reason: string | undefined
  readonly runs: readonly AttackRun[]
  /** The outcomes that occurred, worst first, joined by `+`; `n/a` if there are no runs. */
  readonly outcomes: string
  /** `undetected` if any run ended so. */
  readonly verdict: "detected" | "undetected" | "n/a"
}

export interface AttackMatrix {
  readonly attacks: readonly Attack[]
  readonly stacks: readonly string[]
  readonly cells: readonly AttackCell[]
}

/** What must come out, by attack and then by stack, in the words of `AttackCell.outcomes`. */
export type ExpectedMatrix = Readonly<Record<string, Readonly<Record<string, string>>>>

/**
 * Does every attack on every stack, `runsPerCell` times, each on a volume of its own, and says what the reader got.
 *
 * @throws Error, naming attack, stack and seed, for what is no outcome: an error that is not a `BlockError` of a refusal,
 * bytes left in the buffer of a failed read, a stack that does not work without attacks. A reader that hangs is the
 * runner's to stop.
 */
export async function attackMatrix(
  stacks: readonly AttackStack[],
  { seed, runsPerCell, attacks = ATTACKS }: AttackMatrixOptions,
): Promise<AttackMatrix> {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`attacks: seed: expected 0 or more, got ${seed}`)
  const cells: AttackCell[] = []
  for (const stack of stacks) {
    const plans = attacks.map((attack) => planOf(attack, stack))
    for (let index = 0; index < runsPerCell; index++) {
      const scene = await createScene(stack, seed + index)
      for (const plan of plans) {
        for (const way of waysOfSeed(plan, scene.seed, runsPerCell))
          plan.runs.push(await runAttack(plan.attack, way, scene))
      }
    }
    cells.push(...plans.map((plan) => cellOf(plan, stack)))
  }
  return { attacks, stacks: stacks.map(({ name }) => name), cells }
}

/** One line for each cell that is not as expected, whichever way: named by attack, stack and the seed of a run. */
export function attackFindings({ attacks, stacks, cells }: AttackMatrix, expected: ExpectedMatrix): string[] {
  const findings = cells.flatMap(({ attack, stack, outcomes, runs, reason }) => {
    const wanted = expected[attack]?.[stack] ?? "nothing"
    if (wanted === outcomes) return []
    const run = runs.find(({ outcome }) => !wanted.split("+").includes(outcome)) ?? runs[0]
    const how = run === undefined ? reason : `${describe(run.seed, run.way)}: ${run.outcome}`
    return [`${attack} on ${stack}: expected ${wanted}, got ${outcomes} (${how})`]
  })
  const known = new Set(attacks.flatMap(({ id }) => stacks.map((stack) => `${id} on ${stack}`)))
  for (const [attack, row] of Object.entries(expected)) {
    for (const stack of Object.keys(row)) {
      if (!known.has(`${attack} on ${stack}`))
        findings.push(`${attack} on ${stack}: expected, but there is no such cell`)
    }
  }
  return findings
}

interface Plan {
  readonly attack: Attack
  readonly reason: string | undefined
  readonly ways: readonly Tampering[]
  readonly runs: AttackRun[]
}

function planOf(attack: Attack, stack: AttackStack): Plan {
  const applies = attack.applies(stack)
  return { attack, reason: applies === true ? undefined : applies, ways: waysOf(attack, stack), runs: [] }
}

/** Those of one seed: as many that the seeds of a cell have all of them. */
function waysOfSeed({ ways }: Plan, seed: number, runsPerCell: number): Tampering[] {
  const count = Math.ceil(ways.length / runsPerCell)
  return Array.from({ length: count }, (_, index) => ways[(seed * count + index) % ways.length] as Tampering)
}

async function runAttack(attack: Attack, way: Tampering, scene: Scene): Promise<AttackRun> {
  const { seed, stack } = scene
  try {
    const { volume, warning } = await stageAttack(attack, way, scene)
    return { seed, way: way.name, outcome: warning ?? (await readAsOwner(volume)) }
  } catch (error) {
    throw new Error(`${attack.id} on ${stack.name}, ${describe(seed, way.name)}: ${String(error)}`, { cause: error })
  }
}

function cellOf({ attack, reason, runs }: Plan, stack: AttackStack): AttackCell {
  const found = OUTCOMES.filter((outcome) => runs.some((run) => run.outcome === outcome))
  const verdict = found.length === 0 ? "n/a" : found.some(isUndetected) ? "undetected" : "detected"
  const outcomes = found.length === 0 ? "n/a" : found.join("+")
  return { attack: attack.id, stack: stack.name, reason, runs, outcomes, verdict }
}

function describe(seed: number, way: string): string {
  return `SEED=${seed}${way === "" ? "" : `, ${way}`}`
}

/** The 8 of `A8b`. */
function numberOf({ id }: Attack): number {
  return Number(/\d+/.exec(id)?.[0] ?? 0)
}
