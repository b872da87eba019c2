import { RangeLock } from "../range-lock.ts"
import type { RequestWay } from "./io-mode.ts"

/** Runs requests so that no two that overlap are on the way at once, unless both are reads. */
export interface RequestOrder {
  run(
    access: "shared" | "exclusive",
    way: RequestWay,
    offset: number,
    length: number,
    action: () => Promise<void>,
  ): Promise<void>
}

/**
 * The order of a file's requests. On the pool two requests on the same block run side by side, and the page cache then
 * shows a mix of both; a synchronous request is one step of this thread and meets only those. So while nothing is on the
 * pool, which is nearly always, it costs nothing.
 */
export function requestOrder(): RequestOrder {
  const lock = new RangeLock()
  let poolCount = 0

  async function hold(
    access: "shared" | "exclusive",
    offset: number,
    length: number,
    action: () => Promise<void>,
  ): Promise<void> {
    poolCount += 1
    try {
      await lock.hold([{ offset, length }], access, action)
    } finally {
      poolCount -= 1
    }
  }

  return {
    run: (access, way, offset, length, action) =>
      way === "sync" && poolCount === 0 ? action() : hold(access, offset, length, action),
  }
}
