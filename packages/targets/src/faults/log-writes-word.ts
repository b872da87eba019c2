import { BlockError, type TableWord } from "@blockstrata/device"
import { rangeProblem } from "../lower-range.ts"
import { requireFit } from "../table-number.ts"
import { logWritesProblem, logWritesTarget } from "./log-writes.ts"

/** What a line said: `log-writes <device> <log device>`. */
export interface LogWritesLine {
  readonly device: string
  readonly log: string
}

/** `log-writes` in a table. Its marks come by `sendMessage`. */
export const logWritesWord: TableWord<LogWritesLine> = {
  word: "log-writes",
  // More arguments are taken and forgotten, as in the kernel.
  parse([device, log]) {
    if (device === undefined || log === undefined) throw new BlockError("INVALID", "log-writes: expected 2 arguments")
    return { device, log }
  },
  print: ({ device, log }) => [device, log],
  operands: ({ device, log }) => [device, log],
  async open({ device, log }, { size, onEvent, ...context }) {
    const options = { lower: context.device(device), log: context.device(log), size, onEvent }
    requireFit("log-writes", rangeProblem(options.lower, 0, size))
    // The kernel loads such a table, and then logs nothing or loses the tags.
    const problem = logWritesProblem(options)
    if (problem !== undefined) throw new BlockError("UNSUPPORTED", `log-writes: ${problem}`)
    return logWritesTarget(options).device
  },
}
