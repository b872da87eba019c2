import type { AttackStack } from "@blockstrata/testkit"
import type { TableEntry } from "blockstrata"

/** A stack that is all table lines: Linux can be its reader too. */
export interface LineStack extends AttackStack {
  /** Lowest device first; operands are media and the devices before. */
  readonly readerLines: (kept: ReadonlyMap<string, Uint8Array>) => readonly TableEntry[]
}

export function isLineStack(stack: AttackStack): stack is LineStack {
  return "readerLines" in stack
}
