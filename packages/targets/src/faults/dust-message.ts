import { BlockError } from "@blockstrata/device"
import type { BadBlocks } from "./bad-blocks.ts"

const U8_MAX = 255
const DIGIT_COUNT_MAX = 15

/** What a dust target makes of a message, with the kernel's answers. @throws BlockError `INVALID` where the kernel refuses it. */
export function dustMessage(badBlocks: BadBlocks, [word = "", ...args]: readonly string[]): string {
  try {
    const answer =
      args.length === 0 ? tellAll(badBlocks, word.toLowerCase()) : tellOne(badBlocks, word.toLowerCase(), args)
    if (answer !== undefined) return answer
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new BlockError("INVALID", error.message, { cause: error })
  }
  throw new BlockError("INVALID", `dust: message ${word}: not known, or with ${args.length} arguments`)
}

function tellAll(badBlocks: BadBlocks, word: string): string | undefined {
  const { count } = badBlocks
  switch (word) {
    case "countbadblocks":
      return `countbadblocks: ${count} badblock(s) found`
    case "listbadblocks":
      return count === 0 ? "No blocks in badblocklist" : badBlocks.list().join("\n")
    case "clearbadblocks":
      badBlocks.clear()
      return `dust_clear_badblocks: ${count === 0 ? "no badblocks found" : "badblocks cleared"}`
    case "enable":
      badBlocks.enable()
      return ""
    case "disable":
      badBlocks.disable()
      return ""
    case "quiet":
      badBlocks.quiet()
      return ""
    default:
      return undefined
  }
}

function tellOne(
  badBlocks: BadBlocks,
  word: string,
  [blockText = "", failText, ...rest]: readonly string[],
): string | undefined {
  if (rest.length > 0 || (failText !== undefined && word !== "addbadblock")) return undefined
  const block = parseBlock(blockText)
  switch (word) {
    case "addbadblock":
      badBlocks.add(block, { writeFailCount: failText === undefined ? 0 : parseFailCount(failText) })
      return ""
    case "removebadblock":
      badBlocks.remove(block)
      return ""
    case "queryblock":
      return `dust_query_block: block ${block} ${badBlocks.has(block) ? "found" : "not found"} in badblocklist`
    default:
      return undefined
  }
}

function parseBlock(text: string): number {
  if (!/^\d+$/.test(text) || text.length > DIGIT_COUNT_MAX) throw new RangeError("dust: expected a block number")
  return Number(text)
}

function parseFailCount(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : U8_MAX + 1
  if (value > U8_MAX) throw new RangeError("dust: expected a count of writes, 0 to 255")
  return value
}
