import type { SectorCipherName } from "../engine.ts"

/**
 * What the threads of a pool share: words of 32 bits, then the sectors of a job and their IVs.
 *
 * The calling thread works on the chunks of a request from the first on, in its own memory; helpers claim chunks from the
 * last on and work in the shared copy. It takes over what they finished, and does again what they have not: it never
 * waits. A helper counts itself active before it looks at a job, and the words are rewritten only while nobody is.
 */
export const JOB_WORDS: {
  readonly [name in
    | "generation"
    | "isOpen"
    | "activeCount"
    | "cipherId"
    | "isEncryption"
    | "sectorSize"
    | "length"]: number
} = {
  /** Counts jobs: what an idle helper sleeps on. Negative: the pool is closed. */
  generation: 0,
  isOpen: 1,
  activeCount: 2,
  cipherId: 3,
  isEncryption: 4,
  sectorSize: 5,
  /** Bytes of sectors in the shared copy. */
  length: 6,
}

/** What became of a chunk. */
export const CHUNK_FREE = 0
export const CHUNK_CLAIMED = 1
export const CHUNK_DONE = 2

/** Bytes of sectors that a thread claims at a time. */
export const CHUNK_SIZE: number = 64 * 1024
/** Bytes of sectors in the shared copy at most. */
export const JOB_BYTES_MAX: number = 2 * 1024 * 1024
/** Bytes of IVs: at most 32 for each sector of 512 bytes. Requests with smaller sectors are not shared. */
const IV_BYTES_MAX = JOB_BYTES_MAX / 16
const CHUNKS_OFFSET = 64
const DATA_OFFSET = 4096

export const JOB_MEMORY_BYTES: number = DATA_OFFSET + JOB_BYTES_MAX + IV_BYTES_MAX

/** The memory of a pool, as each of its threads sees it. */
export interface JobMemory {
  readonly words: Int32Array
  /** One word per chunk. */
  readonly chunks: Int32Array
  readonly data: Uint8Array
  readonly ivs: Uint8Array
}

export function jobMemory(shared: SharedArrayBuffer): JobMemory {
  return {
    words: new Int32Array(shared, 0, CHUNKS_OFFSET / 4),
    chunks: new Int32Array(shared, CHUNKS_OFFSET, JOB_BYTES_MAX / CHUNK_SIZE),
    data: new Uint8Array(shared, DATA_OFFSET, JOB_BYTES_MAX),
    ivs: new Uint8Array(shared, DATA_OFFSET + JOB_BYTES_MAX, IV_BYTES_MAX),
  }
}

/** Tells the helpers of a cipher, or that it is gone. */
export type CipherMessage =
  | { readonly id: number; readonly name: SectorCipherName; readonly key: Uint8Array }
  | { readonly id: number; readonly name: undefined }

/** The part of `bytes` that belongs to a chunk, where `unitSize` bytes of it belong to each sector. */
export function chunkOf(bytes: Uint8Array, chunk: number, sectorSize: number, unitSize: number): Uint8Array {
  const sectorCount = CHUNK_SIZE / sectorSize
  return bytes.subarray(chunk * sectorCount * unitSize, (chunk + 1) * sectorCount * unitSize)
}
