import { requestError } from "./errno.ts"
import type { FileHost } from "./file-host.ts"

export interface FileFlush {
  /** Makes all that had settled before the call durable. */
  flush(): Promise<void>
  /** @throws the failure of an earlier flush, if there was one: it is final. */
  check(): void
}

/**
 * fdatasync, once at a time, and its first failure for ever.
 *
 * fdatasync suffices: it writes the data, the file's size and the map of its blocks, which is all that reading back
 * needs; it only leaves out times, and the size of an open file device never changes. (POSIX, fdatasync: "synchronized
 * I/O data integrity completion".)
 *
 * A failure is final because Linux marks the pages clean when it has reported them: a second call would answer that all
 * is well, with the data lost (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). For
 * the same reason only one call is under way at a time: of two side by side only one is told.
 */
export function fileFlush(host: FileHost, fd: number): FileFlush {
  let failure: { readonly error: unknown } | undefined
  let last: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined

  function check(): void {
    if (failure !== undefined) throw failure.error
  }

  async function syncAfter(previous: Promise<void>): Promise<void> {
    await previous.catch(() => {})
    // Whoever calls from here on may have written since: the next call is theirs.
    waiting = undefined
    check()
    try {
      await host.syncData(fd)
    } catch (error) {
      failure = { error: requestError(error, "fdatasync") }
      check()
    }
  }

  return {
    check,
    flush() {
      if (waiting === undefined) {
        waiting = syncAfter(last)
        last = waiting
      }
      return waiting
    },
  }
}
