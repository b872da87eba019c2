import { CRC_TABLES, type CrcName } from "./crc-tables.ts"
import type { HashBatch } from "./engine.ts"
import { type CrcKernel, loadCrcKernel } from "./kernel/crc-kernel.ts"
import type { Kernels } from "./kernel/kernels.ts"
import type { UnitDigest } from "./unit-hash.ts"

const DIGEST_SIZE = 4
/**
 * What a state starts with, and what the last one is XORed with. CRC32C: all ones, RFC 3720, B.4. CRC32 as the Linux crypto
 * API has it: nothing, so that it is not the checksum of Ethernet and zip, though its polynomial is.
 */
const EDGES: Readonly<Record<CrcName, number>> = { crc32c: 0xffffffff, crc32: 0 }

/** The checksum of this name, little-endian as Linux stores it. */
export function crcDigest(name: CrcName, kernels?: Kernels): UnitDigest {
  const kernel = kernels && loadCrcKernel[name](kernels)
  const edge = EDGES[name]
  const tables = CRC_TABLES[name]
  return {
    digestSize: DIGEST_SIZE,
    digestInto(parts, target) {
      let state = edge
      for (const part of parts) state = update(tables, state, part)
      new DataView(target.buffer, target.byteOffset, DIGEST_SIZE).setUint32(0, (state ^ edge) >>> 0, true)
    },
    digestPiece: kernel && ((piece, digests) => digestByKernel(kernel, tables, edge, piece, digests)),
    destroy: () => kernels?.wipe(),
  }
}

/** All units at once, part after part. */
function digestByKernel(
  kernel: CrcKernel,
  tables: Uint32Array,
  edge: number,
  { data, prefix, heads, suffix }: HashBatch,
  digests: Uint8Array,
): void {
  const view = new DataView(digests.buffer, digests.byteOffset, digests.length)
  const unitCount = digests.length / DIGEST_SIZE
  const states = kernel.start(prefix === undefined ? edge : update(tables, edge, prefix), unitCount)
  if (heads !== undefined) kernel.extendEach(heads)
  kernel.extendEach(data)
  if (suffix !== undefined) kernel.extendAll(suffix)
  for (let index = 0; index < unitCount; index++)
    view.setUint32(index * DIGEST_SIZE, (states[index]! ^ edge) >>> 0, true)
}

/** The state after more bytes, eight at a step. */
function update(tables: Uint32Array, initial: number, bytes: Uint8Array): number {
  let state = initial
  let index = 0
  for (; index + 8 <= bytes.length; index += 8) {
    state =
      tables[0x700 + ((state ^ bytes[index]!) & 0xff)]! ^
      tables[0x600 + (((state >>> 8) ^ bytes[index + 1]!) & 0xff)]! ^
      tables[0x500 + (((state >>> 16) ^ bytes[index + 2]!) & 0xff)]! ^
      tables[0x400 + ((state >>> 24) ^ bytes[index + 3]!)]! ^
      tables[0x300 + bytes[index + 4]!]! ^
      tables[0x200 + bytes[index + 5]!]! ^
      tables[0x100 + bytes[index + 6]!]! ^
      tables[bytes[index + 7]!]!
  }
  for (; index < bytes.length; index++) state = (state >>> 8) ^ tables[(state ^ bytes[index]!) & 0xff]!
  return state
}
