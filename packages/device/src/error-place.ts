import type { BlockDevice, Extent, Lower } from "./block-device.ts"
import { BlockError, type Operation } from "./block-error.ts"
import type { ByteRange } from "./range-lock.ts"

/** What is known of the device whose request failed. */
export interface ErrorPlace {
  readonly name: string
  readonly blockSize: number
  readonly lowers: readonly Lower[]
  readonly extents: ((offset: number, length: number) => readonly Extent[]) | undefined
}

/** Which device raised an error: the same device may stand below under several roles. */
const raisers = new WeakMap<BlockError, BlockDevice>()

/**
 * Turns whatever a request failed with into an error in the coordinates of `place`.
 *
 * An error of the target itself is completed; one of a lower is wrapped, its range translated by `extents`; a foreign
 * exception becomes `IO`. A `TypeError` and its kin are bugs and stay what they are.
 */
export function placeError(
  error: unknown,
  raiser: BlockDevice,
  place: ErrorPlace,
  operation: Operation,
  range: ByteRange | undefined,
): unknown {
  if (!(error instanceof BlockError)) {
    if (isBug(error)) return error
    const at = range === undefined ? "" : ` at offset ${range.offset}`
    return raised(
      new BlockError("IO", `${place.name}: ${operation} failed${at}`, {
        device: place.name,
        operation,
        offset: range?.offset,
        length: range?.length,
        cause: error,
      }),
      raiser,
    )
  }
  return raised(
    error.device === undefined ? complete(error, place, operation, range) : wrap(error, place, operation, range),
    raiser,
  )
}

function raised(error: BlockError, raiser: BlockDevice): BlockError {
  raisers.set(error, raiser)
  return error
}

function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

function complete(
  error: BlockError,
  place: ErrorPlace,
  operation: Operation,
  range: ByteRange | undefined,
): BlockError {
  const completed = new BlockError(error.code, error.message, {
    device: place.name,
    operation: error.operation ?? operation,
    offset: error.offset ?? range?.offset,
    length: error.length ?? range?.length,
    ...("cause" in error ? { cause: error.cause } : {}),
  })
  if (error.stack !== undefined) completed.stack = error.stack
  return completed
}

function wrap(error: BlockError, place: ErrorPlace, operation: Operation, range: ByteRange | undefined): BlockError {
  const run = range === undefined ? undefined : (failingRun(error, place, range) ?? range)
  const at = run === undefined ? "" : ` at offset ${run.offset}`
  return new BlockError(error.code, `${place.name}: ${operation} failed${at}: ${error.code} in ${error.device}`, {
    device: place.name,
    operation,
    offset: run?.offset,
    length: run?.length,
    cause: error,
  })
}

/** The first run of blocks of the request that stand, by `extents`, on the bytes that failed below. */
function failingRun(error: BlockError, place: ErrorPlace, range: ByteRange): ByteRange | undefined {
  const raiser = raisers.get(error)
  const roles = new Set(place.lowers.filter((lower) => lower.device === raiser).map((lower) => lower.role))
  const { offset: failedOffset, length: failedLength } = error
  if (place.extents === undefined || roles.size === 0 || failedOffset === undefined || failedLength === undefined)
    return undefined
  const extents = place.extents
  const fails = (block: number) =>
    extents(block, place.blockSize).some(
      (extent) =>
        roles.has(extent.role) &&
        extent.offset < failedOffset + failedLength &&
        failedOffset < extent.offset + extent.length,
    )
  const end = range.offset + range.length
  let start = range.offset
  while (start < end && !fails(start)) start += place.blockSize
  if (start >= end) return undefined
  let stop = start + place.blockSize
  while (stop < end && fails(stop)) stop += place.blockSize
  return { offset: start, length: stop - start }
}
