import { type ChachaKernel, KEYSTREAM_SCRATCH_SIZE } from "./kernel/chacha-kernel.ts"
import { windowAt } from "./kernel/window.ts"
import type { AeadPiece, PieceAead } from "./piece-aead.ts"
import { findDifference } from "./tag-check.ts"
import type { FrameArea, UnitFrames } from "./unit-frames.ts"

/** Bytes of a block of ChaCha20. */
const BLOCK_SIZE = 64
const TAG_SIZE = 16

/**
 * ChaCha20-Poly1305 over pieces of units of whole 16-byte blocks: all in WebAssembly, in constant time. What is verified
 * is a copy, and the same copy is decrypted: shared memory cannot change in between. RFC 8439, 2.8.
 */
export function chachaPieces(key: Uint8Array, area: FrameArea, kernel: ChachaKernel): PieceAead {
  const { bytes } = area.kernels
  const { frames, keystream, tables: scratch, sums } = area
  const tagWindow = windowAt(bytes, sums)
  const ownKey = new Uint8Array(key)

  /** From one unit's keystream to the next: the block of its one-time key, then those of its data. */
  const keystreamSize = (unitSize: number) => (1 + Math.ceil(unitSize / BLOCK_SIZE)) * BLOCK_SIZE

  /** The frames of a piece without ciphertext, and its keystream. @returns where the mask of the first unit begins. */
  function frame(piece: AeadPiece): UnitFrames & { readonly mask: number; readonly maskStride: number } {
    const unitFrames = area.frame(piece)
    const { stride, lengthsOffset, aadSize, unitSize, unitCount } = unitFrames
    kernel.lengths(frames + lengthsOffset, stride, aadSize, unitSize, unitCount)
    const keyAddress = scratch + KEYSTREAM_SCRATCH_SIZE
    const maskStride = keystreamSize(unitSize)
    bytes.set(ownKey, keyAddress)
    kernel.keystream(keystream, keyAddress, area.ivs, maskStride / BLOCK_SIZE, unitCount, scratch)
    return { ...unitFrames, mask: keystream + BLOCK_SIZE, maskStride }
  }

  /** The tags of all frames, in `sums`. */
  function putTags({ stride, spareOffset, unitSize, unitCount }: UnitFrames): Uint8Array {
    kernel.authenticate(sums, frames, stride, spareOffset, keystream, keystreamSize(unitSize), unitCount)
    return tagWindow(unitCount * TAG_SIZE)
  }

  return {
    pieceUnitCount: (unitSize, aadSize) => area.unitCountMax(unitSize, aadSize, keystreamSize(unitSize)),
    encryptionLaneCount: 1,
    encryptPiece(piece) {
      const unitFrames = frame(piece)
      const { stride, ciphertextOffset, unitSize, unitCount, mask, maskStride } = unitFrames
      const from = area.addressOfSource(piece)
      area.kernel.mask(frames + ciphertextOffset, stride, from, unitSize, mask, maskStride, unitSize, unitCount)
      piece.tags.set(putTags(unitFrames))
      area.copyInto(piece.target, unitFrames)
    },
    decryptPiece(piece) {
      const unitFrames = frame(piece)
      const { stride, ciphertextOffset, unitSize, unitCount, mask, maskStride } = unitFrames
      const from = area.addressOfSource(piece)
      area.kernel.move(frames + ciphertextOffset, stride, from, unitSize, unitSize, unitCount)
      const failedUnit = findDifference(piece.tags, putTags(unitFrames), TAG_SIZE)
      area.unmaskInto(piece.target, unitFrames, failedUnit < 0 ? unitCount : failedUnit, mask, maskStride)
      return failedUnit
    },
    destroy() {
      ownKey.fill(0)
      area.kernels.wipe()
    },
  }
}
