import type { BlockDevice } from "@blockstrata/device"
import { createMedia, type Media } from "../media/media.ts"
import { isChange, type MediumEvent } from "../media/medium-event.ts"
import { BlockModel } from "../model/block-model.ts"
import { seededRandom } from "../seeded-random.ts"
import type { CrashMoment, CrashWorkload } from "./crash-moment.ts"
import { type CreateSeededStack, delayRequests, forkMedia, wishFor } from "./crash-search.ts"
import { type Owed, pointsOf, type Timeline } from "./timeline.ts"
import { watchedDevice } from "./watched-device.ts"

export interface RecordingOptions {
  readonly create: CreateSeededStack
  readonly workload: CrashWorkload
  readonly blockCountMax: number
  readonly atomicSize: 0 | 512
  readonly seed: number
  /** The steps that are left out, by their index. */
  readonly skipped: ReadonlySet<number>
  /** The invariant asks for more whenever a step has settled. */
  readonly owesSteps: boolean
}

export interface CrashRecording {
  readonly timeline: Timeline<CrashMoment>
  readonly blockCount: number
  readonly stepCount: number
  readonly changeCount: number
}

/**
 * Runs the workload once, on media that record: every block is written and flushed first, then everything counts as
 * durable, and requests to the media overtake each other as the seed says.
 */
export async function recordWorkload(options: RecordingOptions): Promise<CrashRecording> {
  const { create, seed, atomicSize } = options
  const media = createMedia({ atomicSize, record: true })
  const device = await create(wishFor(media, true, seed))
  if (media.byName.size === 0) throw new RangeError("crash: create took no medium of its wish: nothing can be crashed")
  if (!device.features.write) throw new RangeError("crash: the device cannot be written")
  const blockCount = Math.min(options.blockCountMax, device.size / device.blockSize)
  const model = await filledModel(device, blockCount, seed)
  const contents = forkMedia(media.byName)
  const from = media.tick()
  const recorder = recorderOf(media, model, options)
  delayRequests(media, seededRandom(seed, "delays"), recorder.noteIssue)
  const start = recorder.moment()
  await options.workload(
    watchedDevice(device, model, () => recorder.owe()),
    recorder.step,
  )
  const points = pointsOf(media, from, (event) => recorder.moments.get(event) ?? start, recorder.owed)
  media.intercept = undefined
  await device.close()
  // A medium that the workload brought into being held nothing.
  const fresh = createMedia({ atomicSize })
  for (const [name, { shape }] of media.byName) if (!contents.has(name)) fresh.medium(name, shape)
  const timeline = { media: new Map([...fresh.byName, ...contents]), start, points }
  const changeCount = points.filter(({ kind }) => kind === "issued").length
  return { timeline, blockCount, stepCount: recorder.stepCount(), changeCount }
}

async function filledModel(device: BlockDevice, blockCount: number, seed: number): Promise<BlockModel> {
  const { blockSize, features } = device
  const content = seededRandom(seed, "before the workload").bytes(blockCount * blockSize)
  await device.write(0, content)
  await device.flush()
  return new BlockModel({ blockCount, blockSize, atomicSize: features.atomicSize }, (block) =>
    content.subarray(block * blockSize, (block + 1) * blockSize),
  )
}

interface Recorder {
  readonly step: (name: string, action: () => Promise<void>) => Promise<void>
  readonly moments: ReadonlyMap<MediumEvent, CrashMoment>
  readonly owed: readonly Owed<CrashMoment>[]
  moment(): CrashMoment
  readonly noteIssue: (event: MediumEvent) => void
  /** More is owed from now on. */
  owe(): void
  stepCount(): number
}

/** Keeps what is owed at each change, and whenever more is owed. */
function recorderOf(media: Media, model: BlockModel, { skipped, owesSteps }: RecordingOptions): Recorder {
  const begun: string[] = []
  const settled: string[] = []
  const moments = new Map<MediumEvent, CrashMoment>()
  const owed: Owed<CrashMoment>[] = []
  let stepCount = 0
  const moment = (): CrashMoment => ({
    expectation: model.expectation(),
    begun: [...begun],
    settled: [...settled],
  })
  const owe = () => {
    owed.push({ at: media.tick(), moment: moment() })
  }
  return {
    moments,
    owed,
    moment,
    owe,
    noteIssue(event) {
      if (isChange(event)) moments.set(event, moment())
    },
    stepCount: () => stepCount,
    async step(name, action) {
      if (skipped.has(stepCount++)) return
      begun.push(name)
      await action()
      settled.push(name)
      const last = owed.at(-1)
      if (owesSteps) owe()
      // What was owed just now was owed by this step: it had settled.
      else if (last?.at === media.tick() - 1) owed[owed.length - 1] = { at: last.at, moment: moment() }
    },
  }
}
