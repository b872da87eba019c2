import { BlockError, type BlockErrorCode } from "@blockstrata/device"

/** How a request ended, looked at without throwing. */
export type Outcome = { readonly kind: "resolved" } | { readonly kind: "rejected"; readonly error: unknown }

/** Fails the case with `message` unless `condition` holds. Plain errors, so that every runner shows them. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

export function assertSame(actual: unknown, expected: unknown, what: string): void {
  assert(Object.is(actual, expected), `${what}: expected ${text(expected)}, got ${text(actual)}`)
}

/** Compares bytes and names the first that differs, relative to the start of both. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assertSame(actual.length, expected.length, `${what}: length`)
  let index = 0
  while (index < actual.length && actual[index] === expected[index]) index++
  if (index === actual.length) return
  throw new Error(`${what}: byte ${index} of ${actual.length}: expected ${expected[index]}, got ${actual[index]}`)
}

/** Every byte is zero. */
export function assertZeroes(actual: Uint8Array, what: string): void {
  let index = 0
  while (index < actual.length && actual[index] === 0) index++
  if (index === actual.length) return
  throw new Error(`${what}: byte ${index} of ${actual.length}: expected 0, got ${actual[index]}`)
}

/** Waits for a request, whatever its end. A call that throws instead of returning a promise fails the case. */
export async function settle(call: () => unknown, what: string): Promise<Outcome> {
  let request: unknown
  try {
    request = call()
  } catch (error) {
    throw new Error(`${what}: expected a rejection, but the call threw ${text(error)}`, { cause: error })
  }
  assert(isThenable(request), `${what}: expected a promise, got ${text(request)}`)
  try {
    await request
    return { kind: "resolved" }
  } catch (error) {
    return { kind: "rejected", error }
  }
}

/** The reason for which a call rejects; one that resolves fails the case. */
export async function assertRejects(call: () => unknown, what: string): Promise<unknown> {
  const outcome = await settle(call, what)
  assert(outcome.kind === "rejected", `${what}: expected a rejection, but it resolved`)
  return outcome.error
}

/** The call rejects with a `BlockError` of this code. */
export async function assertCode(call: () => unknown, code: BlockErrorCode, what: string): Promise<BlockError> {
  const error = assertBlockError(await assertRejects(call, what), what)
  assertSame(error.code, code, `${what}: code of "${error.message}"`)
  return error
}

export function assertBlockError(error: unknown, what: string): BlockError {
  if (error instanceof BlockError) return error
  throw new Error(`${what}: expected a BlockError, got ${text(error)}`, { cause: error })
}

/** The call rejects with one of these classes of misuse, and with nothing else. */
export async function assertMisuse(
  call: () => unknown,
  classes: readonly (typeof RangeError | typeof TypeError)[],
  what: string,
): Promise<void> {
  const error = await assertRejects(call, what)
  const names = classes.map(({ name }) => name).join(" or ")
  assert(
    classes.some((misuse) => error instanceof misuse),
    `${what}: expected a ${names}, got ${text(error)}`,
  )
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"
}

function text(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value)
}
