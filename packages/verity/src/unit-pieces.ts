import { type BadRange, type BlockDevice, type ByteRange, readAround } from "@blockstrata/device"

export interface UnitPiece {
  /** Bytes from the start of the device. */
  readonly offset: number
  /** Whole units; valid until the next piece is asked for. */
  readonly bytes: Uint8Array
  /** What could not be read and is zero in `bytes`. Always empty, unless `isReadAround`. */
  readonly bad: readonly BadRange[]
}

const PIECE_SIZE = 1048576

/**
 * The units of a range, in order, in pieces of at most a MiB, through one buffer.
 *
 * The range need not be aligned to the device's blocks; `unitSize` is at most a MiB.
 *
 * @throws what the device throws, unless `isReadAround`: then bad blocks are listed and passed over.
 */
export async function* unitPieces(
  device: BlockDevice,
  { offset, length }: ByteRange,
  unitSize: number,
  isReadAround = false,
): AsyncGenerator<UnitPiece, void, void> {
  const { blockSize } = device
  const pieceSize = PIECE_SIZE - (PIECE_SIZE % unitSize)
  const buffer = new Uint8Array(Math.min(pieceSize, length) + 2 * blockSize)
  for (let start = offset; start < offset + length; start += pieceSize) {
    const end = Math.min(start + pieceSize, offset + length)
    const blockStart = start - (start % blockSize)
    const blocks = buffer.subarray(0, Math.ceil((end - blockStart) / blockSize) * blockSize)
    let bad: readonly BadRange[] = []
    if (isReadAround) bad = await readAround(device, blockStart, blocks)
    else await device.read(blockStart, blocks)
    yield { offset: start, bytes: blocks.subarray(start - blockStart, end - blockStart), bad }
  }
}
