import { type ByteRange, checkIntegrity, type IntegrityFinding, repairIntegrity } from "blockstrata"
import type { Command } from "commander"
import { addClosedVolume, type ClosedVolumeArguments, withClosedVolume } from "./closed-volume-arguments.ts"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { progressBar } from "./progress.ts"
import { parseSize } from "./size-argument.ts"

interface CheckOptions extends ClosedVolumeArguments {
  readonly json?: boolean
}

interface RepairOptions extends CheckOptions {
  readonly trustData?: boolean
  readonly range?: readonly ByteRange[]
}

/** `strata integrity check` and `repair`: what no tool does offline. */
export function addIntegrityDoctor(integrity: Command, host: Host): void {
  addClosedVolume(integrity.command("check"))
    .description("reads everything and says what is wrong and where it lies; exit 2 if anything is [checkIntegrity]")
    .option("--json", "one object on stdout")
    .action((image: string, options: CheckOptions) => check(host, image, options))
  addClosedVolume(integrity.command("repair"))
    .description("says which blocks would get new tags, and with --trust-data makes them [repairIntegrity]")
    .option("--trust-data", "take whatever stands at bad blocks for what was written there")
    .option("--range <OFFSET+LENGTH>", "only these bytes of the volume; may be given several times", collectRange)
    .option("--json", "one object on stdout")
    .action((image: string, options: RepairOptions) => repair(host, image, options))
}

async function check(host: Host, image: string, options: CheckOptions): Promise<void> {
  const report = await withClosedVolume(host, image, options, true, (volume) =>
    checkIntegrity({ ...volume, onProgress: progressBar(host) }),
  )
  const { findings, findingCount, damageCount, checkedBytes, blocks } = report
  if (options.json) {
    const shown = { checkedBytes, blocks, findingCount, damageCount, findings: findings.map(findingObject) }
    await host.writeOut(`${JSON.stringify(shown)}\n`)
  } else for (const finding of findings) await host.writeOut(`${findingLine(finding)}\n`)
  if (findingCount > findings.length) host.writeError(`${findingCount - findings.length} more are not shown\n`)
  if (damageCount > 0) throw new VerbFailure(`${damageCount} damaged place(s); ${checkedBytes} bytes were read`, 2)
}

async function repair(host: Host, image: string, options: RepairOptions): Promise<void> {
  const { trustData = false, range } = options
  const report = await withClosedVolume(host, image, options, !trustData, (volume) =>
    repairIntegrity({ ...volume, trustData, ranges: range, onProgress: progressBar(host) }),
  )
  const { runs, runCount, blockCount, unreadableCount } = report
  if (options.json)
    await host.writeOut(`${JSON.stringify({ ...report, findings: report.findings.map(findingObject) })}\n`)
  else {
    const verb = trustData ? "new tags" : "would get new tags"
    for (const { offset, length, places } of runs)
      await host.writeOut(`${offset}+${length}: ${verb} ${placeList(places)}\n`)
  }
  if (runCount > runs.length) host.writeError(`${runCount - runs.length} more are not shown\n`)
  if (!trustData && blockCount > 0)
    host.writeError("Nothing was written. With --trust-data, what stands there counts from then on.\n")
  if (unreadableCount > 0) throw new VerbFailure(`${unreadableCount} block(s) cannot be read`, 4)
}

/** `mismatch: 1 block at offset 512: ... [data 291840+512, data 95232+4]`: bytes of the devices below. */
export function findingLine({ kind, severity, message, places }: IntegrityFinding): string {
  return `${kind}${severity === "notice" ? " (notice)" : ""}: ${message} ${placeList(places)}`
}

function placeList(places: IntegrityFinding["places"]): string {
  return `[${places.map(({ device, offset, length }) => `${device} ${offset}+${length}`).join(", ")}]`
}

function collectRange(text: string, earlier: readonly ByteRange[] = []): readonly ByteRange[] {
  const [, offset = "", length = ""] = /^(\w+)\+(\w+)$/.exec(text) ?? []
  return [...earlier, { offset: parseSize(offset), length: parseSize(length) }]
}

function findingObject({ error, ...finding }: IntegrityFinding): Record<string, unknown> {
  return error === undefined ? { ...finding } : { ...finding, code: error.code }
}
