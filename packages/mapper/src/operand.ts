import { toSafeInteger } from "@blockstrata/device"
import { tableError } from "./table-error.ts"

/** A device operand that names no device of the table. */
export type OperandSpec = FileOperand | MemoryOperand | UriOperand

/** `FILE`, or `FILE,blocksize=N,tagsize=M` (bytes): a tagged base device. */
export interface FileOperand {
  readonly kind: "file"
  readonly path: string
  readonly blockSize?: number | undefined
  readonly tagSize?: number | undefined
}

/** `mem:SIZE`: fresh memory, gone with the volume. `size` in bytes. */
export interface MemoryOperand {
  readonly kind: "mem"
  readonly size: number
}

/** `SCHEME://...`: a door to another machine. */
export interface UriOperand {
  readonly kind: "uri"
  readonly scheme: string
  readonly text: string
}

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
 * Reads a device operand: `FILE[,blocksize=N][,tagsize=M]`, `mem:SIZE` (k M G T are powers of 1024) or a URI. A file
 * whose name looks like one of the others is written with a folder: `./mem:1M`.
 *
 * @throws BlockError `INVALID` where a number is none or impossible; `UNSUPPORTED` for the kernel's `MAJOR:MINOR`.
 */
export function parseOperand(text: string): OperandSpec {
  if (text.startsWith("mem:")) return parseMemory(text.slice("mem:".length))
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]
  if (scheme !== undefined) return { kind: "uri", scheme: scheme.toLowerCase(), text }
  if (/^\d+:\d+$/.test(text)) throw tableError("UNSUPPORTED", `operand ${text}: device numbers name nothing here`)
  return parseFile(text)
}

function parseMemory(text: string): MemoryOperand {
  const [, digits, unit = ""] = /^(\d{1,20})([kmgt]?)$/i.exec(text) ?? []
  const size = BigInt(digits ?? 0) * (UNITS[unit.toLowerCase()] ?? 0n)
  if (size === 0n || size % 512n !== 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw tableError("INVALID", "operand mem:SIZE: expected a multiple of 512 bytes, as in mem:64M")
  }
  return { kind: "mem", size: toSafeInteger(size, "operand mem:SIZE") }
}

function parseFile(text: string): FileOperand {
  const options = /(?:,(?:blocksize|tagsize)=[^,]*)+$/.exec(text)?.[0] ?? ""
  const path = text.slice(0, text.length - options.length)
  if (path === "" || path.includes("\0")) throw tableError("INVALID", "operand: expected a file before its options")
  const values = new Map<string, number>()
  for (const option of options.split(",").slice(1)) {
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
  return { kind: "file", path, blockSize, tagSize }
}

function isBlockSize(value: number): boolean {
  return value >= BLOCK_SIZE_MIN && value <= BLOCK_SIZE_MAX && Number.isInteger(Math.log2(value))
}
