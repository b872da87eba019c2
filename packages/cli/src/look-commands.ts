import { checkDevice, drawStack, type ImageReport, inspectImage } from "blockstrata"
import type { Command } from "commander"
import { describeFailure, VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { progressBar } from "./progress.ts"
import { addVolume, openVolumeArgument, type VolumeOptions } from "./volume-arguments.ts"

interface LookOptions extends VolumeOptions {
  readonly json?: boolean
  readonly showkeys?: boolean
}

/** `strata check`, `strata inspect` and `strata table`. */
export function addLookCommands(program: Command, host: Host): void {
  addVolume(program.command("check"))
    .description("reads everything and lists every bad range; exit 2 if there is any [checkDevice]")
    .option("--json", "one object on stdout")
    .action((image: string | undefined, options: LookOptions) => checkVolume(host, image, options))
  program
    .command("inspect")
    .argument("<IMAGE...>")
    .description("what is this? superblocks and the stack drawn [inspectImage]")
    .option("--json", "one object on stdout")
    .action((images: readonly string[], options: LookOptions) => inspectImages(host, images, options))
  addVolume(program.command("table"))
    .description("the device-mapper lines of a volume, and its stack on stderr [volume.printTable, drawStack]")
    .option("--showkeys", "print keys instead of zeros")
    .action((image: string | undefined, options: LookOptions) => printVolumeTable(host, image, options))
}

async function checkVolume(host: Host, image: string | undefined, options: LookOptions): Promise<void> {
  const { device } = await openVolumeArgument(host, image, options, true)
  try {
    const { size, bad } = await checkDevice(device, { onProgress: progressBar(host) })
    if (options.json) {
      const ranges = bad.map(({ offset, length, error }) => ({
        ...both("offset", offset),
        ...both("length", length),
        code: error.code,
        message: error.message,
      }))
      await host.writeOut(`${JSON.stringify({ ...both("size", size), bad: ranges })}\n`)
    } else {
      for (const { offset, length, error } of bad) await host.writeOut(`${offset} ${length} ${error.code}\n`)
    }
    if (bad.length > 0) throw new VerbFailure(`${bad.length} bad range(s) in ${size} bytes`, 2)
  } finally {
    await device.close()
  }
}

async function inspectImages(host: Host, images: readonly string[], { json }: LookOptions): Promise<void> {
  const reports: ImageReport[] = []
  const failures: unknown[] = []
  for (const image of images) {
    try {
      reports.push(await inspectImage(image))
    } catch (error) {
      failures.push(error)
      host.writeError(`${describeFailure(error)}\n`)
    }
  }
  if (json) {
    await host.writeOut(
      `${JSON.stringify({ images: reports.map((report) => ({ ...report, ...both("size", report.size) })) })}\n`,
    )
  } else {
    for (const { image, size, summary, fields, stack } of reports) {
      const lines = Object.entries(fields).map(([name, value]) => `  ${name}: ${value}\n`)
      await host.writeOut(`${image}: ${size} bytes\n  ${summary}\n${lines.join("")}${stack.replace(/^/gm, "  ")}\n`)
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function printVolumeTable(host: Host, image: string | undefined, options: LookOptions): Promise<void> {
  const { device, printTable } = await openVolumeArgument(host, image, options, true)
  try {
    await host.writeOut(`${printTable({ showKeys: options.showkeys })}\n`)
    host.writeError(`${drawStack(device)}\n`)
  } finally {
    await device.close()
  }
}

/** A size as number and as string: JSON readers of other languages may round large numbers. */
function both(name: string, value: number): Record<string, number | string> {
  return { [name]: value, [`${name}Text`]: String(value) }
}
