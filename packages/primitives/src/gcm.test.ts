import { expect, test } from "vitest"
import { flipBit, patternBytes } from "../test/placement.ts"
import { gcmPieces } from "./gcm.ts"
import { loadGcmKernel } from "./kernel/gcm-kernel.ts"
import { lazyKernels } from "./kernel/kernels.ts"
import { nodeAead } from "./node/aead.ts"
import { nodeAes } from "./node/aes.ts"
import { nodeGmac } from "./node/gmac.ts"
import type { AeadPiece } from "./piece-aead.ts"
import { aeadCipherOf } from "./unit-aead.ts"
import { frameAreaOf } from "./unit-frames.ts"

const KEY = patternBytes(32)
const SECOND_LOOK = -2

/** Pieces by one GMAC whose second look finds nothing but tells that it was asked for; and what they make of a request. */
function createPieces() {
  const kernels = lazyKernels()()!
  const units = { ...aeadCipherOf(nodeAead.unit("aes-gcm", KEY)), decryptUnits: () => SECOND_LOOK }
  const host = { aes: nodeAes(KEY), units, verifier: nodeGmac(KEY) }
  return gcmPieces(host, frameAreaOf(kernels)!, loadGcmKernel(kernels)!)
}

function sealedPiece(unitCount: number, unitSize: number, aadSize: number): AeadPiece {
  const piece = {
    source: patternBytes(unitCount * unitSize, 2),
    target: new Uint8Array(unitCount * unitSize),
    unitSize,
    ivs: patternBytes(unitCount * 12, 3),
    aads: patternBytes(unitCount * aadSize, 4),
    tags: new Uint8Array(unitCount * 16),
    unitCount,
  }
  createPieces().encryptPiece(piece)
  return { ...piece, source: piece.target, target: new Uint8Array(piece.source.length).fill(0xee) }
}

test("one GMAC accepts what is authentic, without a second look", () => {
  const pieces = createPieces()
  for (const unitCount of [1, 2, 3, 15, 16, 17, 64]) {
    for (const [unitSize, aadSize] of [
      [16, 0],
      [32, 16],
      [512, 20],
      [80, 1],
    ] as const) {
      const piece = sealedPiece(unitCount, unitSize, aadSize)
      expect(pieces.decryptPiece(piece)).toBe(-1)
      expect(piece.target).toEqual(patternBytes(unitCount * unitSize, 2))
    }
  }
})

test.each(["source", "tags", "aads", "ivs"] as const)("one GMAC sees every single bit of %s", (part) => {
  const pieces = createPieces()
  const piece = sealedPiece(4, 32, 20)
  const untouched = piece.target.slice()
  for (let bit = 0; bit < piece[part].length * 8; bit++) {
    flipBit(piece[part], bit)
    expect(pieces.decryptPiece(piece), `bit ${bit}`).toBe(SECOND_LOOK)
    flipBit(piece[part], bit)
  }
  expect(piece.target).toEqual(untouched)
  expect(pieces.decryptPiece(piece)).toBe(-1)
})

test("one GMAC sees the same bit changed in any two units", () => {
  const pieces = createPieces()
  const piece = sealedPiece(5, 16, 8)
  for (const part of ["source", "tags", "aads", "ivs"] as const) {
    const size = piece[part].length / piece.unitCount
    for (let first = 0; first < piece.unitCount; first++) {
      for (let second = first + 1; second < piece.unitCount; second++) {
        for (let bit = 0; bit < size * 8; bit++) {
          const flip = () => [first, second].forEach((unit) => flipBit(piece[part], unit * size * 8 + bit))
          flip()
          expect(pieces.decryptPiece(piece), `${part}, ${first}, ${second}, bit ${bit}`).toBe(SECOND_LOOK)
          flip()
        }
      }
    }
  }
  expect(pieces.decryptPiece(piece)).toBe(-1)
})
