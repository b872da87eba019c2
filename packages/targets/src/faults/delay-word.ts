import { BlockError, type TableWord } from "@blockstrata/device"
import { parseSectors, parseU32, requireFit, SECTOR_SIZE } from "../table-number.ts"
import { type DelayedPath, delayProblem, delayTarget } from "./delay.ts"

/** One path of a line: `<device> <start> <milliseconds>`. */
export interface DelayLinePath {
  readonly device: string
  readonly startSectors: number
  readonly delayMs: number
}

/** What a line said: a path for everything, or one for reads and one for the rest, or one each for reads, writes and flushes. */
export interface DelayLine {
  readonly paths: readonly [read: DelayLinePath, write?: DelayLinePath, flush?: DelayLinePath]
}

/** `delay` in a table. */
export const delayWord: TableWord<DelayLine> = {
  word: "delay",
  parse(args) {
    if (![3, 6, 9].includes(args.length)) {
      throw new BlockError("INVALID", `delay: expected 3, 6 or 9 arguments, got ${args.length}`)
    }
    const path = (index: number): DelayLinePath => ({
      device: args[index] ?? "",
      startSectors: parseSectors(args[index + 1] ?? "", "delay: start"),
      delayMs: parseU32(args[index + 2] ?? "", "delay: delay"),
    })
    if (args.length === 3) return { paths: [path(0)] }
    return { paths: args.length === 6 ? [path(0), path(3)] : [path(0), path(3), path(6)] }
  },
  print: ({ paths }) =>
    paths.flatMap((path) => (path ? [path.device, String(path.startSectors), String(path.delayMs)] : [])),
  operands: ({ paths }) => paths.flatMap((path) => path?.device ?? []),
  async open({ paths }, context) {
    const opened = (path: DelayLinePath): DelayedPath => ({
      lower: context.device(path.device),
      start: path.startSectors * SECTOR_SIZE,
      delayMs: path.delayMs,
    })
    const [read, write, flush] = paths
    const options = {
      read: opened(read),
      write: write && opened(write),
      flush: flush && opened(flush),
      size: context.size,
      runtime: context.runtime,
    }
    requireFit("delay", delayProblem(options))
    return delayTarget(options)
  },
}
