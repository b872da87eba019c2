import type { BlockDevice } from "./block-device.ts"
import { BlockError, type Operation } from "./block-error.ts"
import { type ErrorPlace, placeError } from "./error-place.ts"
import { type ByteRange, RangeLock } from "./range-lock.ts"

/** Where all requests of one device pass: counted for `close`, ordered if asked, their failures placed. */
export interface RequestGate {
  /** @throws BlockError `CLOSED` once `close` was called. */
  checkOpen(operation: Operation): void
  /** `onFailure` runs after a failure, before the caller hears of it. */
  run<T>(
    operation: Operation,
    range: ByteRange | undefined,
    action: () => Promise<T>,
    onFailure?: () => void,
  ): Promise<T>
  /**
   * Refuses new requests, waits for those in flight, then takes every step, whatever becomes of the others.
   * Idempotent. Rejects with the first failure.
   */
  close(steps: readonly (() => Promise<void>)[]): Promise<void>
}

/** `device` tells the errors of one device from those of its lowers; it exists by the time of the first request. */
export function requestGate(place: ErrorPlace, isOrdered: boolean, device: () => BlockDevice): RequestGate {
  const lock = isOrdered ? new RangeLock() : undefined
  let inFlightCount = 0
  let onDrained: (() => void) | undefined
  let closing: Promise<void> | undefined

  function leave(): void {
    inFlightCount -= 1
    if (inFlightCount === 0) onDrained?.()
  }

  function pass<T>(value: T): T {
    leave()
    return value
  }

  async function closeOnce(steps: readonly (() => Promise<void>)[]): Promise<void> {
    if (inFlightCount > 0) {
      await new Promise<void>((resolve) => {
        onDrained = resolve
      })
    }
    const failures: unknown[] = []
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        failures.push(placeError(error, device(), place, "close", undefined))
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return {
    checkOpen(operation) {
      if (closing === undefined) return
      throw new BlockError("CLOSED", `${place.name}: ${operation} on a closed device`, {
        device: place.name,
        operation,
      })
    },
    run(operation, range, action, onFailure) {
      inFlightCount += 1
      const fail = (error: unknown): never => {
        leave()
        onFailure?.()
        throw placeError(error, device(), place, operation, range)
      }
      // One promise more than the target's own, and no await: this is what each joint of a stack costs each request.
      if (lock === undefined || range === undefined) return attempt(action).then(pass, fail)
      return ordered(lock, operation, range, action, pass, fail)
    },
    close(steps) {
      closing ??= closeOnce(steps)
      return closing
    },
  }
}

/** A target that throws instead of rejecting is one that rejects; one without a promise, in plain JavaScript, is done. */
function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    // The promise of an async function comes back as it is.
    return Promise.resolve(action())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Waits for earlier requests that overlap; where there are none, costs no promise. */
function ordered<T>(
  lock: RangeLock,
  operation: Operation,
  range: ByteRange,
  action: () => Promise<T>,
  pass: (value: T) => T,
  fail: (error: unknown) => never,
): Promise<T> {
  const mode = operation === "read" || operation === "blockStatus" ? "shared" : "exclusive"
  const release = lock.tryAcquire([range], mode)
  if (release === undefined) return lock.hold([range], mode, action).then(pass, fail)
  return attempt(action).then(
    (value) => {
      release()
      return pass(value)
    },
    (error: unknown) => {
      release()
      return fail(error)
    },
  )
}
