import fc from "fast-check"
import { bytesOf, type Placement, placements } from "./placement.ts"

/** A batch as its pieces, and where its data and its tags are to lie. */
export interface PlacedBatch {
  readonly unitSize: number
  readonly units: readonly Uint8Array[]
  readonly heads: readonly Uint8Array[] | undefined
  readonly prefix: Uint8Array | undefined
  readonly suffix: Uint8Array | undefined
  readonly places: readonly [Placement, Placement]
}

function piecesOf(size: number, count: number): fc.Arbitrary<Uint8Array[]> {
  return fc.array(bytesOf(size), { minLength: count, maxLength: count })
}

const parts = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })
/** Small batches of every shape, the empty ones too. */
export const batches: fc.Arbitrary<PlacedBatch> = fc
  .record({ unitSize: fc.nat({ max: 300 }), headSize: fc.nat({ max: 20 }), unitCount: fc.nat({ max: 6 }) })
  .chain(({ unitSize, headSize, unitCount }) =>
    fc.record({
      unitSize: fc.constant(unitSize),
      units: piecesOf(unitSize, unitCount),
      heads: fc.option(piecesOf(headSize, unitCount), { nil: undefined }),
      prefix: parts,
      suffix: parts,
      places: fc.tuple(placements, placements),
    }),
  )

/** All pieces, one after the other. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]))
}
