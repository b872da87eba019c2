import fc from "fast-check"
import type { Operation, Request } from "./operation.ts"

/** What a test asks for, and how often. */
export interface OperationWeights {
  readonly together?: number
  readonly failing?: number
  readonly reopen?: number
  readonly crash?: number
  readonly corrupt?: number
}

/** The first blocks often, so that requests meet each other, and the last ones, counted from the end. */
const at = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 15 }) },
  { weight: 2, arbitrary: fc.nat({ max: 255 }) },
  { weight: 2, arbitrary: fc.integer({ min: -8, max: -1 }) },
)
const count = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: 1, max: 24 }))

const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("write" as const), at, count, fua: rarely() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("read" as const), at, count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("writeZeroes" as const), at, count, mayDiscard: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("discard" as const), at, count }) },
  { weight: 2, arbitrary: fc.constant({ do: "flush" as const }) },
)

function rarely(): fc.Arbitrary<boolean> {
  return fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
}

const together: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant("together" as const),
  requests: fc.array(request, { minLength: 1, maxLength: 8, size: "max" }),
})

const failing: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant("failing" as const),
  below: fc.constantFrom("write", "read", "flush"),
  nth: fc.integer({ min: 1, max: 4 }),
  request,
})

const reopen: fc.Arbitrary<Operation> = fc.constant({ do: "reopen" as const })

const crash: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant("crash" as const),
  during: fc.array(request, { maxLength: 3 }),
  turns: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
  // Zero is "absent": what is lost is the plainest crash.
  left: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 8 }),
})

const corrupt: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant("corrupt" as const),
  at,
  part: fc.constantFrom("data", "tag"),
  bit: fc.nat({ max: 8191 }),
  reopens: fc.boolean(),
})

/** Lists of operations that shrink to few of them with small numbers. */
export function operationsArbitrary(weights: OperationWeights, maxLength: number): fc.Arbitrary<Operation[]> {
  const special = { together, failing, reopen, crash, corrupt }
  const choices = Object.entries(special).flatMap(([name, arbitrary]) => {
    const weight = weights[name as keyof OperationWeights] ?? 0
    return weight > 0 ? [{ weight, arbitrary }] : []
  })
  return fc.array(fc.oneof({ weight: 10, arbitrary: request }, ...choices), {
    minLength: 1,
    maxLength,
    size: "max",
  })
}
