import { CRC_TABLES, foldTables } from "../crc32c-tables.ts"
import { PIECE_UNIT_COUNT } from "../unit-hash.ts"
import { crc32cBinary } from "./crc32c-binary.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** CRC32C in WebAssembly: the states of a piece of a batch, which go on with more and more bytes. */
export interface Crc32cKernel {
  /** As many states, all `initial`; at most `PIECE_UNIT_COUNT`. Gives where they stand until the next start. */
  start(initial: number, unitCount: number): Uint32Array
  /** Each state goes on with its own piece of `pieces`: of equal sizes, and one piece or all of them at most 1 MiB. */
  extendEach(pieces: Uint8Array): void
  /** All states go on with the same bytes. */
  extendAll(bytes: Uint8Array): void
}

/** What assembly/crc32c.ts exports. Everything is an address. */
interface Crc32cExports {
  extend(
    states: number,
    count: number,
    source: number,
    size: number,
    stride: number,
    tables: number,
    scratch: number,
  ): void
}

const CRC_TABLES_SIZE: number = 16 * 256 * 4
const FOLD_TABLES_SIZE = 512
/** Two units of this size take every path: folds and all steps of lookups. Byte i of the two is (167 i + 13) mod 256. */
const KNOWN_UNIT_SIZE = 300
const KNOWN_STATES: readonly number[] = [0x7b330fc4, 0x9a6030e3]

/** The kernel, once it gave the known answer; `undefined` if it did not, and then the checksum is made without it. */
export const loadCrc32cKernel: (kernels: Kernels) => Crc32cKernel | undefined = oncePerEngine((kernels) => {
  const kernel = createKernel(kernels)
  return kernel && hasKnownAnswer(kernel) ? kernel : undefined
})

function createKernel(kernels: Kernels): Crc32cKernel | undefined {
  const { bytes, work } = kernels
  const tables = kernels.reserve(CRC_TABLES_SIZE + FOLD_TABLES_SIZE)
  if (tables < 0) return undefined
  new Uint32Array(bytes.buffer, tables).set(CRC_TABLES)
  bytes.set(foldTables(), tables + CRC_TABLES_SIZE)
  const { extend } = kernels.load(crc32cBinary) as unknown as Crc32cExports
  const states = work + WORK_HALF_SIZE
  const scratch = states + PIECE_UNIT_COUNT * 4
  const stateWords = new Uint32Array(bytes.buffer, states, PIECE_UNIT_COUNT)
  let unitCount = 0

  /** Where the bytes are in the kernels' memory: at most a MiB comes by way of the work area. */
  function place(part: Uint8Array): number {
    const address = kernels.addressOf(part)
    if (address < 0) bytes.set(part, work)
    return address < 0 ? work : address
  }

  function extendAll(part: Uint8Array): void {
    for (let done = 0; done < part.length; done += WORK_HALF_SIZE) {
      const chunk = part.subarray(done, done + WORK_HALF_SIZE)
      extend(states, unitCount, place(chunk), chunk.length, 0, tables, scratch)
    }
  }

  return {
    start(initial, count) {
      unitCount = count
      stateWords.fill(initial, 0, count)
      return stateWords
    },
    extendEach(pieces) {
      if (unitCount === 1) return extendAll(pieces)
      const size = pieces.length / unitCount
      extend(states, unitCount, place(pieces), size, size, tables, scratch)
    },
    extendAll,
  }
}

function hasKnownAnswer(kernel: Crc32cKernel): boolean {
  const states = kernel.start(0xffffffff, KNOWN_STATES.length)
  kernel.extendEach(Uint8Array.from({ length: KNOWN_STATES.length * KNOWN_UNIT_SIZE }, (_, index) => 167 * index + 13))
  return KNOWN_STATES.every((state, index) => states[index] === state)
}
