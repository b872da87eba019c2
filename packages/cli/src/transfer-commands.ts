import { createReadStream } from "node:fs"
import { open, stat } from "node:fs/promises"
import { type BlockDevice, bytes } from "blockstrata"
import type { Command } from "commander"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { isSameFile } from "./same-file.ts"
import { parseSize } from "./size-argument.ts"
import { takeStdin } from "./standard-input.ts"
import { addVolume, openVolumeArgument, type VolumeOptions } from "./volume-arguments.ts"

interface TransferOptions extends VolumeOptions {
  readonly offset?: number
  readonly length?: number
  readonly input?: string
  readonly output?: string
}

/** `strata read` and `strata write`. */
export function addTransferCommands(program: Command, host: Host): void {
  addVolume(program.command("read"))
    .description("plaintext of a volume to stdout or a file [bytes(device).readable]")
    .option("--offset <N>", "bytes from the start of the volume", parseSize)
    .option("--length <N>", "bytes to read; to the end if not given", parseSize)
    .option("--output <FILE>", "a file instead of stdout")
    .action((image: string | undefined, options: TransferOptions) => readVolume(host, image, options))
  addVolume(program.command("write"))
    .description("stdin or a file into a volume, flushed before exit [bytes(device).write]")
    .option("--offset <N>", "bytes from the start of the volume", parseSize)
    .option("--input <FILE>", "a file instead of stdin")
    .action((image: string | undefined, options: TransferOptions) => writeVolume(host, image, options))
}

async function readVolume(host: Host, image: string | undefined, options: TransferOptions): Promise<void> {
  const { device } = await openVolumeArgument(host, image, options, true)
  try {
    checkInside(device, options.offset ?? 0, options.length ?? 0)
    const pieces = bytes(device).readable({ offset: options.offset, length: options.length })
    if (options.output === undefined || options.output === "-")
      for await (const piece of pieces) await host.writeOut(piece)
    else await writeOutput(device, options.output, pieces)
  } finally {
    await device.close()
  }
}

/** Opening the file empties it, so nothing that can be refused comes after. */
async function writeOutput(device: BlockDevice, path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  if (await isBelow(device, path, new Set())) throw new VerbFailure(`${path} is what the volume is read from`, 5)
  const output = await open(path, "w")
  try {
    for await (const piece of pieces) await output.writeFile(piece)
  } finally {
    await output.close()
  }
}

/** Whether a stack stands on the file of this path. */
async function isBelow(device: BlockDevice, path: string, seen: Set<BlockDevice>): Promise<boolean> {
  if (seen.has(device)) return false
  seen.add(device)
  const { path: own } = device.layer.status()
  if (device.layer.name === "file" && typeof own === "string" && (await isSameFile(own, path))) return true
  for (const lower of device.layer.lowers) if (await isBelow(lower.device, path, seen)) return true
  return false
}

async function writeVolume(host: Host, image: string | undefined, options: TransferOptions): Promise<void> {
  const { device } = await openVolumeArgument(host, image, options, false)
  try {
    const { offset = 0 } = options
    const input = options.input === "-" ? undefined : options.input
    // The length of a file is known before anything is written; that of stdin is not.
    checkInside(device, offset, input === undefined ? 0 : (await stat(input)).size)
    let position = offset
    for await (const chunk of input === undefined ? takeStdin(host) : createReadStream(input)) {
      const piece = chunk as Uint8Array
      checkInside(device, position, piece.length, position - offset)
      await bytes(device).write(position, piece)
      position += piece.length
    }
    await device.flush()
  } finally {
    await device.close()
  }
}

function checkInside(device: BlockDevice, offset: number, length: number, written = 0): void {
  if (offset + length <= device.size) return
  const before = written === 0 ? "" : `; ${written} bytes were written before`
  throw new VerbFailure(
    `the volume ends at ${device.size}; asked for ${length} bytes from offset ${offset}${before}`,
    1,
  )
}
