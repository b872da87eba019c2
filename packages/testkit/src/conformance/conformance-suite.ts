import type { BlockDevice } from "@blockstrata/device"
import { createMedia } from "../media/media.ts"
import { createProbe } from "../probe.ts"
import { skipCase } from "../runner.ts"
import { seededRandom } from "../seeded-random.ts"
import { buffers } from "./buffers.ts"
import { closing } from "./closing.ts"
import { concurrency } from "./concurrency.ts"
import { type CaseGroup, type ConformanceCase, NotApplicable } from "./conformance-case.ts"
import { type ConformanceOptions, checkConformanceOptions } from "./conformance-options.ts"
import { detection } from "./detection.ts"
import { durability } from "./durability.ts"
import { failedWrites } from "./failed-writes.ts"
import { failures } from "./failures.ts"
import { farOffsets } from "./far-offsets.ts"
import { geometry } from "./geometry.ts"
import { inFlight } from "./in-flight.ts"
import { layer } from "./layer.ts"
import { rangeArguments } from "./range-arguments.ts"
import { readOnly } from "./read-only.ts"
import { reopening } from "./reopen.ts"
import { secrets } from "./secrets.ts"
import { tagConcurrency } from "./tag-concurrency.ts"
import { tags } from "./tags.ts"
import { trace } from "./trace.ts"
import { transfer } from "./transfer.ts"
import { typeArguments } from "./type-arguments.ts"
import { zeroes } from "./zeroes.ts"

const GROUPS: readonly CaseGroup[] = [
  geometry,
  rangeArguments,
  typeArguments,
  transfer,
  buffers,
  farOffsets,
  tags,
  zeroes,
  concurrency,
  tagConcurrency,
  inFlight,
  failures,
  failedWrites,
  durability,
  closing,
  readOnly,
  layer,
  secrets,
  detection,
  trace,
  reopening,
]

/**
 * Gives the test runner one case for each property of the `BlockDevice` contract, each on a fresh device of its own.
 *
 * The cases follow what the device states (features, tags, block size); one that says nothing about it is skipped,
 * with the reason. A device that hangs is the runner's to stop: the suite has no timers.
 * @throws TypeError or RangeError for options that contradict themselves.
 */
export function testBlockDevice(options: ConformanceOptions): void {
  checkConformanceOptions(options)
  const { name, runner, seed = 1 } = options
  runner.describe(`${name} (seed ${seed})`, () => {
    for (const group of GROUPS) {
      runner.describe(group.name, () => {
        for (const one of group.cases) {
          // No named parameter: Jest and Mocha take a body that has one for a callback style test.
          runner.it(one.name, async (...context) => {
            const reason = await runCase(options, one, `${group.name} > ${one.name}`)
            if (reason !== undefined) skipCase(context[0], reason)
          })
        }
      })
    }
  })
}

/** Runs one case on a device of its own, and closes it. @returns why the case does not apply, if it does not. */
async function runCase(options: ConformanceOptions, one: ConformanceCase, path: string): Promise<string | undefined> {
  const probe = createProbe()
  const media = createMedia()
  const open = async (isNew: boolean): Promise<BlockDevice> =>
    await options.create({
      medium: (name, shape) => (isNew ? media.medium(name, shape) : probe.around(media.medium(name, shape))),
      isNew,
      minimumSizeBytes: one.minimumSizeBytes ?? 0,
      base: probe.around,
    })
  let device = await open(true)
  let { reopen } = options
  if (media.byName.size > 0) {
    // What formatting did below is no part of the case: the device that is tested was opened on what it left.
    await device.close()
    device = await open(false)
    reopen ??= () => open(false)
  }
  let hasFailed = true
  try {
    await one.run({
      options,
      device,
      probe,
      random: seededRandom(options.seed ?? 1, path),
      reopen: reopen && (async () => await reopen(device)),
    })
    hasFailed = false
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error
    hasFailed = false
    return error.message
  } finally {
    probe.intercept = undefined
    const close = device.close()
    // A case that failed says more than the close after it; a failure made below may rightly be final.
    if (hasFailed || probe.hasFailed()) await close.catch(() => {})
    else await close
  }
  return undefined
}
