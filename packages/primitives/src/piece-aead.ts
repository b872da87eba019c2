import type { AeadBatch, AeadCipher } from "./engine.ts"

/** Some units of one request, at least one. */
export interface AeadPiece extends AeadBatch {
  readonly unitCount: number
}

/** An AEAD that takes several units at a time, but not units of every size. */
export interface PieceAead {
  /** How many units like these a piece may have at most; 0 if it takes none. */
  pieceUnitCount(unitSize: number, aadSize: number): number
  /** Units that are encrypted side by side: any fewer take as long. */
  readonly encryptionLaneCount: number
  encryptPiece(piece: AeadPiece): void
  /** As `decryptUnits`, but from the unit that failed on `target` may be as it was. */
  decryptPiece(piece: AeadPiece): number
  destroy(): void
}

/** From how many units of one size on a piece is faster than one unit at a time; `Infinity` if never. */
export interface PieceRule {
  encryptionMin(unitSize: number): number
  decryptionMin(unitSize: number): number
}

/** The AEAD that takes pieces where the rule says so, and single units elsewhere. Arguments were checked above. */
export function pieceAeadCipher(pieces: PieceAead, units: AeadCipher, rule: PieceRule): AeadCipher {
  const { ivSize, tagSize } = units

  /** How many units a piece of this request may have; 0 if there is none in it. */
  function stepCount({ tags, aads, unitSize }: AeadBatch, unitCountMin: number): number {
    const unitCount = tags.length / tagSize
    if (unitCount === 0 || unitCount < unitCountMin) return 0
    return pieces.pieceUnitCount(unitSize, aads.length / unitCount)
  }

  return {
    ivSize,
    tagSize,
    encryptUnits(batch) {
      const unitCountMin = rule.encryptionMin(batch.unitSize)
      const step = stepCount(batch, unitCountMin)
      if (step === 0) return units.encryptUnits(batch)
      for (const { piece } of splitIntoPieces(batch, tagSize, step, pieces.encryptionLaneCount, unitCountMin)) {
        if (piece.unitCount >= unitCountMin) pieces.encryptPiece(piece)
        else units.encryptUnits(piece)
      }
    },
    decryptUnits(batch) {
      const unitCountMin = rule.decryptionMin(batch.unitSize)
      const step = stepCount(batch, unitCountMin)
      if (step === 0) return units.decryptUnits(batch)
      return decryptInTurn(batch, splitIntoPieces(batch, tagSize, step, 1, unitCountMin), (piece) =>
        piece.unitCount >= unitCountMin ? pieces.decryptPiece(piece) : units.decryptUnits(piece),
      )
    },
    destroy() {
      pieces.destroy()
      units.destroy()
    },
  }
}

/** The AEAD of pieces that take every unit. Arguments were checked above. */
export function wholeAeadCipher(pieces: PieceAead, ivSize: number, tagSize: number): AeadCipher {
  function piecesOf(batch: AeadBatch): Iterable<PlacedPiece> {
    const unitCount = batch.tags.length / tagSize
    if (unitCount === 0) return []
    const step = pieces.pieceUnitCount(batch.unitSize, batch.aads.length / unitCount)
    return splitIntoPieces(batch, tagSize, step, pieces.encryptionLaneCount, 1)
  }
  return {
    ivSize,
    tagSize,
    encryptUnits(batch) {
      for (const { piece } of piecesOf(batch)) pieces.encryptPiece(piece)
    },
    decryptUnits: (batch) => decryptInTurn(batch, piecesOf(batch), (piece) => pieces.decryptPiece(piece)),
    destroy: () => pieces.destroy(),
  }
}

/** Up to the first unit that fails, from which on the target becomes zero. @returns that unit, or -1. */
function decryptInTurn(batch: AeadBatch, pieces: Iterable<PlacedPiece>, decrypt: (piece: AeadPiece) => number): number {
  for (const { piece, first } of pieces) {
    const failedUnit = decrypt(piece)
    if (failedUnit < 0) continue
    batch.target.fill(0, (first + failedUnit) * batch.unitSize)
    return first + failedUnit
  }
  return -1
}

/** A piece, and the index of its first unit in the request. */
interface PlacedPiece {
  readonly piece: AeadPiece
  readonly first: number
}

/** What is left over when all lanes were filled is a piece of its own where it is too few to be worth lanes. */
function* splitIntoPieces(
  batch: AeadBatch,
  tagSize: number,
  step: number,
  laneCount: number,
  unitCountMin: number,
): Generator<PlacedPiece> {
  const unitCount = batch.tags.length / tagSize
  for (let first = 0, count = 0; first < unitCount; first += count) {
    count = Math.min(step, unitCount - first)
    const leftOver = count % laneCount
    if (leftOver < unitCountMin && leftOver < count) count -= leftOver
    yield { piece: pieceAt(batch, first, count, unitCount), first }
  }
}

function pieceAt(batch: AeadBatch, first: number, count: number, unitCount: number): AeadPiece {
  if (count === unitCount) return { ...batch, unitCount }
  const at = (bytes: Uint8Array) => {
    const size = bytes.length / unitCount
    return bytes.subarray(first * size, (first + count) * size)
  }
  return {
    source: at(batch.source),
    target: at(batch.target),
    unitSize: batch.unitSize,
    ivs: at(batch.ivs),
    aads: at(batch.aads),
    tags: at(batch.tags),
    unitCount: count,
  }
}
