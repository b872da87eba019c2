import { BlockError, type TableWord } from "@blockstrata/device"
import { stripedTarget, stripesProblem } from "./striped.ts"
import { parseCount, parseSectors, requireFit, SECTOR_SIZE } from "./table-number.ts"

/** What a line said: `striped <number of stripes> <chunk sectors> [<device> <start sector>]+`. */
export interface StripedLine {
  readonly chunkSectors: number
  readonly stripes: readonly { readonly device: string; readonly startSectors: number }[]
}

/** `striped` in a table. */
export const stripedWord: TableWord<StripedLine> = {
  word: "striped",
  parse(args, size) {
    const [stripeText, chunkText, ...rest] = args
    if (stripeText === undefined || chunkText === undefined) {
      throw new BlockError("INVALID", `striped: expected at least 2 arguments, got ${args.length}`)
    }
    const stripeCount = parseCount(stripeText, "striped: number of stripes")
    const chunkSectors = parseCount(chunkText, "striped: chunk size")
    if (rest.length !== stripeCount * 2) {
      throw new BlockError(
        "INVALID",
        `striped: expected ${stripeCount} devices, each with a start, got ${rest.length} arguments`,
      )
    }
    const widthSectors = size / SECTOR_SIZE / stripeCount
    if (!Number.isInteger(widthSectors) || widthSectors % chunkSectors !== 0) {
      throw new BlockError(
        "INVALID",
        `striped: length: expected whole chunks of ${chunkSectors} sectors on ${stripeCount} stripes`,
      )
    }
    const stripes = Array.from({ length: stripeCount }, (_, index) => ({
      device: rest[2 * index] ?? "",
      startSectors: parseSectors(rest[2 * index + 1] ?? "", `striped: start of stripe ${index}`),
    }))
    return { chunkSectors, stripes }
  },
  print: ({ chunkSectors, stripes }) => [
    String(stripes.length),
    String(chunkSectors),
    ...stripes.flatMap((stripe) => [stripe.device, String(stripe.startSectors)]),
  ],
  operands: (line) => line.stripes.map((stripe) => stripe.device),
  async open(line, context) {
    const lowers = line.stripes.map((stripe) => ({
      lower: context.device(stripe.device),
      start: stripe.startSectors * SECTOR_SIZE,
    }))
    const options = { lowers, chunkSize: line.chunkSectors * SECTOR_SIZE, size: context.size }
    // The kernel loads such a table, and then fails the requests that cross a chunk inside a block.
    if (lowers.some(({ lower }) => options.chunkSize % lower.blockSize !== 0)) {
      throw new BlockError("UNSUPPORTED", `striped: chunk size ${line.chunkSectors}: chunks that divide a block below`)
    }
    requireFit("striped", stripesProblem(options))
    return stripedTarget(options)
  },
}
