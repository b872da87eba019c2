import { type BlockDevice, share } from "@blockstrata/device"
import { linearTarget } from "@blockstrata/targets"
import { type ConformanceOptions, type CreateStack, testBlockDevice, testStack } from "@blockstrata/testkit"
import { describe, inject, it } from "vitest"
import { runCount } from "../run-count.ts"

/** One layer of a stack that is to be tested. Made anew for each device: what `prepare` learned, `open` may use. */
export interface Step {
  /** Bytes below for `size` bytes here. */
  readonly lowerSize: (size: number) => number
  /** Formats, where there is something to format, around the preparation of what stands above. */
  readonly prepare?: (lower: BlockDevice, size: number, above: Prepare) => Promise<void>
  /** The result owns `lower`. */
  readonly open: (lower: BlockDevice, size: number) => Promise<BlockDevice> | BlockDevice
}

export type Prepare = (device: BlockDevice) => Promise<void>

export interface StackOptions extends Partial<Omit<ConformanceOptions, "name" | "runner" | "create" | "reopen">> {
  /** The memory at the bottom. */
  readonly medium?: { readonly blockSize?: number; readonly tagSize?: number }
  /** Bytes of the device; more only where a case asks for it. */
  readonly size?: number
  /**
   * False: no model tests. A crash that leaves a block of tags unreadable takes flushed data with it, in Linux too, where
   * one volume without a journal stands on another.
   */
  readonly asStack?: boolean
  /** Bytes: no device is larger, because formatting touches all of it. */
  readonly sizeMax?: number
}

const SIZE = 128 * 1024
const TRACE_OPERATION_COUNT = process.env["SLOW"] === "1" ? 10_000 : 150
/** `random-stacks.test.ts` looks closer at more of them. */
const STACK_RUN_COUNT = runCount(2)
/** Bytes before and after a range that is not the tail. */
const MARGIN = 64 * 1024

/** Runs the suite with this run's runner, seed and thoroughness. */
export function conform(options: Omit<ConformanceOptions, "runner">): void {
  testBlockDevice({
    traceOperationCount: TRACE_OPERATION_COUNT,
    seed: inject("seed"),
    ...options,
    runner: { describe, it },
  })
}

/** Runs both suites on a stack over one medium, lowest step first. */
export function conformStack(name: string, makeSteps: () => readonly Step[], options: StackOptions = {}): void {
  const { medium: geometry, asStack = true, size = SIZE, sizeMax = Number.MAX_SAFE_INTEGER, ...rest } = options
  // What preparing the media taught them, the steps know when they are opened again.
  let steps: readonly Step[] = []

  const create: CreateStack = async ({ medium, isNew, minimumSizeBytes }) => {
    if (isNew) steps = makeSteps()
    const top = Math.max(size, minimumSizeBytes <= sizeMax ? minimumSizeBytes : 0)
    const sizes = stackSizes(steps, top)
    const disk = () => medium("disk", { ...geometry, size: sizes[0] as number })
    if (isNew) await prepareFrom(steps, sizes, 0, disk(), options)
    return await openFrom(steps, sizes, disk())
  }
  conform({ name, ...rest, create })
  if (!asStack || options.content === "zero") return
  testStack({
    name,
    runner: { describe, it },
    create,
    seed: inject("seed"),
    runCount: STACK_RUN_COUNT,
    authentic: options.authentic,
  })
}

/** The three places of every target: bare, over a range in the middle of a larger device, and over itself. `asStack` is of the last. */
export function conformEverywhere(name: string, makeStep: () => Step, options: StackOptions = {}): void {
  conformStack(`${name}, bare`, () => [makeStep()], { ...options, asStack: true })
  conformStack(`${name}, over a linear range`, () => [linearRange(), makeStep()], { ...options, asStack: true })
  conformStack(`${name}, over itself`, () => [makeStep(), makeStep()], options)
}

/** A range that neither begins nor ends with the device below. */
export function linearRange(): Step {
  return {
    lowerSize: (size) => size + 3 * MARGIN,
    open: (lower, size) => linearTarget({ lower, start: MARGIN, size }),
  }
}

/** Cuts a device into ranges, each a device of its own, which own it together. */
export function slices(lower: BlockDevice, sizes: readonly number[]): BlockDevice[] {
  let start = 0
  return sizes.map((size) => {
    const slice = linearTarget({ lower: share(lower), start, size })
    start += size
    return slice
  })
}

/** Bytes of each device of the stack, the medium first. */
function stackSizes(steps: readonly Step[], size: number): number[] {
  return steps.reduceRight<number[]>((sizes, step) => [step.lowerSize(sizes[0] as number), ...sizes], [size])
}

async function prepareFrom(
  steps: readonly Step[],
  sizes: readonly number[],
  index: number,
  lower: BlockDevice,
  { content }: StackOptions,
): Promise<void> {
  const [step, size] = [steps[index], sizes[index + 1] as number]
  if (step === undefined) {
    if (content instanceof Uint8Array) await lower.write(0, content.subarray(0, lower.size))
    return
  }
  const above: Prepare = (device) => prepareFrom(steps, sizes, index + 1, device, { ...(content && { content }) })
  if (step.prepare) return await step.prepare(lower, size, above)
  const device = await step.open(lower, size)
  await above(device)
  await device.close()
}

async function openFrom(steps: readonly Step[], sizes: readonly number[], medium: BlockDevice): Promise<BlockDevice> {
  let device = medium
  for (const [index, step] of steps.entries()) device = await step.open(device, sizes[index + 1] as number)
  return device
}
