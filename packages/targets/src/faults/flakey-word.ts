import { BlockError, type TableWord } from "@blockstrata/device"
import { rangeProblem } from "../lower-range.ts"
import { parseSectors, parseU32, requireFit, SECTOR_SIZE } from "../table-number.ts"
import { type FlakeyCorruption, flakeyProblem, flakeyTarget } from "./flakey.ts"

/** What a line said: `flakey <device> <start> <up seconds> <down seconds> [<feature arguments> <feature>...]`. */
export interface FlakeyLine {
  readonly device: string
  readonly startSectors: number
  readonly upSeconds: number
  readonly downSeconds: number
  readonly writes?: "drop" | "error" | undefined
  readonly corruption?: FlakeyCorruption | undefined
}

type Features = Pick<FlakeyLine, "writes" | "corruption">

/** What a 6.1 kernel reads of them, whatever they are. */
const FEATURE_ARGUMENT_COUNT_MAX = 6

/** `flakey` in a table. */
export const flakeyWord: TableWord<FlakeyLine> = {
  word: "flakey",
  parse(args) {
    const [device, start, up, down, count, ...rest] = args
    if (device === undefined || start === undefined || up === undefined || down === undefined) {
      throw new BlockError("INVALID", `flakey: expected at least 4 arguments, got ${args.length}`)
    }
    const line = {
      device,
      startSectors: parseSectors(start, "flakey: start"),
      upSeconds: parseU32(up, "flakey: up interval"),
      downSeconds: parseU32(down, "flakey: down interval"),
      ...(count === undefined ? {} : parseFeatures(count, rest)),
    }
    return line
  },
  print({ device, startSectors, upSeconds, downSeconds, writes, corruption }) {
    const features = writes === undefined ? [] : [`${writes}_writes`]
    if (corruption !== undefined) {
      const { byteNumber, direction, value, flags = 0 } = corruption
      features.push("corrupt_bio_byte", String(byteNumber), direction === "read" ? "r" : "w", `${value}`, `${flags}`)
    }
    return [device, `${startSectors}`, `${upSeconds}`, `${downSeconds}`, `${features.length}`, ...features]
  },
  operands: (line) => [line.device],
  async open({ device, startSectors, ...rest }, context) {
    const lower = context.device(device)
    const options = { ...rest, lower, start: startSectors * SECTOR_SIZE, size: context.size, runtime: context.runtime }
    requireFit("flakey", rangeProblem(lower, options.start, options.size))
    requireFit("flakey", flakeyProblem(options))
    return flakeyTarget(options)
  },
}

/** The features; arguments after them are taken and forgotten, as in the kernel. */
function parseFeatures(countText: string, args: readonly string[]): Features {
  const count = parseU32(countText, "flakey: number of feature arguments")
  if (count > FEATURE_ARGUMENT_COUNT_MAX || count > args.length) {
    throw new BlockError("INVALID", `flakey: ${count} feature arguments, got ${args.length}`)
  }
  let features: Features = {}
  for (let index = 0; index < count; ) {
    const word = args[index]?.toLowerCase() ?? ""
    const values = args.slice(index + 1, Math.min(count, index + 5))
    if (word === "corrupt_bio_byte" && values.length === 4) {
      features = { ...features, corruption: parseCorruption(values) }
      index += 5
      continue
    }
    if (features.writes !== undefined || (word !== "drop_writes" && word !== "error_writes")) {
      throw new BlockError("INVALID", `flakey: feature ${word}: not known, or not beside the others`)
    }
    features = { ...features, writes: word === "drop_writes" ? "drop" : "error" }
    index += 1
  }
  return features
}

function parseCorruption([
  byteText = "",
  direction = "",
  valueText = "",
  flagsText = "",
]: readonly string[]): FlakeyCorruption {
  const byteNumber = parseU32(byteText, "flakey: corrupt_bio_byte", 1)
  if (!/^[rw]$/i.test(direction)) throw new BlockError("INVALID", "flakey: corrupt_bio_byte: expected r or w")
  const value = parseU32(valueText, "flakey: corrupt_bio_byte: value")
  if (value > 255) throw new BlockError("INVALID", "flakey: corrupt_bio_byte: value: expected at most 255")
  const flags = parseU32(flagsText, "flakey: corrupt_bio_byte: flags")
  return { byteNumber, direction: direction.toLowerCase() === "r" ? "read" : "write", value, flags }
}
