import { BlockError, type TableWord } from "@blockstrata/device"
import { splitArguments, splitWords } from "./argument.ts"
import { SECTOR_SIZE, type TableLine } from "./table.ts"
import { tableError } from "./table-error.ts"
import { findWord } from "./target-word.ts"

/** Sectors: a device in Linux ends before 2^63 bytes, one here before 2^53. */
const LINUX_END_MAX = 2n ** 54n - 1n
const END_MAX = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_SIZE))

/**
 * The lines of one device. As in dmsetup, a line may be blank or a comment, and `#` after the target's word begins a
 * comment wherever it stands; backslashes are ordinary characters, so no argument holds white space or `#`.
 *
 * @param texts the lines, in order.
 * @param what names the device in messages.
 * @throws BlockError `INVALID` unless the ranges begin at 0 and follow one another without a gap; what a word throws
 * about its arguments.
 */
export function parseLines(texts: readonly string[], words: readonly TableWord[], what: string): TableLine[] {
  const lines: TableLine[] = []
  let endSectors = 0
  for (const [index, text] of texts.entries()) {
    const [first, ...others] = splitWords(text)
    if (first === undefined || first.startsWith("#")) continue
    const line = located(`${what}line ${index + 1}`, () => parseLine([first, ...others], words))
    if (line.startSectors !== endSectors) {
      throw tableError("INVALID", `${what}line ${index + 1}: expected to start at sector ${endSectors}`)
    }
    endSectors += line.lengthSectors
    lines.push(line)
  }
  if (lines.length === 0) throw tableError("INVALID", `${what}expected at least one line`)
  return lines
}

function parseLine(texts: readonly string[], words: readonly TableWord[]): TableLine {
  const [start, length, name, ...rest] = texts
  if (start === undefined || length === undefined || name === undefined)
    throw tableError("INVALID", `expected "start length target ..."`)
  const startSectors = parseSectors(start, "start")
  const lengthSectors = parseSectors(length, "length")
  if (lengthSectors === 0n) throw tableError("INVALID", "length: expected at least one sector")
  const end = startSectors + lengthSectors
  if (end > LINUX_END_MAX) throw tableError("INVALID", "the range ends beyond 2^63 bytes")
  const word = findWord(name, words)
  if (end > END_MAX) throw tableError("UNSUPPORTED", "length: devices beyond 2^53 bytes")
  const line = word.parse(splitArguments(rest), Number(lengthSectors) * SECTOR_SIZE)
  return {
    startSectors: Number(startSectors),
    lengthSectors: Number(lengthSectors),
    word,
    line,
    operands: word.operands(line),
  }
}

function parseSectors(text: string, what: string): bigint {
  const value = /^\d{1,40}$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || value >= 2n ** 64n) throw tableError("INVALID", `${what}: expected a number of sectors`)
  return value
}

/** Says in an error where in the text it arose. */
function located<Result>(place: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw tableError(error.code, `${place}: ${error.message.replace(/^table: /, "")}`, error)
  }
}
