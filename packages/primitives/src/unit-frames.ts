import { type FrameKernel, loadFrameKernel } from "./kernel/frame-kernel.ts"
import type { Kernels } from "./kernel/kernels.ts"
import { windowAt } from "./kernel/window.ts"
import type { AeadPiece } from "./piece-aead.ts"
import { PIECE_BYTES } from "./scratch.ts"

const BLOCK_SIZE = 16
const KIB = 1024

/**
 * The work area of the kernels, as a piece of AEAD units uses it: bytes from its start, 2 MiB in all.
 *
 * | offset   | bytes   | what                                                                             |
 * |        0 | 512 KiB | frames: each unit's AAD, ciphertext and lengths, and one block for the AEAD's use |
 * |  512 KiB | 257 KiB | keystream                                                                        |
 * |  800 KiB |  32 KiB | the AEAD's tables, keys and scratch                                              |
 * | 1024 KiB | 129 KiB | data of callers with memory of their own; before it goes there, what was computed |
 * | 1184 KiB |  97 KiB | IVs                                                                              |
 * | 1288 KiB | 128 KiB | tags                                                                             |
 * | 1416 KiB | 512 KiB | AADs                                                                             |
 */
const FRAMES_SIZE: number = 512 * KIB
const KEYSTREAM: number = 512 * KIB
const KEYSTREAM_SIZE: number = 256 * KIB
const TABLES: number = 800 * KIB
const DATA: number = 1024 * KIB
const IVS: number = 1184 * KIB
const TAGS: number = 1288 * KIB
const AADS: number = 1416 * KIB

/** The frames of one piece, from `FrameArea.frames` on; sizes in bytes. */
export interface UnitFrames {
  /** From one frame to the next. */
  readonly stride: number
  /** From the start of a frame: its ciphertext, its lengths, its spare block. */
  readonly ciphertextOffset: number
  readonly lengthsOffset: number
  readonly spareOffset: number
  readonly aadSize: number
  readonly unitSize: number
  readonly unitCount: number
}

/** The work area of an engine, laid out for AEADs over whole blocks. */
export interface FrameArea {
  readonly kernels: Kernels
  readonly kernel: FrameKernel
  /** Addresses. */
  readonly frames: number
  readonly keystream: number
  readonly tables: number
  /** Room for 16 bytes a unit and 240 more, between `addressOfSource` and `unmaskInto` or `copyInto`. */
  readonly sums: number
  readonly ivs: number
  readonly tags: number
  /** How many units fit, of whole blocks and with so much keystream each; 0 for units that are not framed. */
  unitCountMax(unitSize: number, aadSize: number, keystreamSize: number): number
  /** Takes in IVs, AADs and tags; the ciphertext, the lengths and the spare block are still missing. */
  frame(piece: AeadPiece): UnitFrames
  /** The address of the source, which is copied if it is not in the memory of the kernels. */
  addressOfSource(piece: AeadPiece): number
  /** XOR of the ciphertexts in the first `unitCount` frames with the keystream at `mask`, into the target. */
  unmaskInto(target: Uint8Array, frames: UnitFrames, unitCount: number, mask: number, maskStride: number): void
  /** The ciphertexts, into the target. */
  copyInto(target: Uint8Array, frames: UnitFrames): void
}

/** The area of an engine; `undefined` if its kernel did not give the known answer. */
export function frameAreaOf(kernels: Kernels): FrameArea | undefined {
  const kernel = loadFrameKernel(kernels)
  return kernel && createFrameArea(kernels, kernel)
}

function createFrameArea(kernels: Kernels, kernel: FrameKernel): FrameArea {
  const { bytes, work } = kernels
  const dataWindow = windowAt(bytes, work + DATA)

  function layout({ unitSize, aads, unitCount }: AeadPiece): UnitFrames {
    const aadSize = aads.length / unitCount
    const ciphertextOffset = wholeBlocks(aadSize)
    const lengthsOffset = ciphertextOffset + unitSize
    const spareOffset = lengthsOffset + BLOCK_SIZE
    const stride = spareOffset + BLOCK_SIZE
    return { stride, ciphertextOffset, lengthsOffset, spareOffset, aadSize, unitSize, unitCount }
  }

  /** Lets `write` fill the target where it is, or else in the work area, and copies it from there. */
  function through(target: Uint8Array, write: (address: number) => void): void {
    const own = kernels.addressOf(target)
    write(own < 0 ? work + DATA : own)
    if (own < 0) target.set(dataWindow(target.length))
  }

  return {
    kernels,
    kernel,
    frames: work,
    keystream: work + KEYSTREAM,
    tables: work + TABLES,
    sums: work + DATA,
    ivs: work + IVS,
    tags: work + TAGS,
    unitCountMax(unitSize, aadSize, keystreamSize) {
      if (unitSize === 0 || unitSize % BLOCK_SIZE !== 0) return 0
      const stride = wholeBlocks(aadSize) + unitSize + 2 * BLOCK_SIZE
      return Math.floor(Math.min(PIECE_BYTES / unitSize, FRAMES_SIZE / stride, KEYSTREAM_SIZE / keystreamSize))
    },
    frame(piece) {
      const frames = layout(piece)
      bytes.set(piece.ivs, work + IVS)
      bytes.set(piece.tags, work + TAGS)
      bytes.set(piece.aads, work + AADS)
      kernel.pad(work, frames.stride, work + AADS, frames.aadSize, frames.ciphertextOffset, frames.unitCount)
      return frames
    },
    addressOfSource({ source }) {
      const own = kernels.addressOf(source)
      if (own >= 0) return own
      bytes.set(source, work + DATA)
      return work + DATA
    },
    unmaskInto(target, { stride, ciphertextOffset, unitSize }, unitCount, mask, maskStride) {
      const from = work + ciphertextOffset
      const size = unitCount * unitSize
      through(target.length === size ? target : target.subarray(0, size), (to) =>
        kernel.mask(to, unitSize, from, stride, mask, maskStride, unitSize, unitCount),
      )
    },
    copyInto(target, { stride, ciphertextOffset, unitSize, unitCount }) {
      const from = work + ciphertextOffset
      through(target, (to) => kernel.move(to, unitSize, from, stride, unitSize, unitCount))
    },
  }
}

function wholeBlocks(size: number): number {
  return Math.ceil(size / BLOCK_SIZE) * BLOCK_SIZE
}
