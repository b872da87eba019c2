import { BlockError } from "./block-error.ts"

/**
 * Waits until every request has settled, then throws the failure at the lowest offset, if any: a part that is still
 * under way when its request rejects could write into a buffer that is the caller's again. A bug (anything that is
 * not a `BlockError`) goes before all others.
 */
export function settleAll(requests: readonly Promise<void>[]): Promise<void> {
  // Counted by hand: `Promise.allSettled` makes an object and functions for each request, which small ones feel.
  return new Promise((resolve) => {
    let pendingCount = requests.length
    let hasFailed = false
    const settle = () => {
      pendingCount -= 1
      if (pendingCount <= 0) resolve(hasFailed ? throwFirst(requests) : undefined)
    }
    const fail = () => {
      hasFailed = true
      settle()
    }
    if (pendingCount === 0) settle()
    for (const request of requests) request.then(settle, fail)
  })
}

/** Of requests that have all settled. */
async function throwFirst(requests: readonly Promise<void>[]): Promise<void> {
  const failures: unknown[] = []
  for (const outcome of await Promise.allSettled(requests)) {
    if (outcome.status === "rejected") failures.push(outcome.reason)
  }
  throw failures.reduce((first, other) => (rank(other) < rank(first) ? other : first))
}

function rank(failure: unknown): number {
  return failure instanceof BlockError ? (failure.offset ?? 0) : -1
}
