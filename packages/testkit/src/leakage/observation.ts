import type { BlockDevice } from "@blockstrata/device"
import type { DeviceWish } from "../conformance/conformance-options.ts"
import { createMedia, type Media } from "../media/media.ts"
import type { MediumEvent } from "../media/medium-event.ts"
import { type SeededRandom, seededRandom } from "../seeded-random.ts"
import { type SeededRuntime, seededRuntime } from "../seeded-runtime.ts"

/** What the meter asks of the stack that it looks at. */
export interface ObservedWish extends DeviceWish {
  /** Randomness and clock of this run. A stack that hides by chance has to take its chance from here: each run has another. */
  readonly runtime: SeededRuntime
}

/** What a workload works with. */
export interface WorkloadSession {
  readonly device: BlockDevice
  /** Of this run alone. */
  readonly random: SeededRandom
  /** The clock of the stack and of the observer: `advance` lets time pass. */
  readonly runtime: SeededRuntime
  /** The observer takes a copy of the media now. */
  snapshot(): void
}

/** Something that may be done on a device: which one it was is the secret. */
export interface Workload {
  readonly name: string
  readonly run: (session: WorkloadSession) => Promise<void>
}

export interface ObserveOptions {
  /**
   * The stack, on media only. Called twice for each run: to format it, then, with `isNew: false` and the same media, to open
   * it again, so that nothing is left in memory of what was done before.
   */
  readonly create: (wish: ObservedWish) => Promise<BlockDevice> | BlockDevice
  /** Done after formatting and before the observer looks, whatever the workload: filling a device, for instance. */
  readonly prepare?: Workload["run"] | undefined
  readonly workload: Workload
  /** Decides everything: the same seed gives the same observation. */
  readonly seed: number
}

/** A request as whoever serves the lower devices sees it: everything but its content. */
export interface ObservedRequest extends Pick<MediumEvent, "medium" | "kind" | "offset" | "length" | "fua"> {
  /** Milliseconds since the workload began, on the runtime's clock. */
  readonly time: number
}

/** What an observer of the lower devices has of one run. */
export interface Observation {
  /** In the order of issue, from the first request of the workload to the last one of `close`. */
  readonly trace: readonly ObservedRequest[]
  /** The media before the workload, whenever it called `snapshot`, and after `close`. */
  readonly snapshots: readonly Media[]
}

/**
 * Runs a workload on a stack and keeps what an observer below sees.
 *
 * Closing is part of it: what a stack puts off must not escape the observer.
 * @throws TypeError for a stack that stands on anything but media: it would be seen in part, and look better than it is.
 */
export async function observe({ create, prepare, workload, seed }: ObserveOptions): Promise<Observation> {
  const media = createMedia({ record: true })
  const runtime = seededRuntime(seed)
  const open = async (isNew: boolean): Promise<BlockDevice> =>
    await create({
      medium: (name, shape) => media.medium(name, shape),
      isNew,
      runtime,
      minimumSizeBytes: 0,
      base: refuseBase,
    })
  const snapshots: Media[] = []
  const session = (device: BlockDevice, stream: string): WorkloadSession => ({
    ...{ device, runtime, random: seededRandom(seed, stream) },
    snapshot: () => void snapshots.push(media.fork()),
  })

  const fresh = await open(true)
  if (media.byName.size === 0) throw new TypeError("observe: create: expected a stack on media, got one without")
  await prepare?.(session(fresh, "prepare"))
  await fresh.close()

  const device = await open(false)
  const [firstIndex, startedAt] = [media.events.length, runtime.now()]
  const times = new Map<MediumEvent, number>()
  media.intercept = (event) => void times.set(event, runtime.now() - startedAt)
  snapshots.length = 0
  snapshots.push(media.fork())
  await workload.run(session(device, "workload"))
  await device.close()
  snapshots.push(media.fork())
  const trace = media.events.slice(firstIndex).map((event) => {
    const { medium, kind, offset, length, fua } = event
    return { medium, kind, offset, length, fua, time: times.get(event) ?? 0 }
  })
  return { trace, snapshots }
}

function refuseBase(): never {
  throw new TypeError("observe: create: expected a stack on media, got another base device")
}
