/** A number that depends on everything that it was given, in its order. Two runs that differ in anything differ in it. */
export class EventHash {
  #high = 0x811c9dc5
  #low = 0x9e3779b9

  add(value: number): void {
    // Times have fractions: both halves of the number count.
    const whole = Math.floor(value)
    this.#word(whole % 2 ** 32)
    this.#word(Math.floor(whole / 2 ** 32))
    this.#word(Math.floor((value - whole) * 2 ** 32))
  }

  addText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#word(text.charCodeAt(index))
  }

  addBytes(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return this.#word(0x100)
    for (const byte of bytes) this.#word(byte)
  }

  /** 16 hex digits. */
  digest(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
  }

  #word(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193)
    this.#low = Math.imul((this.#low + word) ^ (this.#low >>> 15), 0x2c1b3c6d)
  }
}
