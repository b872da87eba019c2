import { assertBytes } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import { TRACE_OPERATION_COUNT_DEFAULT } from "./conformance-options.ts"
import { allSettled, fill, needKept, POISON, type Run, randomRun, type Subject, tail } from "./subject.ts"

const BLOCK_COUNT = 256
const IN_FLIGHT_COUNT = 8

export const trace: CaseGroup = {
  name: "random trace",
  cases: [
    { name: "one request after the other equals an array", run: oneByOne },
    { name: "disjoint requests in flight equal an array", run: inFlight },
  ],
}

/** What the device must hold. A block that is not known may read as anything. */
interface Model {
  readonly within: Run
  readonly data: Uint8Array
  readonly tags: Uint8Array
  readonly isKnown: boolean[]
}

async function start(subject: Subject): Promise<Model> {
  const { device } = subject
  const within = tail(device, BLOCK_COUNT)
  const blockCount = within.length / device.blockSize
  const data = await fill(subject, within.offset, within.length)
  const tags = new Uint8Array(blockCount * device.tagSize)
  await device.read(within.offset, new Uint8Array(within.length), tags)
  return { within, data, tags, isKnown: Array.from({ length: blockCount }, () => true) }
}

type Step = (subject: Subject, model: Model, run: Run) => Promise<void>

/** What happens, and how often. */
const STEPS: readonly (readonly [weight: number, step: Step])[] = [
  [10, write],
  [10, read],
  [2, writeZeroes],
  [1, discard],
  [1, flush],
]

function pickStep({ random }: Subject): Step {
  let rest = random.below(STEPS.reduce((sum, [weight]) => sum + weight, 0))
  for (const [weight, step] of STEPS) {
    if (rest < weight) return step
    rest -= weight
  }
  return read
}

/** The part of the model that a run covers; views, so that what is set in them is set in the model. */
function part(
  { device }: Subject,
  model: Model,
  { offset, length }: Run,
): { data: Uint8Array; tags: Uint8Array; first: number; count: number } {
  const first = (offset - model.within.offset) / device.blockSize
  const count = length / device.blockSize
  return {
    first,
    count,
    data: model.data.subarray(first * device.blockSize, (first + count) * device.blockSize),
    tags: model.tags.subarray(first * device.tagSize, (first + count) * device.tagSize),
  }
}

async function write(subject: Subject, model: Model, run: Run): Promise<void> {
  const { device, random } = subject
  const covered = part(subject, model, run)
  const data = random.bytes(run.length)
  const tags = device.tagSize > 0 && random.below(2) === 0 ? random.bytes(covered.tags.length) : undefined
  const fua = random.below(8) === 0
  await device.write(run.offset, data, { tags, fua })
  covered.data.set(data)
  if (tags) covered.tags.set(tags)
  model.isKnown.fill(true, covered.first, covered.first + covered.count)
}

async function read(subject: Subject, model: Model, run: Run): Promise<void> {
  const { device } = subject
  const covered = part(subject, model, run)
  const data = new Uint8Array(run.length).fill(POISON)
  const tags = new Uint8Array(covered.tags.length).fill(POISON)
  await device.read(run.offset, data, tags)
  for (let index = 0; index < covered.count; index++) {
    if (!model.isKnown[covered.first + index]) continue
    const [from, to] = [index * device.blockSize, (index + 1) * device.blockSize]
    assertBytes(data.subarray(from, to), covered.data.subarray(from, to), `block at ${run.offset + from}`)
  }
  assertBytes(tags, covered.tags, `tags of ${run.length} bytes at ${run.offset}`)
}

async function writeZeroes(subject: Subject, model: Model, run: Run): Promise<void> {
  const covered = part(subject, model, run)
  await subject.device.writeZeroes(run.offset, run.length, { mayDiscard: subject.random.below(2) === 0 })
  covered.data.fill(0)
  model.isKnown.fill(true, covered.first, covered.first + covered.count)
}

async function discard(subject: Subject, model: Model, run: Run): Promise<void> {
  if (!subject.device.features.discard) return
  const covered = part(subject, model, run)
  await subject.device.discard(run.offset, run.length)
  model.isKnown.fill(false, covered.first, covered.first + covered.count)
}

async function flush({ device }: Subject): Promise<void> {
  await device.flush()
}

function operationCount({ options }: Subject): number {
  return options.traceOperationCount ?? TRACE_OPERATION_COUNT_DEFAULT
}

async function oneByOne(subject: Subject): Promise<void> {
  const { device, random } = subject
  if (device.features.write) needKept(subject)
  const model = await start(subject)
  for (let count = operationCount(subject); count > 0; count--) {
    const step = device.features.write ? pickStep(subject) : read
    await step(subject, model, randomRun(random, model.within, device.blockSize, 16))
  }
  await read(subject, model, model.within)
}

async function inFlight(subject: Subject): Promise<void> {
  const { device, random } = subject
  if (device.features.write) needKept(subject)
  const model = await start(subject)
  // One equal share for each, so that no two requests of a round overlap.
  const shareLength = Math.floor(model.within.length / device.blockSize / IN_FLIGHT_COUNT) * device.blockSize
  for (let count = operationCount(subject); count > 0; count -= IN_FLIGHT_COUNT) {
    const requests = Array.from({ length: IN_FLIGHT_COUNT }, (_, index) => {
      const share = { offset: model.within.offset + index * shareLength, length: shareLength }
      const step = device.features.write ? pickStep(subject) : read
      return step(subject, model, randomRun(random, share, device.blockSize, 16))
    })
    await allSettled(requests)
  }
  await read(subject, model, model.within)
}
