import { type BlockDevice, BlockError, type ByteRange } from "@blockstrata/device"
import type { JournalLayout } from "./layout.ts"

/**
 * dm-integrity bitmap: which regions may hold blocks that do not match their tags. It takes the journal area from its
 * first byte on while the superblock says dirty bitmap, and is read and written in pages of 4096 bytes.
 *
 * | bit                  | region                                                                     |
 * | n: n mod 8 of n / 8  | bytes n * `regionBytes` ... (n + 1) * `regionBytes` - 1 of the volume       |
 *
 * What stands behind the last bit of the last page is no part of it, and is kept.
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with what Linux 6.1 leaves after a crash.
 */
export class Bitmap {
  /** Whole pages, as on the medium. */
  readonly bytes: Uint8Array
  /** Bytes of the volume that one bit stands for. */
  readonly regionBytes: number
  readonly bitCount: number

  /**
   * @param volumeBytes of data, of which the last region may be a part.
   * @throws BlockError `UNSUPPORTED` for one of more than 64 MiB.
   */
  constructor(volumeBytes: number, regionBytes: number) {
    const size = bitmapSize(volumeBytes, regionBytes)
    if (size > BITMAP_SIZE_MAX)
      throw new BlockError("UNSUPPORTED", `integrity: not built yet: a bitmap of ${size} bytes`, { operation: "open" })
    this.regionBytes = regionBytes
    this.bitCount = Math.ceil(volumeBytes / regionBytes)
    this.bytes = new Uint8Array(size)
  }

  /** Whether every region of the range is marked. */
  isMarked({ offset, length }: ByteRange): boolean {
    const first = Math.floor(offset / this.regionBytes)
    return !this.#hasBit(first) ? false : this.#runEnd(first) * this.regionBytes >= offset + length
  }

  /** Marks every region that the range touches. */
  mark({ offset, length }: ByteRange): void {
    this.#fill(Math.floor(offset / this.regionBytes), Math.ceil((offset + length) / this.regionBytes), true)
  }

  clear(): void {
    this.#fill(0, this.bitCount, false)
  }

  /** The range, cut where marked regions begin and end: ascending, without gaps. */
  *runs({ offset, length }: ByteRange): Generator<ByteRange & { readonly isMarked: boolean }> {
    const end = offset + length
    for (let at = offset; at < end; ) {
      const first = Math.floor(at / this.regionBytes)
      const stop = Math.min(end, this.#runEnd(first) * this.regionBytes)
      yield { offset: at, length: stop - at, isMarked: this.#hasBit(first) }
      at = stop
    }
  }

  copy(): Bitmap {
    const copy = new Bitmap(this.bitCount * this.regionBytes, this.regionBytes)
    copy.bytes.set(this.bytes)
    return copy
  }

  /** The pages that hold the bits of the range. */
  *pagesOf({ offset, length }: ByteRange): Generator<number> {
    const pageOf = (at: number) => Math.floor(Math.floor(at / this.regionBytes) / 8 / BITMAP_PAGE_SIZE)
    for (let page = pageOf(offset); page <= pageOf(offset + length - 1); page++) yield page
  }

  /** The pages that are not the same in a bitmap of the same size. */
  *pagesThatDiffer(other: Bitmap): Generator<number> {
    for (let page = 0; page * BITMAP_PAGE_SIZE < this.bytes.length; page++) {
      const start = page * BITMAP_PAGE_SIZE
      const isSame = this.bytes
        .subarray(start, start + BITMAP_PAGE_SIZE)
        .every((byte, at) => byte === other.bytes[start + at])
      if (!isSame) yield page
    }
  }

  #hasBit(bit: number): boolean {
    return Math.floor((this.bytes[Math.floor(bit / 8)] ?? 0) / 2 ** (bit % 8)) % 2 === 1
  }

  /** The bit behind the last one of a run of equal bits; whole bytes are passed as such. */
  #runEnd(first: number): number {
    const isMarked = this.#hasBit(first)
    const whole = isMarked ? 0xff : 0
    let end = first + 1
    while (end < this.bitCount && this.#hasBit(end) === isMarked)
      end += end % 8 === 0 && this.bytes[end / 8] === whole ? 8 : 1
    return Math.min(end, this.bitCount)
  }

  #fill(first: number, end: number, isMarked: boolean): void {
    const setBit = (bit: number) => {
      const index = Math.floor(bit / 8)
      const mask = 2 ** (bit % 8)
      this.bytes[index] = isMarked ? this.bytes[index]! | mask : this.bytes[index]! & ~mask
    }
    const [firstByte, endByte] = [Math.ceil(first / 8), Math.floor(end / 8)]
    if (firstByte > endByte) {
      for (let bit = first; bit < end; bit++) setBit(bit)
      return
    }
    for (let bit = first; bit < firstByte * 8; bit++) setBit(bit)
    this.bytes.fill(isMarked ? 0xff : 0, firstByte, endByte)
    for (let bit = endByte * 8; bit < end; bit++) setBit(bit)
  }
}

export const BITMAP_PAGE_SIZE = 4096
/** It is kept in memory, more than once: a superblock may claim one of terabytes. With 4096 bytes a bit, those of 2 TiB. */
const BITMAP_SIZE_MAX = 64 * 1024 * 1024

/** Bytes of the pages that a bitmap takes. */
export function bitmapSize(volumeBytes: number, regionBytes: number): number {
  return Math.ceil(Math.ceil(volumeBytes / regionBytes) / 8 / BITMAP_PAGE_SIZE) * BITMAP_PAGE_SIZE
}

/**
 * Reads the pages of a bitmap, whatever they hold.
 *
 * @throws BlockError `CORRUPT` if they do not fit into the journal area: that is checked before anything is allocated.
 */
export async function readBitmap(
  metadata: BlockDevice,
  journal: JournalLayout,
  volumeBytes: number,
  regionBytes: number,
): Promise<Bitmap> {
  const size = bitmapSize(volumeBytes, regionBytes)
  const room = journal.sectionCount * journal.sectionBytes
  if (size > room)
    throw new BlockError("CORRUPT", `integrity: a bitmap of ${size} bytes in a journal area of ${room}`, {
      operation: "open",
    })
  const bitmap = new Bitmap(volumeBytes, regionBytes)
  await metadata.read(journal.offset, bitmap.bytes)
  return bitmap
}
