import { BlockError, type BlockErrorCode } from "@blockstrata/device"

/** An error of a table text. `problem` quotes no arguments: they may be keys. */
export function tableError(code: BlockErrorCode, problem: string, cause?: unknown): BlockError {
  return new BlockError(code, `table: ${problem}`, { operation: "open", ...(cause === undefined ? {} : { cause }) })
}
