import type { BlockDevice } from "./block-device.ts"
import { RangeLock } from "./range-lock.ts"

const PIECE_SIZE = 256 * 1024

/** A device by the byte. It does not own the device: closing stays with whoever opened it. */
export interface ByteAccess {
  /** A fresh array of `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Writes any number of bytes anywhere; blocks that are covered in part are read, changed and written. */
  write(offset: number, data: Uint8Array): Promise<void>
  /** The bytes of a range, the whole device if not given, in pieces of at most 256 KiB, read as they are asked for. */
  readable(range?: {
    readonly offset?: number | undefined
    readonly length?: number | undefined
  }): ReadableStream<Uint8Array>
  /** Writes what it is given from `offset` on, and flushes the device when closed. */
  writable(offset?: number): WritableStream<Uint8Array>
}

/** One lock a device: two accesses to it must not undo each other's half of a block. */
const locks = new WeakMap<BlockDevice, RangeLock>()

/**
 * Any offset and length on a device of blocks.
 *
 * Guarantee: writes through `bytes` of one device order each other, so no part of a block is lost between them.
 * Writes that go to the device directly, past this function, do not take part in that.
 *
 * @throws RangeError beyond the end of the device.
 */
export function bytes(device: BlockDevice): ByteAccess {
  const lock = locks.get(device) ?? new RangeLock()
  locks.set(device, lock)
  const floor = (position: number) => position - (position % device.blockSize)
  const ceiling = (position: number) => floor(position + device.blockSize - 1)

  async function read(offset: number, length: number): Promise<Uint8Array> {
    checkBytes(device, offset, length)
    const start = floor(offset)
    const blocks = new Uint8Array(ceiling(offset + length) - start)
    await device.read(start, blocks)
    return blocks.subarray(offset - start, offset - start + length)
  }

  /** Changes the bytes of one block. Held by the lock of the whole write. */
  async function patchBlock(offset: number, data: Uint8Array): Promise<void> {
    const start = floor(offset)
    const block = new Uint8Array(device.blockSize)
    await device.read(start, block)
    block.set(data, offset - start)
    await device.write(start, block)
  }

  async function writeParts(offset: number, data: Uint8Array): Promise<void> {
    const end = offset + data.length
    const wholeStart = Math.min(ceiling(offset), end)
    const wholeEnd = Math.max(floor(end), wholeStart)
    if (wholeStart > offset) await patchBlock(offset, data.subarray(0, wholeStart - offset))
    if (wholeEnd > wholeStart) await device.write(wholeStart, data.subarray(wholeStart - offset, wholeEnd - offset))
    if (end > wholeEnd) await patchBlock(wholeEnd, data.subarray(wholeEnd - offset))
  }

  async function write(offset: number, data: Uint8Array): Promise<void> {
    checkBytes(device, offset, data.length)
    if (data.length === 0) return
    const start = floor(offset)
    await lock.hold([{ offset: start, length: ceiling(offset + data.length) - start }], "exclusive", () =>
      writeParts(offset, data),
    )
  }

  return {
    read,
    write,
    readable({ offset = 0, length = device.size - offset } = {}) {
      checkBytes(device, offset, length)
      let position = offset
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            // Pieces end on multiples of their size, so that all but the first and the last are whole blocks.
            const end = Math.min(offset + length, position - (position % PIECE_SIZE) + PIECE_SIZE)
            if (end > position) controller.enqueue(await read(position, end - position))
            position = end
            if (position === offset + length) controller.close()
          },
        },
        { highWaterMark: 0 },
      )
    },
    writable(offset = 0) {
      checkBytes(device, offset, 0)
      let position = offset
      return new WritableStream<Uint8Array>({
        async write(chunk) {
          await write(position, chunk)
          position += chunk.length
        },
        close: () => device.flush(),
      })
    },
  }
}

function checkBytes(device: BlockDevice, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > device.size
  ) {
    throw new RangeError(`bytes: expected a range inside ${device.size} bytes, got ${length} from offset ${offset}`)
  }
}
