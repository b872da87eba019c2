import type { UnitDigest } from "./unit-hash.ts"

/** The Castagnoli polynomial 0x1edc6f41, bits reversed. */
const POLYNOMIAL = 0x82f63b78
const DIGEST_SIZE = 4
/** Entry k * 256 + b is the CRC of the byte b followed by k zero bytes: eight such tables take eight bytes at a step. */
const TABLES: Uint32Array = /* @__PURE__ */ createTables()

/** CRC32C: initial value and final XOR all ones, digest little-endian as Linux stores it. RFC 3720, B.4. */
export const crc32cDigest: UnitDigest = {
  digestSize: DIGEST_SIZE,
  digestInto(parts, target) {
    let state = 0xffffffff
    for (const part of parts) state = update(state, part)
    new DataView(target.buffer, target.byteOffset, DIGEST_SIZE).setUint32(0, ~state >>> 0, true)
  },
  destroy() {},
}

function createTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? POLYNOMIAL : 0)
    tables[byte] = value
  }
  for (let index = 256; index < tables.length; index++) {
    const value = tables[index - 256]!
    tables[index] = (value >>> 8) ^ tables[value & 0xff]!
  }
  return tables
}

function update(initial: number, bytes: Uint8Array): number {
  let state = initial
  let index = 0
  for (; index + 8 <= bytes.length; index += 8) {
    state =
      TABLES[0x700 + ((state ^ bytes[index]!) & 0xff)]! ^
      TABLES[0x600 + (((state >>> 8) ^ bytes[index + 1]!) & 0xff)]! ^
      TABLES[0x500 + (((state >>> 16) ^ bytes[index + 2]!) & 0xff)]! ^
      TABLES[0x400 + ((state >>> 24) ^ bytes[index + 3]!)]! ^
      TABLES[0x300 + bytes[index + 4]!]! ^
      TABLES[0x200 + bytes[index + 5]!]! ^
      TABLES[0x100 + bytes[index + 6]!]! ^
      TABLES[bytes[index + 7]!]!
  }
  for (; index < bytes.length; index++) state = (state >>> 8) ^ TABLES[(state ^ bytes[index]!) & 0xff]!
  return state
}
