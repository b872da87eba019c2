import type { HashBatch } from "../engine.ts"

/** A digest as a string of one character a byte, which `node:crypto` gives at less than half the cost of a buffer. */
export type TextDigest = (message: Uint8Array) => string

/** Memory of a hash's own in which the message of one unit stands as one piece. */
export interface MessageSlot {
  /** The digests of `unitCount` units, one after the other in one string. */
  digestText(batch: HashBatch, unitCount: number): string
  wipe(): void
}

/** Every message begins with `start`, which is copied. */
export function messageSlot(start: Uint8Array, digest: TextDigest): MessageSlot {
  let memory = new Uint8Array(start)

  function take(size: number): Uint8Array {
    if (memory.length < size) {
      const larger = new Uint8Array(size)
      larger.set(memory.subarray(0, start.length))
      memory.fill(0)
      memory = larger
    }
    return memory.length === size ? memory : memory.subarray(0, size)
  }

  return {
    digestText(batch, unitCount) {
      const { data, unitSize, prefix, suffix, heads } = batch
      // A view of its own: the subarray of a Buffer is slow to make.
      const units = new Uint8Array(data.buffer, data.byteOffset, data.length)
      const headSize = heads === undefined ? 0 : heads.length / unitCount
      const size = start.length + messageSize(batch, unitCount)
      let text = ""
      if (size === unitSize) {
        for (let index = 0; index < unitCount; index++)
          text += digest(units.subarray(index * unitSize, (index + 1) * unitSize))
        return text
      }
      const message = take(size)
      const headStart = start.length + (prefix?.length ?? 0)
      const unitStart = headStart + headSize
      if (prefix !== undefined) message.set(prefix, start.length)
      if (suffix !== undefined) message.set(suffix, unitStart + unitSize)
      for (let index = 0; index < unitCount; index++) {
        if (heads !== undefined) message.set(heads.subarray(index * headSize, (index + 1) * headSize), headStart)
        message.set(units.subarray(index * unitSize, (index + 1) * unitSize), unitStart)
        text += digest(message)
      }
      return text
    },
    wipe: () => void memory.fill(0),
  }
}

/** Bytes that are hashed for each unit. */
export function messageSize({ unitSize, prefix, heads, suffix }: HashBatch, unitCount: number): number {
  const headSize = heads === undefined ? 0 : heads.length / unitCount
  return (prefix?.length ?? 0) + headSize + unitSize + (suffix?.length ?? 0)
}
