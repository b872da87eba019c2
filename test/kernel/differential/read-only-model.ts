import type { BlockDevice } from "@blockstrata/device"
import type { Step, StepOutcome } from "./case.ts"
import { readAll } from "./read-all.ts"

/** What a volume that is only read here would hold after the writes that Linux does. */
export class ReadOnlyModel {
  readonly #content: Uint8Array
  readonly #bad: Set<number>
  readonly #blockSize: number

  private constructor(content: Uint8Array, badOffsets: readonly number[], blockSize: number) {
    this.#content = content
    this.#bad = new Set(badOffsets)
    this.#blockSize = blockSize
  }

  static async of(device: BlockDevice): Promise<ReadOnlyModel> {
    const { content, badOffsets } = await readAll(device)
    return new ReadOnlyModel(content, badOffsets, device.blockSize)
  }

  run(step: Step, pool: Uint8Array): StepOutcome {
    if (step.kind === "read") {
      const end = step.offset + step.length
      const badOffsets = [...this.#bad]
        .filter((offset) => offset >= step.offset && offset < end)
        .sort((left, right) => left - right)
      return { kind: "read", content: this.#content.slice(step.offset, end), badOffsets }
    }
    if (step.kind === "write") {
      this.#content.set(pool.subarray(step.poolOffset, step.poolOffset + step.length), step.offset)
      this.#heal(step)
    } else if (step.kind === "zero") {
      this.#content.fill(0, step.offset, step.offset + step.length)
      this.#heal(step)
    } else if (step.kind === "discard") throw new TypeError("what a discarded block holds is not known")
    return { kind: "done" }
  }

  #heal({ offset, length }: { readonly offset: number; readonly length: number }): void {
    for (let at = offset; at < offset + length; at += this.#blockSize) this.#bad.delete(at)
  }
}
