import { toSafeInteger } from "@blockstrata/device"
import { tableError } from "./table-error.ts"

/** A device operand that names no device of the table. */
export type OperandSpec = FileOperand | MemoryOperand | UriOperand

/** What may follow a file or memory: `,blocksize=N,tagsize=M`, in bytes. With a tag size it is a tagged base device. */
interface BaseOptions {
  readonly blockSize?: number | undefined
  readonly tagSize?: number | undefined
}

/** `FILE`. With a tag size, all data comes first and the tags of all blocks after it. */
export interface FileOperand extends BaseOptions {
  readonly kind: "file"
  readonly path: string
}

/** `mem:SIZE`: fresh memory, gone with the volume. `size` in bytes, without the tags. */
export interface MemoryOperand extends BaseOptions {
  readonly kind: "mem"
  readonly size: number
}

/** `SCHEME://...`: a door to another machine. */
export interface UriOperand {
  readonly kind: "uri"
  readonly scheme: string
  readonly text: string
}

const OPTIONS = /(?:,(?:blocksize|tagsize)=[^,]*)+$/
const BLOCK_SIZE_MIN = 512
const BLOCK_SIZE_MAX = 1024 * 1024
const TAG_SIZE_MAX = 65535
const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  k: 1024n,
  m: 1024n ** 2n,
  g: 1024n ** 3n,
  t: 1024n ** 4n,
}

/**
 * Reads a device operand: `FILE[,blocksize=N][,tagsize=M]`, `mem:SIZE[,blocksize=N][,tagsize=M]` (sizes of memory: k M G T
 * are powers of 1024) or a URI. A file whose name looks like one of the others is written with a folder: `./mem:1M`.
 *
 * @throws BlockError `INVALID` where a number is none or impossible; `UNSUPPORTED` for the kernel's `MAJOR:MINOR`.
 */
export function parseOperand(text: string): OperandSpec {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]
  if (scheme !== undefined) return { kind: "uri", scheme: scheme.toLowerCase(), text }
  if (/^\d+:\d+$/.test(text)) throw tableError("UNSUPPORTED", `operand ${text}: device numbers name nothing here`)
  const optionText = OPTIONS.exec(text)?.[0] ?? ""
  const name = text.slice(0, text.length - optionText.length)
  const options = parseOptions(optionText)
  if (name.startsWith("mem:")) return parseMemory(name.slice("mem:".length), options)
  if (name === "" || name.includes("\0")) throw tableError("INVALID", "operand: expected a file before its options")
  return { kind: "file", path: name, ...options }
}

function parseMemory(text: string, options: BaseOptions): MemoryOperand {
  const [, digits, unit = ""] = /^(\d{1,20})([kmgt]?)$/i.exec(text) ?? []
  const size = BigInt(digits ?? 0) * (UNITS[unit.toLowerCase()] ?? 0n)
  const { blockSize = BLOCK_SIZE_MIN, tagSize = 0 } = options
  const tagAreaSize = (size / BigInt(blockSize)) * BigInt(tagSize)
  const reach = size > tagAreaSize ? size : tagAreaSize
  if (size === 0n || size % BigInt(blockSize) !== 0n || reach > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw tableError("INVALID", `operand mem:SIZE: expected a multiple of ${blockSize} bytes, as in mem:64M`)
  }
  return { kind: "mem", size: toSafeInteger(size, "operand mem:SIZE"), ...options }
}

/** `,name=value,...`; only the two names get here. */
function parseOptions(text: string): BaseOptions {
  const values = new Map<string, number>()
  for (const option of text.split(",").slice(1)) {
    const [name = "", value = ""] = option.split("=")
    if (values.has(name)) throw tableError("INVALID", `operand: ${name} is given twice`)
    values.set(name, /^\d{1,10}$/.test(value) ? Number(value) : -1)
  }
  const blockSize = values.get("blocksize")
  const tagSize = values.get("tagsize")
  if (blockSize !== undefined && !isBlockSize(blockSize)) {
    throw tableError("INVALID", "operand: blocksize: expected a power of two from 512 to 1048576")
  }
  if (tagSize !== undefined && (tagSize < 0 || tagSize > TAG_SIZE_MAX)) {
    throw tableError("INVALID", `operand: tagsize: expected at most ${TAG_SIZE_MAX}`)
  }
  return { blockSize, tagSize }
}

function isBlockSize(value: number): boolean {
  return value >= BLOCK_SIZE_MIN && value <= BLOCK_SIZE_MAX && Number.isInteger(Math.log2(value))
}
