import { type BlockDevice, BlockError, defineDevice, type TableWord } from "@blockstrata/device"

export interface ZeroOptions {
  /** Bytes; a multiple of `blockSize`. */
  readonly size: number
  /** Bytes; 512 if not given. */
  readonly blockSize?: number | undefined
}

/**
 * A device of zeroes.
 *
 * Promises: every read gives zeroes; every write succeeds and is dropped.
 * Does not promise: to keep anything. Discard is absent, as in the kernel.
 * Attacks that remain: none; nothing lies below.
 *
 * Source: Linux, admin-guide/device-mapper/zero.
 */
export function zeroTarget({ size, blockSize = 512 }: ZeroOptions): BlockDevice {
  return defineDevice({
    name: "zero",
    size,
    blockSize,
    features: { write: true, writeZeroes: true, fua: true, atomicSize: blockSize },
    async read(_offset, buffer) {
      buffer.fill(0)
    },
    async write() {},
    async flush() {},
    async writeZeroes() {},
    async blockStatus(offset, length) {
      return [{ offset, length, kind: "zero" }]
    },
  })
}

/** What a line said: `zero` has no arguments. */
export type ZeroLine = Readonly<Record<string, never>>

/** `zero` in a table. */
export const zeroWord: TableWord<ZeroLine> = {
  word: "zero",
  parse(args) {
    if (args.length > 0) throw new BlockError("INVALID", `zero: expected no arguments, got ${args.length}`)
    return {}
  },
  print: () => [],
  operands: () => [],
  open: async (_line, context) => zeroTarget({ size: context.size }),
}
