import { type BlockDevice, BlockError } from "@blockstrata/device"
import type { BlockModel, PendingRead } from "../model/block-model.ts"
import type { BlockContent } from "../model/change.ts"
import type { SeededRandom } from "../seeded-random.ts"
import { type Life, note, type World } from "./world.ts"

type Kind = "write" | "fua" | "zeroes" | "discard" | "flush" | "read"

const KINDS: readonly Kind[] = [
  ...Array<Kind>(7).fill("write"),
  ...Array<Kind>(9).fill("read"),
  ...["fua" as const, "zeroes" as const, "discard" as const, "flush" as const, "flush" as const],
]
const RUN_BLOCKS_MAX = 8

/** One client's view of the stack in one life. */
export interface Client {
  readonly name: string
  readonly device: BlockDevice
  readonly model: BlockModel
  readonly random: SeededRandom
}

/** Requests one after the other, with pauses, until `operationCount` are done or the power fails. Never rejects. */
export async function runClient(world: World, client: Client, operationCount: number): Promise<void> {
  const { life, scheduler } = world
  try {
    for (let count = 0; count < operationCount; count++) {
      await scheduler.sleep(pauseOf(client.random))
      if (life.isOver) return
      world.counts.operationCount++
      await operate(world, client, life)
    }
  } catch (error) {
    world.problem ??= `${client.name}: ${String(error)}`
  } finally {
    scheduler.note()
  }
}

/** Milliseconds: mostly busy, at times idle for up to a minute. */
function pauseOf(random: SeededRandom): number {
  return random.below(16) === 0 ? random.below(60_000) : random.below(30)
}

async function operate(world: World, client: Client, life: Life): Promise<void> {
  const { device, model, random, name } = client
  const kind = random.pick(KINDS)
  const { blockCount, blockSize } = model.shape
  const count = 1 + random.below(Math.min(RUN_BLOCKS_MAX, blockCount))
  const first = random.below(blockCount - count + 1)
  const [offset, length] = [first * blockSize, count * blockSize]
  if (kind === "discard" && !device.features.discard) return
  const text = kind === "flush" ? `${name}: flush` : `${name}: ${kind} of ${count} blocks at block ${first}`
  const faultCount = life.faultCount
  const request = requestOf(client, kind, offset, length)
  note(world, text)
  world.underWay.add(text)
  let failure: { readonly error: unknown } | undefined
  try {
    await request.run()
  } catch (error) {
    failure = { error }
  }
  world.underWay.delete(text)
  world.scheduler.note()
  if (life.isOver) return
  note(world, `${text}: ${failure === undefined ? "done" : String(failure.error)}`)
  const hasFault = life.faultCount !== faultCount
  world.problem ??= request.end(failure, hasFault || (kind !== "read" && life.isBroken))
}

/** A request, and the judgement of its end: what was wrong with it. */
interface Request {
  run(): Promise<void>
  end(failure: { readonly error: unknown } | undefined, mayFail: boolean): string | undefined
}

function requestOf({ device, model, random }: Client, kind: Kind, offset: number, length: number): Request {
  const { blockSize } = model.shape
  const [first, count] = [offset / blockSize, length / blockSize]
  if (kind === "read") {
    const buffer = new Uint8Array(length)
    const read = model.read(first, count)
    return {
      run: () => device.read(offset, buffer),
      end: (failure, mayFail) => endOfRead(read, buffer, count, failure, mayFail),
    }
  }
  const change = (contents: readonly BlockContent[], run: () => Promise<void>): Request => {
    const pending = kind === "flush" ? model.flush() : model.change(first, contents, kind === "fua")
    return {
      run,
      end(failure, mayFail) {
        if (failure === undefined) pending.settled()
        else pending.failed()
        return failureProblem(kind, failure, mayFail)
      },
    }
  }
  const each = (content: (index: number) => BlockContent) => Array.from({ length: count }, (_, index) => content(index))
  if (kind === "flush") return change([], () => device.flush())
  if (kind === "discard") {
    return change(
      each(() => "anything"),
      () => device.discard(offset, length),
    )
  }
  if (kind === "zeroes") {
    const zeroes = new Uint8Array(blockSize)
    return change(
      each(() => zeroes),
      () => device.writeZeroes(offset, length),
    )
  }
  const data = random.bytes(length)
  return change(
    each((index) => data.subarray(index * blockSize, (index + 1) * blockSize)),
    () => device.write(offset, data, { fua: kind === "fua" }),
  )
}

function endOfRead(
  read: PendingRead,
  buffer: Uint8Array,
  count: number,
  failure: { readonly error: unknown } | undefined,
  hasFault: boolean,
): string | undefined {
  const indexes = Array.from({ length: count }, (_, index) => index)
  if (failure !== undefined) {
    const isPermitted = indexes.some((index) => read.mayFail(index)) || hasFault
    return failureProblem("read", failure, isPermitted)
  }
  const blockSize = buffer.length / count
  for (const index of indexes) {
    const problem = read.problem(index, buffer.subarray(index * blockSize, (index + 1) * blockSize))
    if (problem !== undefined) return `read: ${problem}`
  }
  return undefined
}

function failureProblem(
  kind: Kind,
  failure: { readonly error: unknown } | undefined,
  mayFail: boolean,
): string | undefined {
  if (failure === undefined) return undefined
  if (!(failure.error instanceof BlockError)) return `${kind}: expected a BlockError, got ${String(failure.error)}`
  return mayFail ? undefined : `${kind}: failed, though nothing below it did: ${String(failure.error)}`
}
