import { BlockError, type TableWord } from "@blockstrata/device"
import { mirrorProblem, mirrorTarget } from "./mirror.ts"
import { parseSectors, parseU32, requireFit, SECTOR_SIZE } from "./table-number.ts"

const LEG_COUNT_MAX = 9
/** Logs that keep on a device, or in a program, which regions are equal. */
const OTHER_LOGS: readonly string[] = ["disk", "userspace"]

/** What a line said: `mirror core <1 or 2> <region sectors> [sync|nosync] <legs> [<device> <start>]+ [<count> <features>]`. */
export interface MirrorLine {
  readonly regionSectors: number
  /** `nosync`: the legs are equal already. Else all get the content of the first. */
  readonly sync: "sync" | "nosync" | undefined
  readonly legs: readonly { readonly device: string; readonly startSectors: number }[]
  readonly handleErrors: boolean
  readonly keepLog: boolean
}

function invalid(what: string): BlockError {
  return new BlockError("INVALID", `mirror: ${what}`)
}

/** The words of a line, taken one after the other. */
class Words {
  readonly #words: readonly string[]
  #taken = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  get leftCount(): number {
    return this.#words.length - this.#taken
  }

  take(what: string): string {
    const word = this.#words[this.#taken]
    if (word === undefined) throw invalid(`${what}: the line ends before it`)
    this.#taken += 1
    return word
  }
}

/**
 * `mirror` in a table, with a `core` log, as Linux 6.1 takes it.
 *
 * Where Linux copies to the other legs while the device is in use, opening waits for the copy; what cannot be copied leaves
 * them out, and an event says so. Where a leg fails a write, `handle_errors` alone makes Linux hold it until somebody
 * replaces the table: here it fails. Otherwise both go on without the leg, and neither remembers that.
 */
export const mirrorWord: TableWord<MirrorLine> = {
  word: "mirror",
  parse(args, size) {
    const words = new Words(args)
    const log = parseLog(words, size)
    const legCount = parseU32(words.take("number of legs"), "mirror: number of legs", 2)
    if (legCount > LEG_COUNT_MAX) throw invalid(`number of legs: expected at most ${LEG_COUNT_MAX}, got ${legCount}`)
    const legs = Array.from({ length: legCount }, (_, index) => ({
      device: words.take(`leg ${index}`),
      startSectors: parseSectors(words.take(`start of leg ${index}`), `mirror: start of leg ${index}`),
    }))
    return { ...log, legs, ...parseFeatures(words) }
  },
  print({ regionSectors, sync, legs, handleErrors, keepLog }) {
    const features = [...(handleErrors ? ["handle_errors"] : []), ...(keepLog ? ["keep_log"] : [])]
    return [
      ...["core", sync === undefined ? "1" : "2", String(regionSectors), ...(sync === undefined ? [] : [sync])],
      ...[String(legs.length), ...legs.flatMap((leg) => [leg.device, String(leg.startSectors)])],
      ...(features.length > 0 ? [String(features.length), ...features] : []),
    ]
  },
  operands: (line) => line.legs.map((leg) => leg.device),
  async open(line, { device, size, readOnly, onEvent }) {
    const legs = line.legs.map((leg) => ({ lower: device(leg.device), start: leg.startSectors * SECTOR_SIZE }))
    const staleLegs = line.sync === "nosync" ? [] : legs.map((_, index) => index).slice(1)
    // The kernel loads such a table, and then fails every request.
    if (legs.some(({ lower }) => line.regionSectors * SECTOR_SIZE < lower.blockSize)) {
      throw new BlockError("UNSUPPORTED", `mirror: region size ${line.regionSectors}: less than a block below`)
    }
    requireFit("mirror", mirrorProblem({ legs, size }))
    const onLegFailure = line.handleErrors && !line.keepLog ? undefined : () => {}
    const mirror = mirrorTarget({ legs, size, staleLegs, onLegFailure, onEvent })
    if (staleLegs.length > 0 && !readOnly) {
      try {
        await mirror.resync()
      } catch (error) {
        if (!(error instanceof BlockError)) throw error
        const message = `mirror: only the first leg is current: ${error.code} in the copy to the others`
        onEvent?.({ kind: "degraded", device: "mirror", message })
      }
    }
    return mirror.device
  },
}

function parseLog(words: Words, size: number): Pick<MirrorLine, "regionSectors" | "sync"> {
  const log = words.take("log")
  if (OTHER_LOGS.includes(log)) throw new BlockError("UNSUPPORTED", `mirror: log ${log}`)
  if (log !== "core") throw invalid("log: expected core")
  const argumentCount = parseU32(words.take("number of log arguments"), "mirror: number of log arguments", 1)
  if (argumentCount > 2) throw invalid(`number of log arguments: expected 1 or 2, got ${argumentCount}`)
  const regionSectors = parseU32(words.take("region size"), "mirror: region size", 2)
  if (!Number.isInteger(Math.log2(regionSectors)) || regionSectors > size / SECTOR_SIZE) {
    throw invalid(`region size: expected a power of two within the device, got ${regionSectors}`)
  }
  const sync = argumentCount === 2 ? words.take("sync") : undefined
  if (sync !== undefined && sync !== "sync" && sync !== "nosync") throw invalid("log: expected sync or nosync")
  return { regionSectors, sync }
}

function parseFeatures(words: Words): Pick<MirrorLine, "handleErrors" | "keepLog"> {
  const count = words.leftCount === 0 ? 0 : parseU32(words.take("number of features"), "mirror: number of features")
  if (count !== words.leftCount) throw invalid(`features: expected ${count}, got ${words.leftCount}`)
  const features = Array.from({ length: count }, () => words.take("feature"))
  const unknown = features.some((feature) => feature !== "handle_errors" && feature !== "keep_log")
  if (unknown) throw invalid("features: expected handle_errors or keep_log")
  const [handleErrors, keepLog] = [features.includes("handle_errors"), features.includes("keep_log")]
  if (keepLog && !handleErrors) throw invalid("keep_log: expected handle_errors with it")
  return { handleErrors, keepLog }
}
