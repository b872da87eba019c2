import { type BlockDevice, BlockError, encodeHex } from "@blockstrata/device"
import { inspectIntegrity, openIntegrity, printSuperblock } from "@blockstrata/integrity"
import { readVeritySuperblock } from "@blockstrata/verity"
import { openFile as openHostFile } from "#files"
import type { OpenFile } from "./file-opener.ts"
import { detectFormat, type ImageFormat, SIGNATURE_BYTES } from "./image-signature.ts"
import { drawStack } from "./stack-drawing.ts"

const SECTOR_SIZE = 512

/** What an image is, as far as it says so itself. Nothing in it is trusted or verified. */
export interface ImageReport {
  readonly image: string
  /** Bytes. */
  readonly size: number
  readonly format: ImageFormat
  /** One sentence for people: what it is, and what opens it. */
  readonly summary: string
  /** The fields of its superblock, in the format's own words. */
  readonly fields: Readonly<Record<string, string | number>>
  /** The stack as far as it can be built without keys, drawn as by `drawStack`. */
  readonly stack: string
}

const SUMMARIES: Readonly<Record<ImageFormat, string>> = {
  luks1: "LUKS1 header: not opened yet",
  luks2: "LUKS2 header: not opened yet",
  verity: "dm-verity hash device: opens with its data device and a root hash",
  integrity: "dm-integrity volume: opens with its hash algorithm, or under dm-crypt as a store of tags",
  snapshot: "dm-snapshot exception store: not opened yet",
  clone: "dm-clone metadata: not opened yet",
  "log-writes": "dm-log-writes log: not opened yet",
  unknown: "no signature that is known here: plain data, or ciphertext without a header (dm-crypt leaves none)",
}

/**
 * Tells what an image is by its signature, and decodes the superblocks that are known here.
 *
 * @throws BlockError `CORRUPT` where a signature stands before a malformed superblock, `UNSUPPORTED` for a version of it
 * that is not built, and what opening the file throws.
 */
export async function inspectImage(image: string, openFile: OpenFile = openHostFile): Promise<ImageReport> {
  const device = await openFile(image, { readOnly: true })
  try {
    const start = new Uint8Array(Math.min(SIGNATURE_BYTES, device.size))
    await device.read(0, start)
    const format = detectFormat(start)
    const described = await describe(format, device)
    return { image, size: device.size, format, summary: SUMMARIES[format], ...described }
  } catch (error) {
    throw error instanceof BlockError
      ? new BlockError(error.code, `${image}: ${error.message}`, { operation: "open", cause: error })
      : error
  } finally {
    await device.close()
  }
}

type Description = Pick<ImageReport, "fields" | "stack">

async function describe(format: ImageFormat, device: BlockDevice): Promise<Description> {
  if (format === "verity") {
    const { version, salt, ...rest } = await readVeritySuperblock(device, 0)
    return { fields: { hashType: version, ...rest, salt: encodeHex(salt) || "-" }, stack: drawStack(device) }
  }
  return format === "integrity" ? await describeIntegrity(device) : { fields: {}, stack: drawStack(device) }
}

async function describeIntegrity(device: BlockDevice): Promise<Description> {
  const { superblock, journal = "unknown" } = await inspectIntegrity(device, 0)
  const words = printSuperblock(superblock).map((line) => line.split(" "))
  const named = words.map(([name = "", ...values]) => [name, values.join(" ") || "-"])
  const fields = { ...Object.fromEntries(named), salt: encodeHex(superblock.salt), journal }
  const size = superblock.providedSectors * SECTOR_SIZE
  return { fields, stack: await drawIntegrity(device, size).catch(() => drawStack(device)) }
}

/** Mode R, which checks nothing, opens without a hash and whatever the state of the journal. */
async function drawIntegrity(device: BlockDevice, size: number): Promise<string> {
  return drawStack(await openIntegrity({ lower: device, size, mode: "R", internalHash: undefined, readOnly: true }))
}
