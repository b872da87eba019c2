import type { BlockDevice } from "./block-device.ts"
import { BlockError, type Operation } from "./block-error.ts"
import { type ErrorPlace, placeError } from "./error-place.ts"
import { type ByteRange, RangeLock } from "./range-lock.ts"

/** Where all requests of one device pass: counted for `close`, ordered if asked, their failures placed. */
export interface RequestGate {
  /** @throws BlockError `CLOSED` once `close` was called. */
  checkOpen(operation: Operation): void
  run<T>(operation: Operation, range: ByteRange | undefined, action: () => Promise<T>): Promise<T>
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
    async run(operation, range, action) {
      inFlightCount += 1
      let release: (() => void) | undefined
      try {
        if (lock !== undefined && range !== undefined) {
          const mode = operation === "read" || operation === "blockStatus" ? "shared" : "exclusive"
          release = await lock.acquire([range], mode)
        }
        return await action()
      } catch (error) {
        throw placeError(error, device(), place, operation, range)
      } finally {
        release?.()
        inFlightCount -= 1
        if (inFlightCount === 0) onDrained?.()
      }
    },
    close(steps) {
      closing ??= closeOnce(steps)
      return closing
    },
  }
}
