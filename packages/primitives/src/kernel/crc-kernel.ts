import { CRC_TABLES, type CrcName, foldTables } from "../crc-tables.ts"
import { PIECE_UNIT_COUNT } from "../unit-hash.ts"
import { crcBinary } from "./crc-binary.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** A CRC in WebAssembly: the states of a piece of a batch, which go on with more and more bytes. */
export interface CrcKernel {
  /** As many states, all `initial`; at most `PIECE_UNIT_COUNT`. Gives where they stand until the next start. */
  start(initial: number, unitCount: number): Uint32Array
  /** Each state goes on with its own piece of `pieces`: of equal sizes, and one piece or all of them at most 1 MiB. */
  extendEach(pieces: Uint8Array): void
  /** All states go on with the same bytes. */
  extendAll(bytes: Uint8Array): void
}

/** What assembly/crc.ts exports. Everything is an address. */
interface CrcExports {
  extend(
    states: number,
    count: number,
    source: number,
    size: number,
    stride: number,
    tables: number,
    scratch: number,
    isFolding: number,
  ): void
}

const CRC_TABLES_SIZE: number = 16 * 256 * 4
const FOLD_TABLES_SIZE = 512
/** Two units of this size take every path: folds and all steps of lookups. Byte i of the two is (167 i + 13) mod 256. */
const KNOWN_UNIT_SIZE = 300
const KNOWN_STATES: Readonly<Record<CrcName, readonly number[]>> = {
  crc32c: [0x7b330fc4, 0x9a6030e3],
  crc32: [0x86c0a185, 0x6333341f],
}

/** The kernel, once it gave the known answer; `undefined` if it did not, and then the checksum is made without it. */
export const loadCrcKernel: Readonly<Record<CrcName, (kernels: Kernels) => CrcKernel | undefined>> = {
  crc32c: /* @__PURE__ */ oncePerEngine((kernels) => createChecked(kernels, "crc32c")),
  crc32: /* @__PURE__ */ oncePerEngine((kernels) => createChecked(kernels, "crc32")),
}

function createChecked(kernels: Kernels, name: CrcName): CrcKernel | undefined {
  const kernel = createKernel(kernels, name)
  return kernel && hasKnownAnswer(kernel, KNOWN_STATES[name]) ? kernel : undefined
}

function createKernel(kernels: Kernels, name: CrcName): CrcKernel | undefined {
  const { bytes, work } = kernels
  const tables = kernels.reserve(CRC_TABLES_SIZE + FOLD_TABLES_SIZE)
  if (tables < 0) return undefined
  new Uint32Array(bytes.buffer, tables).set(CRC_TABLES[name])
  const isFolding = name === "crc32c"
  if (isFolding) bytes.set(foldTables(), tables + CRC_TABLES_SIZE)
  const { extend } = kernels.load(crcBinary) as unknown as CrcExports
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
      extend(states, unitCount, place(chunk), chunk.length, 0, tables, scratch, Number(isFolding))
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
      extend(states, unitCount, place(pieces), size, size, tables, scratch, Number(isFolding))
    },
    extendAll,
  }
}

function hasKnownAnswer(kernel: CrcKernel, knownStates: readonly number[]): boolean {
  const states = kernel.start(0xffffffff, knownStates.length)
  kernel.extendEach(Uint8Array.from({ length: knownStates.length * KNOWN_UNIT_SIZE }, (_, index) => 167 * index + 13))
  return knownStates.every((state, index) => states[index] === state)
}
