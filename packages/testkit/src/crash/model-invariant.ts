import { type BlockDevice, BlockError, readAround } from "@blockstrata/device"
import type { BlockRun, CrashExpectation } from "../model/block-model.ts"
import type { CrashInvariant, CrashMoment } from "./crash-moment.ts"

/** Settled blocks that are looked at in a state that is one of many. */
const SAMPLE_COUNT = 4
/** Blocks between two runs that are read with them. */
const GAP_COUNT_MAX = 4
/** One state in so many is read completely. */
const WHOLE_SHARE = 64

/**
 * What the contract asks after a crash: each block is what was flushed or, where a change may or may not have arrived, one of
 * those, in pieces of `features.atomicSize`; it is unreadable only where the device states no such size.
 *
 * What may differ between states is read in all of them. Of the rest, which is what was flushed, a few blocks are read in
 * each state, others each time, and all in one state of 64: where the opening wrote nothing, these blocks stand in bytes
 * that are the same in every state. Where it did write, it may have written anywhere, and everything is read.
 */
export function modelInvariant(blockCount: number, onUnreadable: () => void): CrashInvariant {
  return async (device, { expectation }: CrashMoment, { number, isThorough }) => {
    const whole: BlockRun[] = [{ firstBlock: 0, blockCount }]
    const isWhole = isThorough || number % WHOLE_SHARE === 0
    const runs = isWhole ? whole : [...windowsOf(expectation.unsettledRuns()), sampleRun(number, blockCount)]
    let hasUnreadable = false
    for (const run of runs) {
      const { problem, isComplete } = await checkRun(device, expectation, run)
      if (problem !== undefined) return problem
      hasUnreadable ||= !isComplete
    }
    if (hasUnreadable) onUnreadable()
    return undefined
  }
}

/** Runs with little between them are read together: one request costs more than a few blocks. */
function windowsOf(runs: readonly BlockRun[]): BlockRun[] {
  const windows: BlockRun[] = []
  for (const run of runs) {
    const last = windows.at(-1)
    const end = run.firstBlock + run.blockCount
    if (last === undefined || run.firstBlock - last.firstBlock - last.blockCount > GAP_COUNT_MAX) windows.push(run)
    else windows[windows.length - 1] = { firstBlock: last.firstBlock, blockCount: end - last.firstBlock }
  }
  return windows
}

function sampleRun(number: number, blockCount: number): BlockRun {
  const count = Math.min(SAMPLE_COUNT, blockCount)
  return { firstBlock: Math.floor(number / WHOLE_SHARE) % (blockCount - count + 1), blockCount: count }
}

async function checkRun(
  device: BlockDevice,
  expectation: CrashExpectation,
  { firstBlock, blockCount }: BlockRun,
): Promise<{ readonly problem: string | undefined; readonly isComplete: boolean }> {
  const { blockSize } = device
  const buffer = new Uint8Array(blockCount * blockSize)
  const bad = await readAround(device, firstBlock * blockSize, buffer)
  for (let index = 0; index < blockCount; index++) {
    const from = index * blockSize
    const place = firstBlock * blockSize + from
    const failure = bad.find(({ offset, length }) => offset <= place && place < offset + length)
    const actual = failure === undefined ? buffer.subarray(from, from + blockSize) : undefined
    const problem = expectation.problem(firstBlock + index, actual)
    if (problem === undefined) continue
    return { problem: failure ? `${problem}: ${describeError(failure.error)}` : problem, isComplete: false }
  }
  return { problem: undefined, isComplete: bad.length === 0 }
}

function describeError(error: BlockError): string {
  return `${error.code}: ${error.message}`
}
