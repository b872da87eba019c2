import { type BlockDevice, BlockError, openVolume } from "blockstrata"
import { type BenchContext, createEngine } from "./bench.ts"
import { type BenchRecord, OURS, recordOf } from "./harness/bench-record.ts"
import { median } from "./harness/median.ts"
import { scatteredOffsets } from "./harness/noise.ts"
import { type Contestant, playRounds, type Rounds } from "./harness/paired-rounds.ts"

const KIB = 1024
const MIB = 1024 * KIB
/** Bytes from the start of each device that are read: what the caches hold of them. */
const RANGE_SIZE = 64 * MIB

interface Reading {
  readonly size: number
  readonly isRandom: boolean
}

const READINGS: readonly Reading[] = [
  { size: 64 * KIB, isRandom: false },
  { size: 4 * KIB, isRandom: true },
]

/**
 * Reads through each device of a stack, from the files up, all in the same rounds: `limit` is the ratio to the device at
 * the bottom, `below` to the one right below, so that 1 means that a layer costs nothing. Opens read-only.
 *
 * @param table as `openVolume` takes it.
 */
export async function* measureLayers(context: BenchContext, table: string): AsyncGenerator<BenchRecord> {
  for (const engineName of context.engineNames) {
    const { device } = await openVolume({ table, readOnly: true, engine: createEngine(engineName) })
    try {
      const layers = layersOf(device)
      const blockSize = Math.max(...layers.map((layer) => layer.blockSize))
      for (const { size, isRandom } of READINGS) {
        yield* measureReading(context, engineName, layers, { size: Math.max(size, blockSize), isRandom })
      }
    } finally {
      await device.close()
    }
  }
}

async function* measureReading(
  { pace, memory, note }: BenchContext,
  engineName: string,
  layers: readonly BlockDevice[],
  reading: Reading,
): AsyncGenerator<BenchRecord> {
  const { size, isRandom } = reading
  const what = `${isRandom ? "random" : "sequential"} reads of ${size / KIB} KiB`
  const readable = new Map<string, BlockDevice>()
  for (const [index, device] of layers.entries()) {
    const name = `${index} ${device.layer.name}`
    const problem = await tryRead(device, reading)
    if (problem === undefined) readable.set(name, device)
    else note(`layers: ${name}: ${what}: left out: ${problem}`)
  }
  const contestants = [...readable].map(([name, device]): Contestant => ({ name, run: reader(device, reading) }))
  const [rounds = new Map<string, number[]>()] = await playRounds(contestants, { pace, onSlice: memory.sample })
  for (const [name, device] of readable) {
    const title = { bench: "layers", case: `${engineName}: ${name}, ${what}` }
    yield recordOf({ ...title, unit: "MiB/s", amount: size / MIB }, compare(rounds, readable, name, device))
  }
}

/** The rounds of one layer as ours, of the bottom as the limit, and of the slowest device right below. */
function compare(
  rounds: Rounds,
  readable: ReadonlyMap<string, BlockDevice>,
  name: string,
  device: BlockDevice,
): Rounds {
  const secondsOf = (key: string): readonly number[] => rounds.get(key) ?? []
  const compared = new Map([[OURS, secondsOf(name)]])
  const [bottom = name] = readable.keys()
  compared.set("limit", secondsOf(bottom))
  const { lowers } = device.layer
  const data = lowers.filter(({ role }) => role === "data")
  const devices = (data.length > 0 ? data : lowers).map((lower) => unshared(lower.device))
  const below = [...readable].filter(([, candidate]) => devices.includes(candidate)).map(([key]) => secondsOf(key))
  const [slowest] = below.toSorted((a, b) => median(b) - median(a))
  if (slowest !== undefined) compared.set("below", slowest)
  return compared
}

/** Why a device cannot be read at all places that would be measured; looks at the first only. */
async function tryRead(device: BlockDevice, reading: Reading): Promise<string | undefined> {
  if (device.size < reading.size) return "it is too small"
  try {
    await reader(device, reading)(1)
    return undefined
  } catch (error) {
    if (error instanceof BlockError) return `${error.code}: ${error.message}`
    throw error
  }
}

function reader(device: BlockDevice, { size, isRandom }: Reading): (turnCount: number) => Promise<void> {
  const count = Math.max(1, Math.floor(Math.min(device.size, RANGE_SIZE) / size))
  const offsets = isRandom
    ? scatteredOffsets(4096, count * size, size)
    : Array.from({ length: count }, (_, index) => index * size)
  const buffer = new Uint8Array(size)
  let next = 0
  return async (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) {
      await device.read(offsets[next] ?? 0, buffer)
      next = next + 1 === offsets.length ? 0 : next + 1
    }
  }
}

/** Every device of a stack once, each after those below it. */
function layersOf(device: BlockDevice): BlockDevice[] {
  const top = unshared(device)
  return [...new Set([...top.layer.lowers.flatMap((lower) => layersOf(lower.device)), top])]
}

function unshared(device: BlockDevice): BlockDevice {
  const [below] = device.layer.lowers
  return device.layer.name === "share" && below !== undefined ? unshared(below.device) : device
}
