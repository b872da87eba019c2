import type { AeadCipher, BlockCipher } from "./engine.ts"
import { type GcmKernel, HASH_LANE_COUNT, HASH_TABLES_SIZE } from "./kernel/gcm-kernel.ts"
import { windowAt } from "./kernel/window.ts"
import type { AeadPiece, PieceAead } from "./piece-aead.ts"
import { findDifference } from "./tag-check.ts"
import type { FrameArea, UnitFrames } from "./unit-frames.ts"

const BLOCK_SIZE = 16

/** What a host has to verify a whole piece at once: see `node/gmac.ts`, also for what the frames must be. */
export interface FrameVerifier {
  /** Whether every frame is authentic. Which is not, it does not say. */
  areAuthentic(frames: Uint8Array): boolean
  destroy(): void
}

/** The means of a host for AES-GCM. */
export interface GcmHost {
  readonly aes: BlockCipher
  /** One unit at a time, for a second look: not this cipher's to destroy. */
  readonly units: AeadCipher
  /** Without it every tag is computed and compared. */
  readonly verifier?: FrameVerifier | undefined
}

/**
 * AES-GCM over pieces of whole-block units with 96-bit IVs: all counter blocks of a piece by one call of the block
 * cipher, GHASH of sixteen units side by side in constant time. A verifier does without that hash for reading. What is
 * verified is a copy, and the same copy is decrypted: shared memory cannot change in between. NIST SP 800-38D.
 */
export function gcmPieces({ aes, units, verifier }: GcmHost, area: FrameArea, kernel: GcmKernel): PieceAead {
  const { bytes } = area.kernels
  const { frames, keystream, tables, sums } = area
  const scratch = tables + HASH_TABLES_SIZE
  const counterWindow = windowAt(bytes, keystream)
  const frameWindow = windowAt(bytes, frames)
  const tagWindow = windowAt(bytes, sums)
  const ownTables = new Uint8Array(HASH_TABLES_SIZE)
  let hasTables = false

  /** The hash key is AES of zero (6.4). Its tables stay with this cipher; the work area is everybody's. */
  function putTables(): void {
    if (hasTables) return bytes.set(ownTables, tables)
    const hashKey = bytes.subarray(sums, sums + BLOCK_SIZE).fill(0)
    aes.encryptBlocks(hashKey, hashKey)
    kernel.prepare(tables, sums, scratch)
    hashKey.fill(0)
    ownTables.set(bytes.subarray(tables, scratch))
    hasTables = true
  }

  /** AES of all counter blocks: those of the tags, one per unit, then those of the data. @returns where the latter are. */
  function putKeystream({ unitCount, unitSize }: UnitFrames): number {
    const data = keystream + unitCount * BLOCK_SIZE
    kernel.counters(keystream, area.ivs, unitSize / BLOCK_SIZE, unitCount)
    const blocks = counterWindow(unitCount * (BLOCK_SIZE + unitSize))
    aes.encryptBlocks(blocks, blocks)
    return data
  }

  /** The tags of all frames, in `sums`. */
  function putTags({ stride, spareOffset, unitCount }: UnitFrames): Uint8Array {
    putTables()
    for (let first = 0; first < unitCount; first += HASH_LANE_COUNT) {
      const lanes = frames + first * stride
      kernel.hash(sums + first * BLOCK_SIZE, lanes, stride, spareOffset / BLOCK_SIZE, tables, scratch)
    }
    area.kernel.mask(sums, BLOCK_SIZE, sums, BLOCK_SIZE, keystream, BLOCK_SIZE, BLOCK_SIZE, unitCount)
    return tagWindow(unitCount * BLOCK_SIZE)
  }

  /** The frames of a piece with all but what depends on the direction. */
  function frame(piece: AeadPiece): UnitFrames {
    const unitFrames = area.frame(piece)
    const { stride, lengthsOffset, aadSize, unitSize, unitCount } = unitFrames
    kernel.lengths(frames + lengthsOffset, stride, aadSize, unitSize, unitCount)
    return unitFrames
  }

  /** The spare block of every frame: the tag without its mask, which is what GHASH of an authentic unit comes to. */
  function putUnmaskedTags({ stride, spareOffset, unitCount }: UnitFrames): Uint8Array {
    const spare = frames + spareOffset
    area.kernel.mask(spare, stride, area.tags, BLOCK_SIZE, keystream, BLOCK_SIZE, BLOCK_SIZE, unitCount)
    return frameWindow(unitCount * stride)
  }

  return {
    pieceUnitCount: (unitSize, aadSize) => area.unitCountMax(unitSize, aadSize, unitSize + BLOCK_SIZE),
    encryptionLaneCount: HASH_LANE_COUNT,
    encryptPiece(piece) {
      const unitFrames = frame(piece)
      const { stride, ciphertextOffset, unitSize, unitCount } = unitFrames
      const mask = putKeystream(unitFrames)
      const from = area.addressOfSource(piece)
      area.kernel.mask(frames + ciphertextOffset, stride, from, unitSize, mask, unitSize, unitSize, unitCount)
      piece.tags.set(putTags(unitFrames))
      area.copyInto(piece.target, unitFrames)
    },
    decryptPiece(piece) {
      const unitFrames = frame(piece)
      const { stride, ciphertextOffset, unitSize, unitCount } = unitFrames
      const from = area.addressOfSource(piece)
      area.kernel.move(frames + ciphertextOffset, stride, from, unitSize, unitSize, unitCount)
      const mask = putKeystream(unitFrames)
      if (verifier !== undefined && !verifier.areAuthentic(putUnmaskedTags(unitFrames)))
        return units.decryptUnits(piece)
      const failedUnit = verifier === undefined ? findDifference(piece.tags, putTags(unitFrames), BLOCK_SIZE) : -1
      area.unmaskInto(piece.target, unitFrames, failedUnit < 0 ? unitCount : failedUnit, mask, unitSize)
      return failedUnit
    },
    destroy() {
      aes.destroy()
      verifier?.destroy()
      ownTables.fill(0)
      area.kernels.wipe()
    },
  }
}
