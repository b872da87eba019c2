import { BlockError } from "@blockstrata/device"
import type { SeededWish } from "../crash/crash-moment.ts"
import { createMedia, type Media } from "../media/media.ts"
import type { MediumEvent } from "../media/medium-event.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import { type SeededRuntime, seededRuntime } from "../seeded-runtime.ts"
import { EventHash } from "./event-hash.ts"
import { Scheduler } from "./scheduler.ts"
import type { SimulationOptions } from "./simulation-options.ts"

/** What stands between two openings of the stack. */
export interface Life {
  /** The share of requests to media that fail. */
  faultShare: number
  faultCount: number
  /** A flush failed: from then on no change need succeed. */
  isBroken: boolean
  /** The power failed: what ends now says nothing. */
  isOver: boolean
}

/** All that one seed drives. */
export interface World {
  readonly runtime: SeededRuntime
  readonly scheduler: Scheduler
  readonly media: Media
  readonly hash: EventHash
  /** The last things that happened, for people. */
  readonly events: string[]
  /** Requests of clients that have not settled. */
  readonly underWay: Set<string>
  readonly counts: { operationCount: number; requestCount: number; faultCount: number; crashCount: number }
  life: Life
  /** The first thing that was wrong. */
  problem: string | undefined
}

const EVENTS_MAX = 16
const LATENCY_MS = [0.05, 20] as const

export function freshLife(faultShare: number): Life {
  return { faultShare, faultCount: 0, isBroken: false, isOver: false }
}

/** A world whose media take seeded times, and fail when the life says so. */
export function createWorld({ seed, atomicSize = 512, latencyMs = LATENCY_MS }: SimulationOptions): World {
  const runtime = seededRuntime(seed)
  const scheduler = new Scheduler(runtime)
  const media = createMedia({ atomicSize })
  const counts = { operationCount: 0, requestCount: 0, faultCount: 0, crashCount: 0 }
  const hash = new EventHash()
  const world: World = {
    ...{ runtime, scheduler, media, hash, counts },
    ...{ events: [], underWay: new Set(), life: freshLife(0), problem: undefined },
  }
  const latencies = seededRandom(seed, "latencies")
  const [from, to] = latencyMs
  // Half of the time passes before the effect, half before the answer.
  const wait = () => scheduler.sleep((from + ((to - from) * latencies.below(1000)) / 1000) / 2)
  const faults = seededRandom(seed, "faults")
  const chosen = new WeakMap<MediumEvent, BlockError>()

  media.intercept = async (event) => {
    counts.requestCount++
    const fault = chooseFault(world.life, faults, event)
    await wait()
    if (fault === undefined) return
    if (fault.isEarly) throw strike(world, event, fault.error)
    chosen.set(event, fault.error)
  }
  media.afterwards = async (event) => {
    hashEvent(hash, runtime.now(), event)
    await wait()
    const error = chosen.get(event)
    if (error !== undefined) throw strike(world, event, error)
  }
  return world
}

/** What happened, for the hash and for people. */
export function note(world: World, text: string): void {
  const line = `${world.runtime.now().toFixed(2)} ms: ${text}`
  world.hash.addText(line)
  world.events.push(line)
  if (world.events.length > EVENTS_MAX) world.events.shift()
}

export function wishOf({ media, runtime }: World, isNew: boolean): SeededWish {
  const medium: SeededWish["medium"] = (name, shape) => media.medium(name, shape)
  return { medium, isNew, minimumSizeBytes: 0, base: (device) => device, runtime }
}

/** A failure before the request has taken effect, or after it has. */
function chooseFault(
  { faultShare }: Life,
  random: SeededRandom,
  { kind, medium, offset, length }: MediumEvent,
): { readonly isEarly: boolean; readonly error: BlockError } | undefined {
  if (faultShare === 0 || random.below(1_000_000) >= faultShare * 1_000_000) return undefined
  const isFull = kind === "write" && random.below(4) === 0
  const code = isFull ? "NO_SPACE" : "IO"
  const isEarly = isFull || random.below(2) === 0
  return { isEarly, error: new BlockError(code, `${medium}: the ${kind} fails on purpose`, { offset, length }) }
}

function strike({ life, counts, scheduler }: World, { kind }: MediumEvent, error: BlockError): BlockError {
  life.faultCount++
  if (kind === "flush") life.isBroken = true
  counts.faultCount++
  scheduler.note()
  return error
}

function hashEvent(hash: EventHash, now: number, event: MediumEvent): void {
  hash.add(now)
  hash.addText(`${event.medium} ${event.kind} ${event.fua}`)
  hash.add(event.offset)
  hash.add(event.length)
  hash.addBytes(event.data)
  hash.addBytes(event.tags)
}
