import type { Runtime } from "@blockstrata/device"

/** Bytes of a draw: as many as a number holds exactly. */
const DRAW_SIZE = 6

/** Choices drawn from a runtime: a seeded one makes the same choices again. */
export class FaultRandom {
  readonly #runtime: Runtime
  readonly #draw = new Uint8Array(DRAW_SIZE)

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    this.#runtime.fillRandom(this.#draw)
    const fraction = this.#draw.reduce((sum, byte) => (sum + byte) / 256, 0)
    return Math.min(limit - 1, Math.floor(fraction * limit))
  }

  chance(probability: number): boolean {
    return probability >= 1 || this.below(2 ** 32) < probability * 2 ** 32
  }
}
