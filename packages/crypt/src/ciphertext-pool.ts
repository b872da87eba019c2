import type { Engine } from "@blockstrata/primitives"

/** Bytes of ciphertext that a write makes at a time: the scratch that a request may take. */
export const PIECE_SIZE: number = 1024 * 1024
/** Pieces that are kept for an engine; more writes at a time take memory of their own. */
const KEPT_COUNT = 2

/** Memory for ciphertext on its way down, used again by later writes of any target. Holds nothing secret. */
export interface CiphertextPool {
  /** `length` bytes; their content is undefined. */
  take(length: number): Uint8Array
  /** Gives back what `take` gave, once nothing below looks at it any more. */
  give(memory: Uint8Array): void
}

const pools = new WeakMap<Engine, CiphertextPool>()

/** The pool of an engine, whose kept pieces are the engine's own memory: its kernels work in it without a copy. */
export function ciphertextPool(engine: Engine): CiphertextPool {
  const pool = pools.get(engine) ?? createPool(engine)
  pools.set(engine, pool)
  return pool
}

function createPool(engine: Engine): CiphertextPool {
  const pieces: Uint8Array[] = []
  const free: Uint8Array[] = []
  return {
    take(length) {
      if (length > PIECE_SIZE) return new Uint8Array(length)
      let piece = free.pop()
      if (piece === undefined && pieces.length < KEPT_COUNT) {
        piece = engine.allocate(PIECE_SIZE)
        pieces.push(piece)
      }
      return piece === undefined ? new Uint8Array(length) : piece.subarray(0, length)
    },
    give(memory) {
      const piece = pieces.find(
        ({ buffer, byteOffset }) => buffer === memory.buffer && byteOffset === memory.byteOffset,
      )
      if (piece !== undefined) free.push(piece)
    },
  }
}
