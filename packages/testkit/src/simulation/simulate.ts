import { type BlockDevice, readAround } from "@blockstrata/device"
import { crashImages } from "../media/crash-image.ts"
import { BlockModel, type CrashExpectation } from "../model/block-model.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import { runClient } from "./client.ts"
import { Hang } from "./scheduler.ts"
import {
  SimulationFailure,
  type SimulationOptions,
  type SimulationReport,
  type SimulationsReport,
} from "./simulation-options.ts"
import { createWorld, freshLife, note, type World, wishOf } from "./world.ts"

const CLIENT_COUNT = 4
const OPERATION_COUNT = 12
const LIFE_COUNT_MAX = 4
const BLOCK_COUNT_MAX = 48
const FAULT_SHARE_MAX = 0.05
/** Steps of the scheduler before a life ends in a crash, at most; most lives end earlier. */
const CRASH_STEPS_MAX = 200

/**
 * Runs a whole stack under several clients, in a world of which one seed decides everything: times of requests to media and
 * so their order, their failures, crashes (also while the stack is being opened), reopenings. Every answer is held against
 * the contract. In the last life the faults stop: then all that is outstanding must settle, and the stack must close, open
 * and hold what it should.
 *
 * Deterministic as far as the stack is: whatever it waits for must be media or `wish.runtime`.
 * @throws SimulationFailure at the first thing that is wrong; it names the seed, which repeats it.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const world = createWorld(options)
  try {
    await runLives(world, options, seededRandom(options.seed, "lives"))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    world.problem ??= error instanceof Hang ? `${message}; still under way: ${[...world.underWay].join(", ")}` : message
  }
  const eventHash = world.hash.digest()
  if (world.problem !== undefined) throw new SimulationFailure(world.problem, options.seed, eventHash, world.events)
  return { seed: options.seed, eventHash, simulatedMilliseconds: world.runtime.now(), ...world.counts }
}

/** Seeds one after another. @throws SimulationFailure of the first that fails. */
export async function simulateSeeds(
  options: Omit<SimulationOptions, "seed"> & { readonly firstSeed: number; readonly seedCount: number },
): Promise<SimulationsReport> {
  const { firstSeed, seedCount } = options
  const sum = { simulatedMilliseconds: 0, operationCount: 0, requestCount: 0, faultCount: 0, crashCount: 0 }
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const report = await simulate({ ...options, seed })
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += report[name]
  }
  return { firstSeed, seedCount, ...sum }
}

async function runLives(world: World, options: SimulationOptions, random: SeededRandom): Promise<void> {
  let device = await driven(world, async () => await options.create(wishOf(world, true)))
  const model = await filledModel(world, device, options, random)
  const lifeCount = 1 + random.below(options.lifeCountMax ?? LIFE_COUNT_MAX)
  for (let index = 0; index < lifeCount; index++) {
    const isLast = index === lifeCount - 1
    const { faultShareMax = FAULT_SHARE_MAX } = options
    world.life = freshLife(random.below(2) === 0 ? 0 : (faultShareMax * (1 + random.below(100))) / 100)
    const expectation = await runLife(world, options, { device, model, random, isLast })
    device = await reopened(world, options, random)
    await checkState(world, device, model, expectation)
  }
  await driven(world, () => device.close())
}

/** A fresh stack of which every block is written and flushed. */
async function filledModel(
  world: World,
  device: BlockDevice,
  { blockCountMax = BLOCK_COUNT_MAX }: SimulationOptions,
  random: SeededRandom,
): Promise<BlockModel> {
  const { blockSize, size, features } = device
  const blockCount = Math.min(blockCountMax, size / blockSize)
  const content = random.bytes(blockCount * blockSize)
  await driven(world, () => device.write(0, content))
  await driven(world, () => device.flush())
  return new BlockModel({ blockCount, blockSize, atomicSize: features.atomicSize }, (block) =>
    content.subarray(block * blockSize, (block + 1) * blockSize),
  )
}

interface LifePlan {
  readonly device: BlockDevice
  readonly model: BlockModel
  readonly random: SeededRandom
  readonly isLast: boolean
}

/** Clients at work, and the end of it: what may stand on the media then. */
async function runLife(
  world: World,
  options: SimulationOptions,
  { device, model, random, isLast }: LifePlan,
): Promise<CrashExpectation> {
  const { scheduler, life } = world
  const { clientCount = CLIENT_COUNT, operationCount = OPERATION_COUNT } = options
  const clients = Promise.allSettled(
    Array.from({ length: clientCount }, (_, index) => {
      const client = { name: `client ${index + 1}`, device, model, random: seededRandom(random.nextUint32(), "client") }
      return runClient(world, client, operationCount)
    }),
  )
  let isCrash = !isLast && random.below(4) > 0
  let stepsLeft = 1 + random.below(CRASH_STEPS_MAX)
  let hasEnded = true
  await scheduler.drive(clients, () => {
    if (stepsLeft-- > 0) return world.problem !== undefined
    if (isLast) life.faultShare = 0
    hasEnded = !isCrash
    return isCrash || world.problem !== undefined
  })
  if (world.problem !== undefined) throw new Error(world.problem)
  life.faultShare = 0
  // A life whose clients are done before the crash ends without one in between.
  isCrash &&= !hasEnded || random.below(2) === 0
  const expectation = isCrash ? model.expectation() : await closed(world, device, model)
  crash(world, options, random, isCrash)
  await scheduler.drive(Promise.allSettled([clients, device.close()]))
  return expectation
}

/** Closing flushes; unless a flush had failed, it succeeds. */
async function closed(world: World, device: BlockDevice, model: BlockModel): Promise<CrashExpectation> {
  note(world, "close")
  const flush = model.flush()
  try {
    await driven(world, () => device.close())
    flush.settled()
  } catch (error) {
    if (!world.life.isBroken) throw error
    flush.failed()
  }
  return model.expectation()
}

/** The power fails. After closing, nothing may be lost that was not durable: so all of it is. */
function crash(world: World, { atomicSize = 512 }: SimulationOptions, random: SeededRandom, isCrash: boolean): void {
  const { media, life, scheduler, counts } = world
  note(world, isCrash ? "the power fails" : "the power is turned off")
  life.isOver = true
  if (isCrash) counts.crashCount++
  media.crash((change) => {
    const unit = media.byName.get(change.medium)?.current.unit ?? change.length
    return isCrash ? random.pick(crashImages(change.length, unit, atomicSize === 0)) : "absent"
  })
  scheduler.wakeAll()
}

/** Opens the stack; at times the power fails once more while it is opened. */
async function reopened(world: World, options: SimulationOptions, random: SeededRandom): Promise<BlockDevice> {
  const { scheduler } = world
  for (;;) {
    world.life = freshLife(0)
    let stepsLeft = random.below(3) === 0 ? random.below(24) : Number.POSITIVE_INFINITY
    let isOpen = true
    note(world, "open")
    const opening = (async () => await options.create(wishOf(world, false)))()
    await scheduler.drive(opening, () => {
      isOpen = stepsLeft-- > 0
      return !isOpen
    })
    if (isOpen) return await opening
    crash(world, options, random, true)
    const end = opening.then(
      (device) => device.close(),
      () => {},
    )
    await scheduler.drive(Promise.allSettled([end]))
  }
}

/** Every block, after a crash or closing: from now on it holds what it holds. */
async function checkState(
  world: World,
  device: BlockDevice,
  model: BlockModel,
  expectation: CrashExpectation,
): Promise<void> {
  const { blockCount, blockSize } = model.shape
  const content = new Uint8Array(blockCount * blockSize)
  const bad = await driven(world, () => readAround(device, 0, content))
  world.hash.addBytes(content)
  const actual = (block: number): Uint8Array | undefined => {
    const offset = block * blockSize
    const isBad = bad.some((range) => range.offset <= offset && offset < range.offset + range.length)
    return isBad ? undefined : content.subarray(offset, offset + blockSize)
  }
  for (let block = 0; block < blockCount; block++) {
    const problem = expectation.problem(block, actual(block))
    if (problem !== undefined) throw new Error(`after opening: ${problem}`)
  }
  model.reopened(actual)
}

/** What the world makes of some work. */
async function driven<Result>(world: World, work: () => Promise<Result>): Promise<Result> {
  const outcome = work()
  await world.scheduler.drive(outcome)
  return await outcome
}
