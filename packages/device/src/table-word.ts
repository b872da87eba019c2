import type { BlockDevice, EventListener } from "./block-device.ts"
import type { Runtime } from "./runtime.ts"

/** What a table line needs to become a device. */
export interface TableContext {
  /** Bytes: the length of the line. */
  readonly size: number
  /** The device behind an operand of the line: a handle that the target then owns. Once for each time the line has it. */
  device(operand: string): BlockDevice
  /** Nothing may be written to any lower. */
  readonly readOnly: boolean
  readonly runtime: Runtime
  readonly onEvent?: EventListener | undefined
}

/**
 * One word of a device-mapper table (`crypt`, `linear`, ...): how its arguments are read, printed and built.
 * `Line` is a plain object of what the arguments said; `Context` lets a package ask for more than a `TableContext`.
 */
export interface TableWord<Line = unknown, Context extends TableContext = TableContext> {
  readonly word: string
  /**
   * Pure. `size` is the length of the line in bytes.
   * @throws BlockError `INVALID` if Linux refuses the arguments, `UNSUPPORTED` naming the word if only we do.
   */
  parse(args: readonly string[], size: number): Line
  /** The arguments as the kernel prints them. Keys come as zeros of the same length unless `showKeys`. */
  print(line: Line, options: { readonly showKeys: boolean }): string[]
  /** The device operands of the line, in its order. */
  operands(line: Line): readonly string[]
  /** Builds the device. On failure the lowers stay open. */
  open(line: Line, context: Context): Promise<BlockDevice>
  /** The line with what only the opened volume says, as the kernel prints it then. Absent: lines say everything. */
  complete?(line: Line, device: BlockDevice): Promise<Line>
}
