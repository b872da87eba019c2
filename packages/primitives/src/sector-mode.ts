import type { SectorCipher } from "./engine.ts"
import { PIECE_BYTES } from "./scratch.ts"

/** Some whole sectors of one request: at most `PIECE_BYTES`, or one sector. */
export interface SectorPiece {
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly sectorSize: number
  /** One IV per sector of this piece. */
  readonly ivs: Uint8Array
}

/** A mode over a block cipher, written for one piece; it copies the piece into aligned scratch, so any view will do. */
export interface SectorMode {
  readonly ivSize: number
  encryptPiece(piece: SectorPiece): void
  decryptPiece(piece: SectorPiece): void
  destroy(): void
}

/** The sector cipher that runs `mode` over a request, piece by piece. Arguments were checked above. */
export function sectorCipherOf(mode: SectorMode): SectorCipher {
  const { ivSize } = mode
  return {
    ivSize,
    encryptSectors(source, target, sectorSize, ivs) {
      for (const piece of splitIntoPieces(source, target, sectorSize, ivs, ivSize)) mode.encryptPiece(piece)
    },
    decryptSectors(source, target, sectorSize, ivs) {
      for (const piece of splitIntoPieces(source, target, sectorSize, ivs, ivSize)) mode.decryptPiece(piece)
    },
    destroy: () => mode.destroy(),
  }
}

function* splitIntoPieces(
  source: Uint8Array,
  target: Uint8Array,
  sectorSize: number,
  ivs: Uint8Array,
  ivSize: number,
): Generator<SectorPiece> {
  const pieceSectorCount = Math.max(1, Math.floor(PIECE_BYTES / sectorSize))
  const sectorCount = source.length / sectorSize
  for (let first = 0; first < sectorCount; first += pieceSectorCount) {
    const end = Math.min(first + pieceSectorCount, sectorCount)
    yield {
      source: source.subarray(first * sectorSize, end * sectorSize),
      target: target.subarray(first * sectorSize, end * sectorSize),
      sectorSize,
      ivs: ivs.subarray(first * ivSize, end * ivSize),
    }
  }
}
