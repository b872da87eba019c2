import type { AttackStack } from "@blockstrata/testkit"

/** A stack that is all table lines: Linux can be its reader too. */
export interface LineStack extends AttackStack {
  /** Lowest device first, called `d0`, `d1` ...; other operands are media. */
  readonly readerLines: (kept: ReadonlyMap<string, Uint8Array>) => readonly string[]
}

export function isLineStack(stack: AttackStack): stack is LineStack {
  return "readerLines" in stack
}
