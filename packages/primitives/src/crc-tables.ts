/** The checksums by their names in the Linux crypto API. */
export type CrcName = "crc32" | "crc32c"

/** The Castagnoli polynomial 0x1edc6f41, and that of Ethernet, 0x04c11db7: bits reversed. */
const CASTAGNOLI = 0x82f63b78
const ETHERNET = 0xedb88320
/** Bytes that the kernel folds at a time, and between two bytes of a column of them: see assembly/crc.ts. */
const BLOCK_SIZE = 128
const COLUMN_STEP = 32
const COLUMN_SIZE = 4
const COLUMN_BITS = 8 * COLUMN_SIZE

/**
 * The tables of both CRCs: entry k * 256 + b is the CRC, without initial value and final XOR, of the byte b followed by k
 * zero bytes: k < 16.
 */
export const CRC_TABLES: Readonly<Record<CrcName, Uint32Array>> = {
  crc32c: /* @__PURE__ */ createTables(CASTAGNOLI),
  crc32: /* @__PURE__ */ createTables(ETHERNET),
}

function createTables(polynomial: number): Uint32Array {
  const tables = new Uint32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? polynomial : 0)
    tables[byte] = value
  }
  for (let index = 256; index < tables.length; index++) {
    const value = tables[index - 256]!
    tables[index] = (value >>> 8) ^ tables[value & 0xff]!
  }
  return tables
}

/**
 * The kernel's nibble tables for CRC32C: at 128 * p + 16 * n + v byte p of the product for value v of nibble n of a column. A column
 * has 32 bits, and their remainders are independent of each other (they are not with the polynomial of CRC32): so the remainder of each, multiplied by x^1024, is a
 * sum of some of them, and those are the bits of its product.
 */
export function foldTables(): Uint8Array {
  const products = columnProducts()
  const tables = new Uint8Array(COLUMN_SIZE * 128)
  for (let nibble = 0; nibble < 8; nibble++) {
    for (let value = 0; value < 16; value++) {
      let product = 0
      for (let bit = 0; bit < 4; bit++) if ((value & (1 << bit)) !== 0) product ^= products[nibble * 4 + bit]!
      for (let place = 0; place < COLUMN_SIZE; place++)
        tables[128 * place + 16 * nibble + value] = product >>> (8 * place)
    }
  }
  return tables
}

/** For each bit of a column its product, as bits of a column. */
function columnProducts(): readonly number[] {
  const bits = Array.from({ length: COLUMN_BITS }, (_, bit) => bit)
  // By the highest bit of the remainder: a sum of the bits of a column that has it, and which those are. Gauss.
  const pivots: { remainder: number; sum: number }[] = []
  const reduce = (start: number, startSum: number) => {
    let remainder = start
    let sum = startSum
    for (;;) {
      const pivot = pivots[Math.clz32(remainder)]
      if (remainder === 0 || pivot === undefined) return { remainder, sum }
      remainder ^= pivot.remainder
      sum ^= pivot.sum
    }
  }
  for (const bit of bits) {
    const reduced = reduce(remainderOf(bit, 0), 1 << bit)
    pivots[Math.clz32(reduced.remainder)] = reduced
  }
  return bits.map((bit) => reduce(remainderOf(bit, BLOCK_SIZE), 0).sum)
}

/** The remainder of one bit of a column that is followed by as many more zero bytes. */
function remainderOf(bit: number, zeroCount: number): number {
  const place = Math.floor(bit / 8)
  let remainder = CRC_TABLES.crc32c[1 << (bit % 8)]!
  for (let count = COLUMN_STEP * (COLUMN_SIZE - 1 - place) + zeroCount; count > 0; count--) {
    remainder = (remainder >>> 8) ^ CRC_TABLES.crc32c[remainder & 0xff]!
  }
  return remainder
}
