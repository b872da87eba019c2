import { type BlockDevice, BlockError } from "@blockstrata/device"
import { type Media, mediaOf } from "../media/media.ts"
import { Medium } from "../media/medium.ts"
import { isChange } from "../media/medium-event.ts"
import { seededRandom } from "../seeded-random.ts"
import {
  type CrashSearch,
  delayRequests,
  type Finding,
  forkMedia,
  placeOf,
  searchTimeline,
  stateNumber,
  wishFor,
} from "./crash-search.ts"
import { type Choice, type Epoch, mediaAfter, owedIn } from "./epoch.ts"
import { followUp } from "./follow-up.ts"
import { pointsOf, type Timeline } from "./timeline.ts"

/** Opens the stack on what a crash left, and asks whether all is well; then crashes the opening itself. */
export async function visitState<Moment>(
  search: CrashSearch<Moment>,
  epoch: Epoch<Moment>,
  choice: Choice,
  depth: number,
): Promise<Finding<Moment> | undefined> {
  const { counts, atomicSize, isThorough } = search
  counts.stateCount++
  if (depth > 1) counts.recoveryStateCount++
  const number = stateNumber(search.seed, epoch.index, choice)
  const isRecorded = depth < search.depth && (isThorough || number % 4096 < search.recoveryShare * 4096)
  const contents = mediaAfter(epoch, choice)
  const before = isRecorded ? forkMedia(contents) : undefined
  const media = mediaOf(contents, { atomicSize, record: isRecorded })
  const moment = owedIn(epoch, choice)
  const found = (problem: string, isLater = false): Finding<Moment> => ({
    problem,
    isLater,
    places: [placeOf(epoch, choice)],
    epochs: [epoch],
    choices: [new Uint8Array(choice)],
  })

  if (before) delayRequests(media, seededRandom(number, "recovery"))
  const device = await openState(search, media)
  if (typeof device === "string") return found(device)
  const timeline = before && recoveryOf(media, before, moment)
  media.intercept = undefined
  if (device !== undefined) {
    const hasRecovered = [...media.byName.values()].some(({ changeCount }) => changeCount > 0)
    const state = { number, isThorough: isThorough || hasRecovered }
    const problem = await asked(() => search.invariant(device, moment, state))
    if (problem !== undefined) return found(problem)
    const later = await asked(() => (search.followUp ? followUp(search, media, device, number) : closed(device)))
    if (later !== undefined) return found(later, true)
  }
  if (timeline === undefined) return undefined
  const finding = await (search.nested?.(timeline) ?? searchTimeline(search, timeline, depth + 1, visitState))
  if (finding === undefined) return undefined
  return {
    ...finding,
    places: [placeOf(epoch, choice), ...finding.places],
    epochs: [epoch, ...finding.epochs],
    choices: [new Uint8Array(choice), ...finding.choices],
  }
}

/** The device; undefined if it refuses to open, as it may; a text if it may not. */
async function openState<Moment>(search: CrashSearch<Moment>, media: Media): Promise<BlockDevice | string | undefined> {
  try {
    return await search.create(wishFor(media, false, search.seed))
  } catch (error) {
    if (!(error instanceof BlockError) || !search.mayRefuse(error)) return `it does not open: ${String(error)}`
    search.counts.refusedStateCount++
    return undefined
  }
}

/** What the opening did to the media; undefined if it changed nothing. */
function recoveryOf<Moment>(media: Media, before: Map<string, Medium>, moment: Moment): Timeline<Moment> | undefined {
  if (!media.events.some(isChange)) return undefined
  // A medium that the opening asked for first held nothing before.
  for (const [name, { shape }] of media.byName) {
    if (!before.has(name)) before.set(name, new Medium(name, shape))
  }
  return { media: before, start: moment, points: pointsOf(media, 0, () => moment, []) }
}

async function closed(device: BlockDevice): Promise<undefined> {
  await device.close()
}

/** What is thrown is a problem like any other. */
async function asked(look: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await look()
  } catch (error) {
    return String(error)
  }
}
