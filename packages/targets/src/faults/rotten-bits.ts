import type { ByteRange } from "@blockstrata/device"

/** Bits that turned over on the medium and stay so until they are written again. */
export class RottenBits {
  /** By the offset of the byte: which of its bits. */
  readonly #masks = new Map<number, number>()

  /** Turns over one bit, 0 to 7. The same bit twice is good again. */
  rot(offset: number, bit: number): void {
    const mask = (this.#masks.get(offset) ?? 0) ^ (1 << bit)
    if (mask === 0) this.#masks.delete(offset)
    else this.#masks.set(offset, mask)
  }

  /** What was read at `offset`, as it has become. */
  apply(offset: number, buffer: Uint8Array): void {
    for (const [at, mask] of this.#masks) {
      const index = at - offset
      if (index >= 0 && index < buffer.length) buffer[index] = (buffer[index] ?? 0) ^ mask
    }
  }

  /** The range was written, or given up. */
  mend({ offset, length }: ByteRange): void {
    for (const at of this.#masks.keys()) if (at >= offset && at < offset + length) this.#masks.delete(at)
  }

  clear(): void {
    this.#masks.clear()
  }
}
