import type { AeadPiece } from "./piece-aead.ts"

const BLOCK_SIZE = 16
const HAS_AAD = 0x40
/** (16 - 2) / 2: how long the tag is. */
const TAG_FLAGS = 0x38
/** AADs from here on have their size in 4 bytes behind a mark, not in 2. */
const LONG_AAD_MIN = 0xff00
const LONG_AAD_MARK = 0xfffe

/**
 * A unit as the CBC-MAC of CCM reads it. Sizes in bytes; RFC 3610, 2.2.
 *
 * | bytes    | what                                                   |
 * |       16 | flags, IV, size of the unit                            |
 * |  2 or 6  | size of the AAD; nothing at all if there is no AAD     |
 * |          | the AAD, and zeros up to a whole block                 |
 * |          | the plaintext, and zeros up to a whole block           |
 */
export interface CcmLayout {
  /** From one frame to the next. */
  readonly stride: number
  readonly aadSize: number
  /** From the start of a frame. */
  readonly aadOffset: number
  readonly plaintextOffset: number
  /** Of the unit in whole blocks. */
  readonly paddedSize: number
}

/** The layout for units and AADs of these sizes, each below 4 GiB. */
export function ccmLayout(unitSize: number, aadSize: number): CcmLayout {
  const lengthSize = aadSize === 0 ? 0 : aadSize < LONG_AAD_MIN ? 2 : 6
  const aadOffset = BLOCK_SIZE + lengthSize
  const plaintextOffset = wholeBlocks(aadOffset + aadSize)
  const paddedSize = wholeBlocks(unitSize)
  return { stride: plaintextOffset + paddedSize, aadSize, aadOffset, plaintextOffset, paddedSize }
}

/** The counter blocks 0 of all units, which no unit's data is masked with. RFC 3610, 2.3. */
export function writeCcmCounters({ ivs, unitCount }: AeadPiece, counters: Uint8Array): void {
  const ivSize = ivs.length / unitCount
  counters.fill(0)
  for (let at = 0, iv = 0; at < counters.length; at += BLOCK_SIZE) {
    counters[at] = BLOCK_SIZE - 2 - ivSize
    for (let index = 1; index <= ivSize; index++) counters[at + index] = ivs[iv++]!
  }
}

/** Fills the frames of a piece. IVs are taken from the counter blocks, for the caller's may change at any time. */
export function writeCcmFrames(
  frames: Uint8Array,
  { stride, aadSize, aadOffset, plaintextOffset, paddedSize }: CcmLayout,
  piece: AeadPiece,
  counters: Uint8Array,
  padded: Uint8Array,
): void {
  const { aads, unitSize, unitCount } = piece
  const ivSize = piece.ivs.length / unitCount
  const lengthSize = aadOffset - BLOCK_SIZE
  const flags = TAG_FLAGS | (aadSize > 0 ? HAS_AAD : 0)
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length)
  for (let unit = 0; unit < unitCount; unit++) {
    const at = unit * stride
    const counter = unit * BLOCK_SIZE
    frames.fill(0, at, at + plaintextOffset)
    // The bytes that an IV is too long to leave it are zero: a unit that needed them would be too large for that IV.
    view.setUint32(at + BLOCK_SIZE - 4, unitSize)
    frames[at] = flags | counters[counter]!
    for (let index = 1; index <= ivSize; index++) frames[at + index] = counters[counter + index]!
    if (lengthSize === 2) view.setUint16(at + BLOCK_SIZE, aadSize)
    if (lengthSize === 6) {
      view.setUint16(at + BLOCK_SIZE, LONG_AAD_MARK)
      view.setUint32(at + BLOCK_SIZE + 2, aadSize)
    }
    frames.set(aads.subarray(unit * aadSize, (unit + 1) * aadSize), at + aadOffset)
    frames.set(padded.subarray(unit * paddedSize, (unit + 1) * paddedSize), at + plaintextOffset)
  }
}

function wholeBlocks(size: number): number {
  return Math.ceil(size / BLOCK_SIZE) * BLOCK_SIZE
}
