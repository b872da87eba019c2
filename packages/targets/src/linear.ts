import { type BlockDevice, BlockError, defineDevice, type TableWord } from "@blockstrata/device"
import { lowerPart } from "./lower-part.ts"
import { rangeProblem } from "./lower-range.ts"
import { parseSectors, requireFit, SECTOR_SIZE } from "./table-number.ts"

export interface LinearOptions {
  readonly lower: BlockDevice
  /** Bytes into the lower device; a multiple of its `blockSize`. */
  readonly start: number
  /** Bytes; a multiple of the lower's `blockSize`. */
  readonly size: number
}

/**
 * A range of the lower device as a device of its own.
 *
 * Promises: each byte is the byte of the lower device `start` further on, tags included; nothing outside is touched.
 * Does not promise: anything that the lower device does not.
 * Attacks that remain: all that the lower device leaves.
 *
 * @throws RangeError if the range is not inside the lower device, or does not begin and end on its blocks.
 * Source: Linux, admin-guide/device-mapper/linear.
 */
export function linearTarget({ lower, start, size }: LinearOptions): BlockDevice {
  const part = lowerPart("linear", { lower, start, size })
  return defineDevice({
    ...part,
    features: { ...part.features, writeZeroes: lower.features.writeZeroes },
    writeZeroes: (offset, length, options) => lower.writeZeroes(start + offset, length, options),
    status: () => ({ startSectors: start / SECTOR_SIZE }),
  })
}

/** What a line said: `linear <device> <start sector>`. */
export interface LinearLine {
  readonly device: string
  readonly startSectors: number
}

/** `linear` in a table. */
export const linearWord: TableWord<LinearLine> = {
  word: "linear",
  parse(args) {
    const [device, start] = args
    if (device === undefined || start === undefined || args.length !== 2) {
      throw new BlockError("INVALID", `linear: expected 2 arguments, got ${args.length}`)
    }
    return { device, startSectors: parseSectors(start, "linear: start") }
  },
  print: (line) => [line.device, String(line.startSectors)],
  operands: (line) => [line.device],
  async open(line, context) {
    const lower = context.device(line.device)
    const start = line.startSectors * SECTOR_SIZE
    requireFit("linear", rangeProblem(lower, start, context.size))
    return linearTarget({ lower, start, size: context.size })
  },
}
