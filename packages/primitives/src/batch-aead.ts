import { chachaPieces } from "./chacha.ts"
import type { AeadCipher, AeadName, BlockCipher } from "./engine.ts"
import { type FrameVerifier, gcmPieces } from "./gcm.ts"
import { loadChachaKernel } from "./kernel/chacha-kernel.ts"
import { loadGcmKernel } from "./kernel/gcm-kernel.ts"
import type { Kernels } from "./kernel/kernels.ts"
import { type PieceAead, type PieceRule, pieceAeadCipher } from "./piece-aead.ts"
import { aeadCipherOf, type UnitAead } from "./unit-aead.ts"
import { frameAreaOf } from "./unit-frames.ts"

/** AEADs as a host brings them along. */
export interface AeadHost {
  unit(name: AeadName, key: Uint8Array): UnitAead
  readonly gcmVerifier?: ((key: Uint8Array) => FrameVerifier) | undefined
  readonly rules: Readonly<Record<AeadName, PieceRule>>
}

/** What an engine gives to its AEADs. */
export interface AeadParts {
  readonly aead: AeadHost
  readonly kernels?: (() => Kernels | undefined) | undefined
  aes(key: Uint8Array): BlockCipher
}

/** The AEAD of an engine: by batches where it has kernels and its host's rules say so, else one unit at a time. */
export function batchAead(parts: AeadParts, name: AeadName, key: Uint8Array): AeadCipher {
  const units = aeadCipherOf(parts.aead.unit(name, key))
  const kernels = parts.kernels?.()
  const pieces = kernels && piecesOf(parts, name, key, kernels, units)
  return pieces ? pieceAeadCipher(pieces, units, parts.aead.rules[name]) : units
}

function piecesOf(
  { aes, aead }: AeadParts,
  name: AeadName,
  key: Uint8Array,
  kernels: Kernels,
  units: AeadCipher,
): PieceAead | undefined {
  const area = frameAreaOf(kernels)
  if (area === undefined) return undefined
  if (name === "chacha20-poly1305") {
    const kernel = loadChachaKernel(kernels)
    return kernel && chachaPieces(key, area, kernel)
  }
  const kernel = loadGcmKernel(kernels)
  return kernel && gcmPieces({ aes: aes(key), units, verifier: aead.gcmVerifier?.(key) }, area, kernel)
}
