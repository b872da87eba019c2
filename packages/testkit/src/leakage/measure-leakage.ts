import { seededRandom } from "../seeded-random.ts"
import { CONTROL_WORKLOADS } from "./control-workloads.ts"
import { type Game, type LeakageVerdict, playGame } from "./game.ts"
import { type ObserveOptions, observe, type Workload } from "./observation.ts"
import { permutationTest, type Tested } from "./permutation-test.ts"
import { entropyStatistic, informationStatistic, overlapStatistic } from "./statistics.ts"
import { type Observer, requestObserver, snapshotObserver, type View } from "./view.ts"

export interface LeakageOptions {
  /** Of what is measured, for the report. */
  readonly name: string
  readonly create: ObserveOptions["create"]
  readonly prepare?: ObserveOptions["prepare"]
  /** Two or more: which of them ran is the secret. */
  readonly workloads: readonly Workload[]
  /** 1 if not given. */
  readonly seed?: number | undefined
  /** Runs of each workload to learn from, and as many to guess; at least 12, 16 if not given. */
  readonly runs?: number | undefined
}

export interface LeakageMeasure extends Tested {
  readonly verdict: LeakageVerdict
}

/** What one observer can tell. */
export interface ObserverReport {
  readonly observer: string
  /** How far apart the entropies of the addresses of one run are, bits. */
  readonly entropy: LeakageMeasure
  /** How much more the address sets of two runs overlap if the workload was the same, 0 ... 1. */
  readonly overlap: LeakageMeasure
  /** What one address tells of the workload, bits. */
  readonly information: LeakageMeasure
  readonly game: Game
  readonly verdict: LeakageVerdict
}

export interface LeakageReport {
  readonly name: string
  readonly workloads: readonly string[]
  readonly seed: number
  readonly runs: number
  readonly observers: readonly ObserverReport[]
  /** `leaks` if any meter of any observer says so. */
  readonly verdict: LeakageVerdict
  readonly controls: {
    /** A bare medium, and workloads that differ in their addresses: every meter must find it. */
    readonly positive: readonly ObserverReport[]
    /** The same stack, and one workload under two names: no meter may find anything. */
    readonly negative: readonly ObserverReport[]
    /** Both are so. If not, the report says nothing. */
    readonly areSound: boolean
  }
}

/** The chance of a false alarm of one meter of one observer. Twelve of them: 0.6 % for a verdict. */
const LEVEL = 0.0005
const SHUFFLE_COUNT = 1999
/** With fewer, chance alone parts the runs as well as any secret: 2 in 12,870 for eight and eight, too often for the level. */
const RUNS_MIN = 12
const OBSERVERS: readonly Observer[] = [requestObserver, snapshotObserver(512), snapshotObserver(16)]
const CONTROL_SIZE = 65536

interface Comparison extends Pick<ObserveOptions, "create" | "prepare"> {
  readonly workloads: readonly Workload[]
  readonly seed: number
  readonly runs: number
}

/**
 * Measures what observers below a stack can tell about which workload ran: the addresses' entropy, overlap and
 * information, and the game "which of them was it?".
 *
 * It shows leaks, up to a chance of false alarm of 0.6 % a verdict; that it shows none proves nothing about other
 * workloads, other observers or longer looks. One seed decides all of it.
 * @throws TypeError or RangeError for options that no measurement follows from.
 */
export async function measureLeakage(options: LeakageOptions): Promise<LeakageReport> {
  const { name, create, prepare, workloads, seed = 1, runs = 16 } = options
  const [first] = workloads
  if (first === undefined || workloads.length < 2)
    throw new RangeError(`measureLeakage: ${name}: workloads: expected two or more, got ${workloads.length}`)
  if (!Number.isSafeInteger(runs) || runs < RUNS_MIN)
    throw new RangeError(`measureLeakage: ${name}: runs: expected >= ${RUNS_MIN}, got ${runs}`)
  const bare: ObserveOptions["create"] = ({ medium }) => medium("control", { size: CONTROL_SIZE })
  const observers = await compare({ create, prepare, workloads, seed, runs }, "measured")
  const positive = await compare({ create: bare, workloads: CONTROL_WORKLOADS, seed, runs }, "positive")
  const negative = await compare({ create, prepare, workloads: [first, first], seed, runs }, "negative")
  return {
    ...{ name, workloads: workloads.map((workload) => workload.name), seed, runs, observers },
    verdict: anyLeaks(observers.map(({ verdict }) => verdict)),
    controls: {
      ...{ positive, negative },
      areSound: positive.every(isFoundByAll) && negative.every(isQuiet),
    },
  }
}

/** A run, and which workload it was. */
interface LabelledRun {
  readonly label: number
  readonly views: readonly View[]
}

async function compare(comparison: Comparison, stream: string): Promise<ObserverReport[]> {
  const { workloads, seed, runs } = comparison
  const seeds = seededRandom(seed, `${stream} runs`)
  const coin = seededRandom(seed, `${stream} coin`)
  const seeRun = async (label: number): Promise<LabelledRun> => {
    const observation = await observe({
      ...comparison,
      workload: workloads[label] as Workload,
      seed: seeds.below(2 ** 48),
    })
    return { label, views: OBSERVERS.map(({ look }) => look(observation)) }
  }
  const [training, guessed]: [LabelledRun[], LabelledRun[]] = [[], []]
  for (let round = 0; round < runs; round++) {
    for (const label of workloads.keys()) {
      training.push(await seeRun(label))
      guessed.push(await seeRun(coin.below(workloads.length)))
    }
  }
  return OBSERVERS.map(({ name }, index) => {
    const seen = (all: readonly LabelledRun[]): SeenRun[] =>
      all.map(({ label, views }) => ({ label, ...(views[index] as View) }))
    return reportOf(name, seen(training), seen(guessed), { workloads, seed, stream })
  })
}

interface SeenRun extends View {
  readonly label: number
}

function reportOf(
  observer: string,
  training: readonly SeenRun[],
  guessed: readonly SeenRun[],
  { workloads, seed, stream }: Pick<Comparison, "workloads" | "seed"> & { readonly stream: string },
): ObserverReport {
  const random = seededRandom(seed, `${stream} shuffles ${observer}`)
  const labels = training.map(({ label }) => label)
  const addresses = training.map((run) => run.addresses)
  const measure = (statistic: typeof informationStatistic): LeakageMeasure => {
    const tested = permutationTest(labels, statistic(addresses), { shuffleCount: SHUFFLE_COUNT, random })
    return { ...tested, verdict: tested.pValue <= LEVEL ? "leaks" : "not shown" }
  }
  const meters = {
    entropy: measure(entropyStatistic),
    overlap: measure(overlapStatistic),
    information: measure(informationStatistic),
    game: playGame({ training, guessed, labelCount: workloads.length, confidence: 1 - 2 * LEVEL }),
  }
  return { observer, ...meters, verdict: anyLeaks(Object.values(meters).map(({ verdict }) => verdict)) }
}

function anyLeaks(verdicts: readonly LeakageVerdict[]): LeakageVerdict {
  return verdicts.includes("leaks") ? "leaks" : "not shown"
}

function isFoundByAll({ entropy, overlap, information, game }: ObserverReport): boolean {
  return [entropy, overlap, information, game].every(({ verdict }) => verdict === "leaks")
}

function isQuiet({ verdict, game }: ObserverReport): boolean {
  return verdict === "not shown" && game.rate.low <= game.chance && game.chance <= game.rate.high
}
