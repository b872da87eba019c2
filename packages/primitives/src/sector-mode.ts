import type { SectorCipher } from "./engine.ts"
import { PIECE_BYTES } from "./scratch.ts"

/** Works on some whole sectors of one request: as many as fit into `PIECE_BYTES`, or one; never none. */
export type PieceTransform = SectorCipher["encryptSectors"]

/** A mode over a block cipher, written for one piece; source and target are views of any memory, at any alignment. */
export interface SectorMode {
  readonly ivSize: number
  /** Bytes of sectors that encryption takes at a time, where they are not `PIECE_BYTES`. */
  readonly encryptionPieceBytes?: number | undefined
  readonly encryptPiece: PieceTransform
  readonly decryptPiece: PieceTransform
  destroy(): void
}

/** The sector cipher that runs `mode` over a request, piece by piece. Arguments were checked above. */
export function sectorCipherOf(mode: SectorMode): SectorCipher {
  const { ivSize } = mode
  return {
    ivSize,
    encryptSectors: byPieces(mode.encryptPiece, mode.encryptionPieceBytes ?? PIECE_BYTES, ivSize),
    decryptSectors: byPieces(mode.decryptPiece, PIECE_BYTES, ivSize),
    destroy: () => mode.destroy(),
  }
}

function byPieces(transform: PieceTransform, pieceBytes: number, ivSize: number): SectorCipher["encryptSectors"] {
  return (source, target, sectorSize, ivs) => {
    // The small request, without a single view made of it.
    if (source.length > 0 && source.length <= pieceBytes) return transform(source, target, sectorSize, ivs)
    const sectorCount = source.length / sectorSize
    const pieceSectorCount = Math.max(1, Math.floor(pieceBytes / sectorSize))
    for (let first = 0; first < sectorCount; first += pieceSectorCount) {
      const end = Math.min(first + pieceSectorCount, sectorCount)
      transform(
        source.subarray(first * sectorSize, end * sectorSize),
        target.subarray(first * sectorSize, end * sectorSize),
        sectorSize,
        ivs.subarray(first * ivSize, end * ivSize),
      )
    }
  }
}
