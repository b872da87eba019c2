import { BlockError } from "./block-error.ts"

/**
 * Waits until every request has settled, then throws the failure at the lowest offset, if any: a part that is still
 * under way when its request rejects could write into a buffer that is the caller's again. A bug (anything that is
 * not a `BlockError`) goes before all others.
 */
export async function settleAll(requests: Iterable<Promise<void>>): Promise<void> {
  const failures: unknown[] = []
  for (const outcome of await Promise.allSettled(requests)) {
    if (outcome.status === "rejected") failures.push(outcome.reason)
  }
  if (failures.length === 0) return
  throw failures.reduce((first, other) => (rank(other) < rank(first) ? other : first))
}

function rank(failure: unknown): number {
  return failure instanceof BlockError ? (failure.offset ?? 0) : -1
}
