import { checkIntegrity, type IntegrityFinding } from "blockstrata"
import type { Command } from "commander"
import { addClosedVolume, type ClosedVolumeArguments, withClosedVolume } from "./closed-volume-arguments.ts"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { progressBar } from "./progress.ts"

interface CheckOptions extends ClosedVolumeArguments {
  readonly json?: boolean
}

/** `strata integrity check`: what no tool does offline. */
export function addIntegrityDoctor(integrity: Command, host: Host): void {
  addClosedVolume(integrity.command("check"))
    .description("reads everything and says what is wrong and where it lies; exit 2 if anything is [checkIntegrity]")
    .option("--json", "one object on stdout")
    .action((image: string, options: CheckOptions) => check(host, image, options))
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

/** `mismatch: 1 block at offset 512: ... [data 291840+512, data 95232+4]`: bytes of the devices below. */
export function findingLine({ kind, severity, message, places }: IntegrityFinding): string {
  const where = places.map(({ device, offset, length }) => `${device} ${offset}+${length}`).join(", ")
  return `${kind}${severity === "notice" ? " (notice)" : ""}: ${message} [${where}]`
}

function findingObject({ error, ...finding }: IntegrityFinding): Record<string, unknown> {
  return error === undefined ? { ...finding } : { ...finding, code: error.code }
}
