import { type ByteRange, checkIntegrity, repairIntegrity, replayJournal } from "blockstrata"
import type { Command } from "commander"
import { addClosedVolume, type ClosedVolumeArguments, withClosedVolume } from "./closed-volume-arguments.ts"
import { VerbFailure } from "./exit-status.ts"
import { findingLine, findingObject, placeList } from "./finding-line.ts"
import type { Host } from "./host.ts"
import { progressBar } from "./progress.ts"
import { parseSize } from "./size-argument.ts"

interface CheckOptions extends ClosedVolumeArguments {
  readonly json?: boolean
}

interface RepairOptions extends CheckOptions {
  readonly trustData?: boolean
  readonly discardJournal?: boolean
  readonly range?: readonly ByteRange[]
}

interface ReplayOptions extends CheckOptions {
  readonly dryRun?: boolean
}

/** `strata integrity check`, `repair` and `replay`: what no tool does offline. */
export function addIntegrityDoctor(integrity: Command, host: Host): void {
  addClosedVolume(integrity.command("check"))
    .description("reads everything and says what is wrong and where it lies; exit 2 if anything is [checkIntegrity]")
    .option("--json", "one object on stdout")
    .action((image: string, options: CheckOptions) => check(host, image, options))
  addClosedVolume(integrity.command("repair"))
    .description("says which blocks would get new tags, and with --trust-data makes them [repairIntegrity]")
    .option("--discard-journal", "give up what stands only in a journal that cannot be replayed")
    .option("--trust-data", "take whatever stands at bad blocks for what was written there")
    .option("--range <OFFSET+LENGTH>", "only these bytes of the volume; may be given several times", collectRange)
    .option("--json", "one object on stdout")
    .action((image: string, options: RepairOptions) => repair(host, image, options))
  addClosedVolume(integrity.command("replay"))
    .description("writes back what stands in the journal and clears it [replayJournal]")
    .option("--dry-run", "only say what would be written")
    .option("--json", "one object on stdout")
    .action((image: string, options: ReplayOptions) => replay(host, image, options))
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
  const { trustData = false, discardJournal = false, range } = options
  const report = await withClosedVolume(host, image, options, !(trustData || discardJournal), (volume) =>
    repairIntegrity({ ...volume, trustData, discardJournal, ranges: range, onProgress: progressBar(host) }),
  )
  const { runs, runCount, blockCount, unreadableCount, journal } = report
  if (options.json)
    await host.writeOut(`${JSON.stringify({ ...report, findings: report.findings.map(findingObject) })}\n`)
  else {
    const verb = trustData ? "new tags" : "would get new tags"
    for (const { offset, length, places } of runs)
      await host.writeOut(`${offset}+${length}: ${verb} ${placeList(places)}\n`)
    if (journal === "cleared") await host.writeOut("the journal could not be replayed, and is empty now\n")
  }
  if (runCount > runs.length) host.writeError(`${runCount - runs.length} more are not shown\n`)
  if (!trustData && blockCount > 0)
    host.writeError("No tag was written. With --trust-data, what stands there counts from then on.\n")
  if (journal === "replayable")
    host.writeError("The journal holds newer blocks: strata integrity replay writes them.\n")
  if (journal === "refused")
    host.writeError("The journal cannot be replayed. --discard-journal gives up what it holds.\n")
  if (unreadableCount > 0) throw new VerbFailure(`${unreadableCount} block(s) cannot be read`, 4)
}

async function replay(host: Host, image: string, options: ReplayOptions): Promise<void> {
  const { dryRun = false, json = false } = options
  const report = await withClosedVolume(host, image, options, dryRun, (volume) => replayJournal({ ...volume, dryRun }))
  const { blocks, blockCount, supersededCount, sections, cleared, findings } = report
  if (json) {
    await host.writeOut(`${JSON.stringify({ ...report, findings: findings.map(findingObject) })}\n`)
    return
  }
  for (const { offset, sectionIndex, slot, places, sha256 } of blocks) {
    const from = `section ${sectionIndex}, entry ${slot}`
    await host.writeOut(`${offset}: from ${from}, sha256 ${sha256} ${placeList(places)}\n`)
  }
  const verb = dryRun ? "would be written" : "written"
  const left =
    cleared === undefined ? "the journal stays as it is" : `the journal ${dryRun ? "would be" : "was"} cleared`
  const superseded = supersededCount === 0 ? "" : `, ${supersededCount} older version(s) of them passed over`
  await host.writeOut(`${blockCount} block(s) of ${sections.length} section(s) ${verb}${superseded}; ${left}\n`)
  if (blockCount > blocks.length) host.writeError(`${blockCount - blocks.length} more are not shown\n`)
}

function collectRange(text: string, earlier: readonly ByteRange[] = []): readonly ByteRange[] {
  const [, offset = "", length = ""] = /^(\w+)\+(\w+)$/.exec(text) ?? []
  return [...earlier, { offset: parseSize(offset), length: parseSize(length) }]
}
