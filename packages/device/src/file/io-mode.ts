/**
 * How requests reach the system. Figures: page cache, ext4, Node 20; a 4 KiB and a 1 MiB read.
 *
 * - `sync`: 1.7 and 37 us, on the caller's thread: nothing else runs in the process until the medium has answered, which
 *   is milliseconds where the data is not cached. Right for command-line tools and for files that are in memory.
 * - `threads`: 13 and 50 us, on libuv's pool (4 threads unless `UV_THREADPOOL_SIZE` says otherwise): the event loop goes
 *   on and requests run side by side. Right for slow media and for servers that share the loop.
 * - `auto`: `sync` up to 256 KiB, `threads` above, and after a run of synchronous requests one goes to the threads, so
 *   that timers and sockets get their turn. A request that waits for a slow medium still holds the loop meanwhile.
 */
export type IoMode = "auto" | "sync" | "threads"

export const IO_MODES: readonly IoMode[] = ["auto", "sync", "threads"]

/**
 * A hand-over to the pool costs 11 us. The read itself takes 3 us at 64 KiB, 9 at 256 KiB, 20 at 512 KiB: up to here
 * the threads would more than double a request, and holding the loop for it takes no longer than the hand-over would.
 */
export const SYNC_BYTES_MAX: number = 256 * 1024

/** What synchronous requests may use up before the loop gets a turn: about a millisecond of cached 4 KiB reads. */
const TURN_COST_MAX = 8 * 1024 * 1024
/** A request costs its bytes and this much, in bytes that could have been moved instead. */
const REQUEST_COST = 8 * 1024
/** A write into the page cache takes 2 to 10 times as long as a read, the more with allocation. */
const WRITE_WEIGHT = 4

/** How one request goes. */
export type RequestWay = "sync" | "threads"

/** Says for each request whether it goes to the threads. */
export type IoPolicy = (direction: "read" | "write", lengthBytes: number) => RequestWay

/** The policy of a mode; each device has its own, for `auto` counts. */
export function ioPolicy(mode: IoMode): IoPolicy {
  if (mode !== "auto") return () => mode
  let cost = 0
  return (direction, lengthBytes) => {
    cost += (lengthBytes + REQUEST_COST) * (direction === "write" ? WRITE_WEIGHT : 1)
    if (lengthBytes <= SYNC_BYTES_MAX && cost <= TURN_COST_MAX) return "sync"
    cost = 0
    return "threads"
  }
}
