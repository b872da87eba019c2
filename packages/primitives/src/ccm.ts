import type { SectorChain } from "./cbc.ts"
import { ccmLayout, writeCcmCounters, writeCcmFrames } from "./ccm-frames.ts"
import type { BlockCipher } from "./engine.ts"
import type { AeadPiece, PieceAead } from "./piece-aead.ts"
import { createScratch, PIECE_BYTES, xorScratch } from "./scratch.ts"
import type { SectorMode } from "./sector-mode.ts"
import { findDifference } from "./tag-check.ts"

const BLOCK_SIZE = 16
const TAG_SIZE = 16
/** Units of a piece from which CBC enciphers them side by side. */
const LANE_COUNT_MIN = 32
/** Bytes that one call enciphers: an output of 128 KiB is one that malloc maps and unmaps. */
const CALL_BYTES = 64 * 1024

/** The parts of CCM, all under one key. They may share the block cipher. */
export interface CcmParts {
  readonly aes: BlockCipher
  /** CBC by one sector. It belongs to `cbc`. */
  readonly chain: SectorChain
  readonly cbc: SectorMode
  readonly ctr: SectorMode
}

/**
 * AES-CCM with tags of 16 bytes, over units and AADs of any size, and with IVs of 7 to 13 bytes: a CBC-MAC of IV, sizes,
 * AAD and plaintext, and counter mode over both. NIST SP 800-38C, RFC 3610.
 *
 * **How a piece is verified.** A CBC-MAC is the last block of a CBC that starts at zero, so that each unit would take a
 * chain of its own. But a tag T says what the MAC of its unit must be: T ^ E(counter block 0). With that added to the first
 * block of the next unit, one chain runs through all units, and into each as if it started at zero there. So a MAC
 * that comes out is that of its unit alone if all before it were as they must be, and the first that is not belongs to
 * the first unit that is not authentic: none passes that would not pass alone. What comes out behind it is not used.
 *
 * What is verified is a copy, and the same copy is handed out: shared memory cannot change in between.
 */
export function ccmPieces({ aes, chain, cbc, ctr }: CcmParts): PieceAead {
  const paddedScratch = createScratch()
  const frameScratch = createScratch()
  const counterScratch = createScratch()
  const macScratch = createScratch()

  /** Counter block 0 of every unit, and the masks of the tags, which are those enciphered. */
  function takeCounters(piece: AeadPiece): { readonly counters: Uint8Array; readonly masks: Uint8Array } {
    const size = piece.unitCount * BLOCK_SIZE
    const both = counterScratch.take(2 * size)
    const counters = both.subarray(0, size)
    const masks = both.subarray(size)
    writeCcmCounters(piece, counters)
    aes.encryptBlocks(counters, masks)
    return { counters, masks }
  }

  return {
    pieceUnitCount: (unitSize, aadSize) => Math.max(1, Math.floor(PIECE_BYTES / ccmLayout(unitSize, aadSize).stride)),
    encryptionLaneCount: 1,
    encryptPiece(piece) {
      const { source, target, tags, aads, unitSize, unitCount } = piece
      const layout = ccmLayout(unitSize, aads.length / unitCount)
      const { stride, paddedSize } = layout
      const { counters, masks } = takeCounters(piece)
      const padded = paddedScratch.take(unitCount * paddedSize)
      padUnits(source, padded, unitSize, paddedSize)
      const frames = frameScratch.take(unitCount * stride)
      writeCcmFrames(frames, layout, piece, counters, padded)
      chainEach(chain, cbc, frames, stride)
      const macs = macScratch.take(unitCount * TAG_SIZE)
      takeMacs(frames, stride, macs)
      xorScratch(macs, masks)
      tags.set(macs)
      applyKeystream(ctr, padded, paddedSize, counters)
      unpadUnits(padded, target, unitSize, paddedSize, unitCount)
    },
    decryptPiece(piece) {
      const { source, target, tags, aads, unitSize, unitCount } = piece
      const layout = ccmLayout(unitSize, aads.length / unitCount)
      const { stride, paddedSize } = layout
      const { counters, masks: expected } = takeCounters(piece)
      const macs = macScratch.take(unitCount * TAG_SIZE)
      macs.set(tags)
      xorScratch(expected, macs)
      const padded = paddedScratch.take(unitCount * paddedSize)
      padUnits(source, padded, unitSize, paddedSize)
      applyKeystream(ctr, padded, paddedSize, counters)
      clearPadding(padded, unitSize, paddedSize)
      const frames = frameScratch.take(unitCount * stride)
      writeCcmFrames(frames, layout, piece, counters, padded)
      if (unitCount >= LANE_COUNT_MIN) chainEach(chain, cbc, frames, stride)
      else {
        addToNext(frames, stride, expected)
        chainThrough(chain, frames)
      }
      takeMacs(frames, stride, macs)
      const failedUnit = findDifference(macs, expected, TAG_SIZE)
      unpadUnits(padded, target, unitSize, paddedSize, failedUnit < 0 ? unitCount : failedUnit)
      return failedUnit
    },
    destroy() {
      cbc.destroy()
      ctr.destroy()
      for (const owned of [paddedScratch, frameScratch, counterScratch, macScratch]) owned.wipe()
    },
  }
}

/** CBC from zero, in place. */
function chainThrough(chain: SectorChain, bytes: Uint8Array): void {
  let last: Uint8Array = new Uint8Array(BLOCK_SIZE)
  for (let at = 0; at < bytes.length; at += CALL_BYTES) {
    const part = bytes.subarray(at, at + CALL_BYTES)
    chain.encryptSector(part, last)
    last = part.subarray(-BLOCK_SIZE)
  }
}

/** CBC of every frame from zero, in place. */
function chainEach(chain: SectorChain, cbc: SectorMode, frames: Uint8Array, stride: number): void {
  const unitCount = frames.length / stride
  if (unitCount >= LANE_COUNT_MIN) {
    cbc.encryptPiece(frames, frames, stride, new Uint8Array(unitCount * BLOCK_SIZE))
    return
  }
  for (let at = 0; at < frames.length; at += stride) chainThrough(chain, frames.subarray(at, at + stride))
}

/** Adds to the first block of each frame, but for the first, what the MAC of the frame before has to be. */
function addToNext(frames: Uint8Array, stride: number, expected: Uint8Array): void {
  for (let at = stride, mac = 0; at < frames.length; at += stride) {
    for (let index = 0; index < BLOCK_SIZE; index++) frames[at + index]! ^= expected[mac++]!
  }
}

/** The last block of every frame. */
function takeMacs(frames: Uint8Array, stride: number, macs: Uint8Array): void {
  for (let at = stride - BLOCK_SIZE, mac = 0; at < frames.length; at += stride) {
    for (let index = 0; index < BLOCK_SIZE; index++) macs[mac++] = frames[at + index]!
  }
}

/** Counter mode over all units, in place: their data begins at counter 1. */
function applyKeystream(ctr: SectorMode, padded: Uint8Array, paddedSize: number, counters: Uint8Array): void {
  if (padded.length === 0) return
  const ivs = new Uint8Array(counters)
  for (let at = BLOCK_SIZE - 1; at < ivs.length; at += BLOCK_SIZE) ivs[at] = 1
  if (padded.length <= PIECE_BYTES) return ctr.encryptPiece(padded, padded, paddedSize, ivs)
  // One large unit, a part at a time.
  const view = new DataView(ivs.buffer)
  for (let at = 0; at < paddedSize; at += CALL_BYTES) {
    const part = padded.subarray(at, at + CALL_BYTES)
    view.setUint32(BLOCK_SIZE - 4, 1 + at / BLOCK_SIZE)
    ctr.encryptPiece(part, part, part.length, ivs)
  }
}

/** Takes in all units, zeros behind each up to a whole block. */
function padUnits(units: Uint8Array, padded: Uint8Array, unitSize: number, paddedSize: number): void {
  if (unitSize === paddedSize) return padded.set(units)
  padded.fill(0)
  for (let from = 0, to = 0; to < padded.length; from += unitSize, to += paddedSize) {
    padded.set(units.subarray(from, from + unitSize), to)
  }
}

/** Takes away what the keystream made of the zeros. */
function clearPadding(padded: Uint8Array, unitSize: number, paddedSize: number): void {
  if (unitSize === paddedSize) return
  for (let end = paddedSize; end <= padded.length; end += paddedSize) padded.fill(0, end - paddedSize + unitSize, end)
}

/** Hands out the first `unitCount` units. */
function unpadUnits(
  padded: Uint8Array,
  units: Uint8Array,
  unitSize: number,
  paddedSize: number,
  unitCount: number,
): void {
  if (unitSize === paddedSize) return units.set(padded.subarray(0, unitCount * unitSize))
  for (let unit = 0; unit < unitCount; unit++) {
    units.set(padded.subarray(unit * paddedSize, unit * paddedSize + unitSize), unit * unitSize)
  }
}
