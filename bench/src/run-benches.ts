import { aead } from "./aead.ts"
import { type Bench, type BenchContext, type EngineName, engineNames } from "./bench.ts"
import { copy } from "./copy.ts"
import { cryptModes } from "./crypt-modes.ts"
import { fileIo } from "./file-io.ts"
import type { BenchRecord } from "./harness/bench-record.ts"
import { type MemoryGrowth, watchMemory } from "./harness/memory-watch.ts"
import { opensslSpeed } from "./harness/openssl-speed.ts"
import { FULL_PACE, SMALL_PACE } from "./harness/pace.ts"
import { hashTrees } from "./hash-tree.ts"
import { integrityBench } from "./integrity.ts"
import { integrityCheck } from "./integrity-check.ts"
import { measureLayers } from "./layer-cost.ts"
import { sectorCiphers } from "./sector-ciphers.ts"
import { stackOverhead } from "./stack-overhead.ts"

/** Every question that is asked here. */
export const benches: readonly Bench[] = [
  sectorCiphers,
  aead,
  cryptModes,
  hashTrees,
  integrityBench,
  stackOverhead,
  fileIo,
  copy,
  integrityCheck,
]

/** MiB that this process may grow by during one bench; a bench over more has a leak, or buffers it should not need. */
const MEMORY_GROWTH_MAX = 384

export interface BenchOptions {
  /** All if not given or empty. */
  readonly names?: readonly string[] | undefined
  /** Instead of the benches: what each layer of this stack costs. A table as `openVolume` takes it. */
  readonly layers?: string | undefined
  /** Both if not given. */
  readonly engine?: string | undefined
  /** Every case once, on little data. */
  readonly small?: boolean | undefined
  /** Called before each bench. */
  readonly onBench?: ((name: string, question: string) => void) | undefined
  /** What was left out and why, and what memory was held. */
  readonly onNote?: ((text: string) => void) | undefined
}

/**
 * Runs benches, one after the other, and yields each figure when it is known.
 *
 * @throws RangeError for a name that is none; Error where memory grew beyond 384 MiB.
 */
export async function* runBenches(options: BenchOptions = {}): AsyncGenerator<BenchRecord> {
  const { onBench, onNote = () => {} } = options
  const pace = options.small === true ? SMALL_PACE : FULL_PACE
  const shared = {
    pace,
    engineNames: chooseEngines(options.engine),
    note: onNote,
    opensslSpeed: opensslSpeed(pace, onNote),
  }
  for (const bench of chooseBenches(options)) {
    onBench?.(bench.name, bench.question)
    const memory = watchMemory()
    yield* bench.run({ ...shared, memory })
    checkGrowth(bench.name, memory.end(), onNote)
  }
}

function chooseBenches({ names = [], layers }: BenchOptions): readonly Bench[] {
  if (layers !== undefined) {
    const run = (context: BenchContext): AsyncGenerator<BenchRecord> => measureLayers(context, layers)
    return [{ name: "layers", question: "What does each layer of this stack cost?", run }]
  }
  for (const name of names) {
    if (benches.some((bench) => bench.name === name)) continue
    throw new RangeError(`bench: ${name}: expected ${benches.map((bench) => bench.name).join(", ")}`)
  }
  return names.length === 0 ? benches : benches.filter((bench) => names.includes(bench.name))
}

function chooseEngines(name: string | undefined): readonly EngineName[] {
  if (name === undefined) return engineNames
  const found = engineNames.filter((candidate) => candidate === name)
  if (found.length === 0) throw new RangeError(`bench: engine ${name}: expected ${engineNames.join(" or ")}`)
  return found
}

function checkGrowth(name: string, { before, max, after }: MemoryGrowth, note: (text: string) => void): void {
  const growth = max - before
  const mib = [growth, after - before].map((value) => `${value < 0 ? "" : "+"}${value.toFixed(0)} MiB`)
  note(`${name}: memory ${mib[0]} at most, ${mib[1]} at the end`)
  if (growth > MEMORY_GROWTH_MAX) throw new Error(`bench: ${name}: memory grew by ${growth.toFixed(0)} MiB`)
}
