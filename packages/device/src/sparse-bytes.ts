import type { BlockStatus } from "./block-device.ts"

/** Memory that a device reads and writes. Ranges are checked by the caller. */
export interface ByteStore {
  read(offset: number, buffer: Uint8Array): void
  write(offset: number, data: Uint8Array): void
  /** Zeroes a range and gives up its memory where it can. */
  clear(offset: number, length: number): void
  status(offset: number, length: number): BlockStatus[]
}

const CHUNK_SIZE = 64 * 1024

/** Bytes that take memory only where something was written, in chunks of 64 KiB. */
export function sparseBytes(): ByteStore {
  const chunks = new Map<number, Uint8Array>()

  /** Calls back for each part of the range that lies in one chunk. */
  function eachPart(
    offset: number,
    length: number,
    visit: (chunkIndex: number, start: number, from: number, to: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const position = offset + done
      const chunkIndex = Math.floor(position / CHUNK_SIZE)
      const start = position - chunkIndex * CHUNK_SIZE
      const to = Math.min(length, done + CHUNK_SIZE - start)
      visit(chunkIndex, start, done, to)
      done = to
    }
  }

  /** Ascending; the cost is that of what is allocated, not of the range. */
  function allocatedChunks(offset: number, length: number): number[] {
    const first = Math.floor(offset / CHUNK_SIZE)
    const end = Math.ceil((offset + length) / CHUNK_SIZE)
    return [...chunks.keys()].filter((chunkIndex) => chunkIndex >= first && chunkIndex < end).sort((a, b) => a - b)
  }

  return {
    read(offset, buffer) {
      eachPart(offset, buffer.length, (chunkIndex, start, from, to) => {
        const chunk = chunks.get(chunkIndex)
        if (chunk === undefined) buffer.fill(0, from, to)
        else buffer.set(chunk.subarray(start, start + to - from), from)
      })
    },
    write(offset, data) {
      eachPart(offset, data.length, (chunkIndex, start, from, to) => {
        let chunk = chunks.get(chunkIndex)
        if (chunk === undefined) {
          chunk = new Uint8Array(CHUNK_SIZE)
          chunks.set(chunkIndex, chunk)
        }
        chunk.set(data.subarray(from, to), start)
      })
    },
    clear(offset, length) {
      for (const chunkIndex of allocatedChunks(offset, length)) {
        const start = Math.max(offset - chunkIndex * CHUNK_SIZE, 0)
        const end = Math.min(offset + length - chunkIndex * CHUNK_SIZE, CHUNK_SIZE)
        if (end - start === CHUNK_SIZE) chunks.delete(chunkIndex)
        else chunks.get(chunkIndex)?.fill(0, start, end)
      }
    },
    status(offset, length) {
      const ranges: BlockStatus[] = []
      const append = (end: number, kind: BlockStatus["kind"]) => {
        const last = ranges.at(-1)
        const start = last === undefined ? offset : last.offset + last.length
        if (last?.kind === kind) ranges[ranges.length - 1] = { ...last, length: end - last.offset }
        else if (end > start) ranges.push({ offset: start, length: end - start, kind })
      }
      for (const chunkIndex of allocatedChunks(offset, length)) {
        append(Math.max(chunkIndex * CHUNK_SIZE, offset), "hole")
        append(Math.min((chunkIndex + 1) * CHUNK_SIZE, offset + length), "allocated")
      }
      append(offset + length, "hole")
      return ranges
    },
  }
}

/** The caller's own bytes: what is written to the device stands in them. */
export function wholeBytes(bytes: Uint8Array): ByteStore {
  return {
    read: (offset, buffer) => buffer.set(bytes.subarray(offset, offset + buffer.length)),
    write: (offset, data) => bytes.set(data, offset),
    clear: (offset, length) => void bytes.fill(0, offset, offset + length),
    status: (offset, length) => [{ offset, length, kind: "allocated" }],
  }
}
