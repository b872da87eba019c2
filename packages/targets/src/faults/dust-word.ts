import { BlockError, type TableWord } from "@blockstrata/device"
import { rangeProblem } from "../lower-range.ts"
import { parseCount, parseSectors, requireFit, SECTOR_SIZE } from "../table-number.ts"
import { badBlockSizeProblem, dustTarget } from "./dust.ts"

/** What a line said: `dust <device> <start> <block size>`, the size in bytes. */
export interface DustLine {
  readonly device: string
  readonly startSectors: number
  readonly badBlockSize: number
}

/** `dust` in a table. Its bad blocks come by `sendMessage`. */
export const dustWord: TableWord<DustLine> = {
  word: "dust",
  parse([device, start, blockSize, ...rest], size) {
    if (device === undefined || start === undefined || blockSize === undefined || rest.length > 0) {
      throw new BlockError("INVALID", "dust: expected 3 arguments")
    }
    const badBlockSize = parseCount(blockSize, "dust: block size")
    requireFit("dust", badBlockSizeProblem(badBlockSize, size))
    return { device, startSectors: parseSectors(start, "dust: start"), badBlockSize }
  },
  print: ({ device, startSectors, badBlockSize }) => [device, String(startSectors), String(badBlockSize)],
  operands: (line) => [line.device],
  async open({ device, startSectors, badBlockSize }, context) {
    const options = {
      lower: context.device(device),
      start: startSectors * SECTOR_SIZE,
      size: context.size,
      badBlockSize,
    }
    requireFit("dust", rangeProblem(options.lower, options.start, options.size))
    // The kernel loads such a table, and then fails the requests that cross a bad block inside a block.
    if (badBlockSize % options.lower.blockSize !== 0) {
      throw new BlockError("UNSUPPORTED", `dust: block size ${badBlockSize}: divides a block of the device below`)
    }
    return dustTarget(options).device
  },
}
