import { CRC_TABLES } from "./crc32c-tables.ts"
import type { HashBatch } from "./engine.ts"
import { type Crc32cKernel, loadCrc32cKernel } from "./kernel/crc32c-kernel.ts"
import type { Kernels } from "./kernel/kernels.ts"
import type { UnitDigest } from "./unit-hash.ts"

const DIGEST_SIZE = 4
const INITIAL_STATE = 0xffffffff

/** CRC32C: initial value and final XOR all ones, digest little-endian as Linux stores it. RFC 3720, B.4. */
export function crc32cDigest(kernels?: Kernels): UnitDigest {
  const kernel = kernels && loadCrc32cKernel(kernels)
  return {
    digestSize: DIGEST_SIZE,
    digestInto(parts, target) {
      let state = INITIAL_STATE
      for (const part of parts) state = update(state, part)
      new DataView(target.buffer, target.byteOffset, DIGEST_SIZE).setUint32(0, ~state >>> 0, true)
    },
    digestPiece: kernel && ((piece, digests) => digestByKernel(kernel, piece, digests)),
    destroy: () => kernels?.wipe(),
  }
}

/** All units at once, part after part. */
function digestByKernel(kernel: Crc32cKernel, { data, prefix, heads, suffix }: HashBatch, digests: Uint8Array): void {
  const view = new DataView(digests.buffer, digests.byteOffset, digests.length)
  const unitCount = digests.length / DIGEST_SIZE
  const initial = prefix === undefined ? INITIAL_STATE : update(INITIAL_STATE, prefix)
  const states = kernel.start(initial, unitCount)
  if (heads !== undefined) kernel.extendEach(heads)
  kernel.extendEach(data)
  if (suffix !== undefined) kernel.extendAll(suffix)
  for (let index = 0; index < unitCount; index++) view.setUint32(index * DIGEST_SIZE, ~states[index]! >>> 0, true)
}

/** The state after more bytes, eight at a step. */
function update(initial: number, bytes: Uint8Array): number {
  let state = initial
  let index = 0
  for (; index + 8 <= bytes.length; index += 8) {
    state =
      CRC_TABLES[0x700 + ((state ^ bytes[index]!) & 0xff)]! ^
      CRC_TABLES[0x600 + (((state >>> 8) ^ bytes[index + 1]!) & 0xff)]! ^
      CRC_TABLES[0x500 + (((state >>> 16) ^ bytes[index + 2]!) & 0xff)]! ^
      CRC_TABLES[0x400 + ((state >>> 24) ^ bytes[index + 3]!)]! ^
      CRC_TABLES[0x300 + bytes[index + 4]!]! ^
      CRC_TABLES[0x200 + bytes[index + 5]!]! ^
      CRC_TABLES[0x100 + bytes[index + 6]!]! ^
      CRC_TABLES[bytes[index + 7]!]!
  }
  for (; index < bytes.length; index++) state = (state >>> 8) ^ CRC_TABLES[(state ^ bytes[index]!) & 0xff]!
  return state
}
