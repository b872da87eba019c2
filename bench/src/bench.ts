import type { Engine } from "@blockstrata/primitives"
import { createNodeEngine } from "@blockstrata/primitives/node"
import { createPortableEngine } from "@blockstrata/primitives/portable"
import type { BenchRecord, CaseName } from "./harness/bench-record.ts"
import { recordOf } from "./harness/bench-record.ts"
import { ownCpuClock, wallClock } from "./harness/clock.ts"
import type { MemoryWatch } from "./harness/memory-watch.ts"
import type { OpensslSpeed } from "./harness/openssl-speed.ts"
import type { Pace } from "./harness/pace.ts"
import { type Contestant, playRounds } from "./harness/paired-rounds.ts"

/** One question, and the cases that answer it. */
export interface Bench {
  readonly name: string
  readonly question: string
  run(context: BenchContext): AsyncIterable<BenchRecord>
}

export interface BenchContext {
  readonly pace: Pace
  readonly engineNames: readonly EngineName[]
  readonly opensslSpeed: OpensslSpeed
  readonly memory: MemoryWatch
  /** Says what was left out, and why. */
  note(text: string): void
}

export type EngineName = "node" | "portable"
export const engineNames: readonly EngineName[] = ["node", "portable"]

/** An engine of a bench's own: what it allocates goes with it. */
export function createEngine(name: EngineName): Engine {
  return name === "node" ? createNodeEngine() : createPortableEngine()
}

/**
 * Pairs the contestants of a case against the wall's clock. `speedRates` are rivals that were measured elsewhere in CPU time,
 * so CPU time is what they are compared with.
 */
export async function measureCase(
  { pace, memory }: BenchContext,
  name: CaseName,
  contestants: readonly Contestant[],
  speedRates?: Readonly<Record<string, number>>,
): Promise<BenchRecord> {
  const clocks = [wallClock, ownCpuClock]
  const [rounds, cpuRounds] = await playRounds(contestants, { pace, clocks, onSlice: memory.sample })
  return recordOf(name, rounds ?? new Map(), { rates: speedRates ?? {}, rounds: cpuRounds ?? new Map() })
}
