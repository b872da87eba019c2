import { createReadStream } from "node:fs"
import { open } from "node:fs/promises"
import { type BlockDevice, bytes } from "blockstrata"
import type { Command } from "commander"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { parseSize } from "./size-argument.ts"
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
  const { device } = await openVolumeArgument(image, options, true)
  const output = options.output === undefined ? undefined : await open(options.output, "w")
  try {
    checkInside(device, options.offset ?? 0, options.length ?? 0)
    for await (const piece of bytes(device).readable({ offset: options.offset, length: options.length })) {
      if (output === undefined) await host.writeOut(piece)
      else await output.writeFile(piece)
    }
  } finally {
    await output?.close()
    await device.close()
  }
}

async function writeVolume(host: Host, image: string | undefined, options: TransferOptions): Promise<void> {
  const { device } = await openVolumeArgument(image, options, false)
  try {
    let position = options.offset ?? 0
    checkInside(device, position, 0)
    for await (const chunk of options.input === undefined ? host.stdin : createReadStream(options.input)) {
      const piece = chunk as Uint8Array
      checkInside(device, position, piece.length)
      await bytes(device).write(position, piece)
      position += piece.length
    }
    await device.flush()
  } finally {
    await device.close()
  }
}

function checkInside(device: BlockDevice, offset: number, length: number): void {
  if (offset + length <= device.size) return
  throw new VerbFailure(`the volume ends at ${device.size}; asked for ${length} bytes from offset ${offset}`, 1)
}
