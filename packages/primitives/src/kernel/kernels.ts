import { PIECE_BYTES } from "../scratch.ts"
import { decodeBase64 } from "./base64.ts"
import { createKernelMemory, type KernelMemory } from "./kernel-memory.ts"

/** Bytes of address space of an engine's kernel memory: work area, tables, and what `allocate` hands out. */
const MEMORY_SIZE = 32 * 1024 * 1024
/** Bytes of one half of the work area: the data of a piece, which is one sector of at most 1 MiB where sectors are large. */
export const WORK_HALF_SIZE: number = 1024 * 1024
/** Behind the halves: the IVs of a piece, or what was made of them, which is as long as the piece if a sector is a block. */
export const WORK_IVS_OFFSET: number = 2 * WORK_HALF_SIZE
/** Behind those: a table of a cipher, 2 KiB. */
export const WORK_TABLE_OFFSET: number = WORK_IVS_OFFSET + PIECE_BYTES
const WORK_SIZE = WORK_TABLE_OFFSET + 2048

/**
 * The WebAssembly kernels of one engine and the memory that they share. Everything in the work area is one call's: calls
 * are synchronous, so no two are in it at a time. What is secret in it is wiped when a cipher is destroyed.
 */
export interface Kernels extends KernelMemory {
  /** Address of the work area, 64-byte aligned: data in its first half; tweaks, keystream or units in its second. */
  readonly work: number
  /** Zeroes the work area. */
  wipe(): void
  /** The functions of a kernel. Each takes addresses in the memory of these kernels. */
  load(binary: string): WebAssembly.Exports
}

/** Makes the kernels of an engine when they are first asked for; `undefined` where the host has no WebAssembly with SIMD. */
export function lazyKernels(): () => Kernels | undefined {
  let made: { readonly kernels: Kernels | undefined } | undefined
  return () => (made ??= { kernels: createKernels() }).kernels
}

function createKernels(): Kernels | undefined {
  if (!hasSimd()) return undefined
  const memory = createKernelMemory(MEMORY_SIZE)
  const work = memory.reserve(WORK_SIZE)
  return {
    ...memory,
    work,
    wipe: () => void memory.bytes.fill(0, work, work + WORK_SIZE),
    load(binary) {
      const module = new WebAssembly.Module(decodeBase64(binary))
      return new WebAssembly.Instance(module, { env: { memory: memory.memory } }).exports
    },
  }
}

/**
 * Whether a module of one function with a SIMD instruction (`i8x16.splat`) compiles: it is invalid where there is no SIMD,
 * and a page whose content security policy lacks `wasm-unsafe-eval` compiles nothing.
 */
function hasSimd(): boolean {
  const probe = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11]
  try {
    return new WebAssembly.Module(Uint8Array.from(probe)) instanceof WebAssembly.Module
  } catch {
    return false
  }
}
