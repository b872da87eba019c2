const PAGE_BYTES = 65536
/** Of whatever is reserved: a cache line. */
const ALIGNMENT = 64

/** The memory that the WebAssembly kernels of one engine share. It never grows, so that views of it stay valid. */
export interface KernelMemory {
  readonly memory: WebAssembly.Memory
  /** The whole of it. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where a view lies in this memory; -1 for a view of anything else. */
  addressOf(view: Uint8Array): number
  /** Takes `length` bytes, 64-byte aligned, for good. @returns the address, or -1 if there is no room. */
  reserve(length: number): number
}

/** `size` bytes of address space; the host gives it real memory where it is touched. */
export function createKernelMemory(size: number): KernelMemory {
  const pages = Math.ceil(size / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const bytes = new Uint8Array(memory.buffer)
  // Address 0 is left alone: it would be an odd place for a buffer to be.
  let free = ALIGNMENT
  return {
    memory,
    bytes,
    addressOf: (view) => (view.buffer === bytes.buffer ? view.byteOffset : -1),
    reserve(length) {
      const address = free
      const end = address + Math.ceil(length / ALIGNMENT) * ALIGNMENT
      if (end > bytes.length) return -1
      free = end
      return address
    },
  }
}
