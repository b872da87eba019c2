import { type BlockDevice, BlockError, encodeHex } from "@blockstrata/device"
import { linuxAlgorithmName, readIntegritySuperblock } from "@blockstrata/integrity"
import { readVeritySuperblock, treeStart, type VerityParameters } from "@blockstrata/verity"
import type { OpenFile } from "./file-opener.ts"
import { detectFormat, SIGNATURE_BYTES } from "./image-signature.ts"

/** What the superblock of a dm-integrity image does not say. */
export interface IntegrityChoice {
  /**
   * As integritysetup spells it: `crc32c`, `sha256`, `hmac-sha256` ...; `none` for a store of tags, whose blocks are not
   * checked. crc32c if not given, as in integritysetup, but only where the tags have its 4 bytes.
   */
  readonly algorithm?: string | undefined
  /** The key of an HMAC. */
  readonly key?: Uint8Array | undefined
  /** J if not given, which a crash leaves whole; R checks nothing. */
  readonly mode?: "J" | "B" | "D" | "R" | undefined
  /** The MAC of the journal; names as in `algorithm`. */
  readonly journalMac?: JournalChoice | undefined
  /** The cipher of the journal: `ctr-aes`, `cbc-aes` ... */
  readonly journalCrypt?: JournalChoice | undefined
  /** A path: where the data lie, if not beside their tags. */
  readonly dataImage?: string | undefined
  readonly allowDiscards?: boolean | undefined
}

/** As integritysetup spells it. */
export interface JournalChoice {
  readonly algorithm: string
  readonly key: Uint8Array
}

/** What makes a data image and a hash image a verity volume. */
export interface VerityChoice {
  readonly hashImage: string
  /** 32 bytes, from a source that the image's author cannot change. */
  readonly rootHash: Uint8Array
  /** Bytes to the superblock (or to the tree, with `parameters`); 0 if not given. */
  readonly hashOffset?: number | undefined
  /** For a hash image without superblock; `hashStart` follows from `hashOffset`. */
  readonly parameters?: Omit<VerityParameters, "hashStart"> | undefined
}

export interface ImageSource {
  /** A path. */
  readonly image: string
  readonly integrity?: IntegrityChoice | undefined
  readonly verity?: VerityChoice | undefined
}

const SECTOR_SIZE = 512
const CRC32C_SIZE = 4
const IMAGE_OPERAND = "image"
const HASH_IMAGE_OPERAND = "hash-image"
const DATA_IMAGE_OPERAND = "data-image"

/**
 * The table line that opens an image, from its superblock and what the caller adds to it. Everything is opened
 * read-only and closed again.
 *
 * @throws BlockError `UNSUPPORTED` naming a format that is known but not opened, `INVALID` for an unknown one, `CORRUPT`.
 */
export async function tableOfImage(source: ImageSource, openFile: OpenFile): Promise<string> {
  if (source.verity !== undefined) return await verityLine(source.image, source.verity, openFile)
  return await withFile(source.image, openFile, async (device) => {
    const start = new Uint8Array(Math.min(SIGNATURE_BYTES, device.size))
    await device.read(0, start)
    const format = detectFormat(start)
    if (format === "integrity") return await integrityLine(source.image, source.integrity ?? {}, device)
    if (format === "verity")
      throw new BlockError("INVALID", "image: a verity hash device: expected its data device and a root hash")
    if (format === "unknown")
      throw new BlockError("INVALID", "image: no signature that is known here: expected a table")
    throw new BlockError("UNSUPPORTED", `image: ${format} is not opened yet`, { operation: "open" })
  })
}

/** The path behind an operand of such a line. */
export function pathOfOperand({ image, verity, integrity }: ImageSource, operand: string): string {
  if (operand === operandOf(image, IMAGE_OPERAND)) return image
  if (operand === DATA_IMAGE_OPERAND && integrity?.dataImage !== undefined) return integrity.dataImage
  return operand === HASH_IMAGE_OPERAND && verity !== undefined ? verity.hashImage : operand
}

async function withFile<T>(path: string, openFile: OpenFile, use: (device: BlockDevice) => Promise<T>): Promise<T> {
  const device = await openFile(path, { readOnly: true })
  try {
    return await use(device)
  } finally {
    await device.close()
  }
}

async function verityLine(dataImage: string, choice: VerityChoice, openFile: OpenFile): Promise<string> {
  const { hashImage, rootHash, hashOffset = 0 } = choice
  const parameters =
    choice.parameters ?? (await withFile(hashImage, openFile, (hash) => readVeritySuperblock(hash, hashOffset)))
  const { version, dataBlockSize, hashBlockSize, dataBlockCount, algorithm, salt } = parameters
  const hashStartBlock = treeStart(hashOffset, hashBlockSize, choice.parameters === undefined) / hashBlockSize
  return [
    `0 ${(dataBlockCount * dataBlockSize) / SECTOR_SIZE} verity ${version} ${operandOf(dataImage, IMAGE_OPERAND)} ${operandOf(hashImage, HASH_IMAGE_OPERAND)}`,
    `${dataBlockSize} ${hashBlockSize} ${dataBlockCount} ${hashStartBlock} ${algorithm} ${encodeHex(rootHash)} ${encodeHex(salt) || "-"}`,
  ].join(" ")
}

async function integrityLine(image: string, choice: IntegrityChoice, device: BlockDevice): Promise<string> {
  const { providedSectors, tagSize, blockSize } = await readIntegritySuperblock(device, 0)
  const options = [`block_size:${blockSize}`]
  const chosen = choice.algorithm ?? (tagSize === CRC32C_SIZE ? "crc32c" : undefined)
  // Without its hash a volume would read unchecked, as if it were good.
  if (chosen === undefined) {
    throw new BlockError(
      "INVALID",
      `image: a dm-integrity volume with tags of ${tagSize} bytes: expected its algorithm`,
    )
  }
  if (chosen === "none" && choice.key !== undefined)
    throw new BlockError("INVALID", "image: a key without an algorithm: nothing would be verified with it")
  if (chosen !== "none") options.push(algorithmWord("internal_hash", { algorithm: chosen, key: choice.key }))
  if (choice.journalMac !== undefined) options.push(algorithmWord("journal_mac", choice.journalMac))
  if (choice.journalCrypt !== undefined) options.push(algorithmWord("journal_crypt", choice.journalCrypt))
  if (choice.allowDiscards === true) options.push("allow_discards")
  const own = operandOf(image, IMAGE_OPERAND)
  if (choice.dataImage !== undefined) options.push(`meta_device:${own}`)
  const data = choice.dataImage === undefined ? own : operandOf(choice.dataImage, DATA_IMAGE_OPERAND)
  return `0 ${providedSectors} integrity ${data} 0 ${tagSize} ${choice.mode ?? "J"} ${[options.length, ...options].join(" ")}`
}

function algorithmWord(word: string, { algorithm, key }: { algorithm: string; key: Uint8Array | undefined }): string {
  return `${word}:${linuxAlgorithmName(algorithm)}${key === undefined ? "" : `:${encodeHex(key)}`}`
}

/** What a table line calls a path: itself, or a stand-in if no line can say it. */
function operandOf(path: string, standIn: string): string {
  return /^[^\s#,;:\\]+$/.test(path) ? path : standIn
}
