import { type BlockDevice, BlockError, defineDevice, type Operation, type TableWord } from "@blockstrata/device"

export interface ErrorOptions {
  /** Bytes; a multiple of `blockSize`. */
  readonly size: number
  /** Bytes; 512 if not given. */
  readonly blockSize?: number | undefined
}

/**
 * A device on which all I/O fails: a hole in a table of several lines.
 *
 * Promises: every read and write fails with `IO` over its whole range; a flush has nothing to do and succeeds.
 * Does not promise: discard, which is absent, as in the kernel (6.1).
 * Attacks that remain: none; nothing lies below.
 *
 * Source: Linux, dm-target.c.
 */
export function errorTarget({ size, blockSize = 512 }: ErrorOptions): BlockDevice {
  async function fail(operation: Operation, offset: number, length: number): Promise<void> {
    throw new BlockError("IO", `error: ${operation} fails at offset ${offset}, as everything here`, { offset, length })
  }
  return defineDevice({
    name: "error",
    size,
    blockSize,
    features: { write: true },
    read: (offset, buffer) => fail("read", offset, buffer.length),
    write: (offset, data) => fail("write", offset, data.length),
    writeZeroes: (offset, length) => fail("writeZeroes", offset, length),
    async flush() {},
  })
}

/** What a line said: the kernel takes any arguments and forgets them. */
export type ErrorLine = Readonly<Record<string, never>>

/** `error` in a table. */
export const errorWord: TableWord<ErrorLine> = {
  word: "error",
  parse: () => ({}),
  print: () => [],
  operands: () => [],
  open: async (_line, context) => errorTarget({ size: context.size }),
}
