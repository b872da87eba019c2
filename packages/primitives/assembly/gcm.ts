// GCM over batches of units: what lies around the block cipher. NIST SP 800-38D.
//
// GHASH runs on sixteen units side by side: one vector holds the same byte of all of them, and a product with the hash
// key is looked up in vectors of sixteen bytes (`i8x16.swizzle`), by the nibbles of the other factor. The loads are the
// same whatever the values are: no secret chooses an address or a branch.

/**
 * The first counter block of every unit, one after the other: its 12-byte IV, then 1. After them the counter blocks of
 * the data, `blockCount` per unit, from 2 on (7.1).
 */
export function counters(to: usize, ivs: usize, blockCount: u32, unitCount: usize): void {
  let data = to + unitCount * 16
  for (; unitCount > 0; unitCount--) {
    const iv = v128.load(ivs)
    v128.store(to, i32x4.replace_lane(iv, 3, bswap<i32>(1)))
    for (let block: u32 = 0; block < blockCount; block++) {
      v128.store(data, i32x4.replace_lane(iv, 3, <i32>bswap<u32>(block + 2)))
      data += 16
    }
    to += 16
    ivs += 12
  }
}

/** The last block that GHASH takes of every unit: the lengths of AAD and ciphertext in bits, big-endian (7.1). */
export function lengths(to: usize, stride: usize, aadSize: u32, unitSize: u32, unitCount: usize): void {
  for (; unitCount > 0; unitCount--) {
    store<u64>(to, bswap<u64>(<u64>aadSize * 8))
    store<u64>(to, bswap<u64>(<u64>unitSize * 8), 8)
    to += stride
  }
}

/** Bytes of sixteen vectors: a byte matrix of 16 x 16. */
const MATRIX: usize = 256

// @ts-ignore: decorator
@inline
function interleaveLow(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

// @ts-ignore: decorator
@inline
function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** One of the four perfect shuffles that together transpose a matrix: row r comes from `from + r * stride`. */
// @ts-ignore: decorator
@inline
function shuffleRows(to: usize, from: usize, stride: usize): void {
  for (let row: usize = 0; row < 8; row++) {
    const upper = v128.load(from + row * stride)
    const lower = v128.load(from + (row + 8) * stride)
    v128.store(to + row * 32, interleaveLow(upper, lower))
    v128.store(to + row * 32, interleaveHigh(upper, lower), 16)
  }
}

/** The transposed matrix of rows at `from + r * stride`, at `to`; `spare` is another matrix of scratch. */
function transpose(to: usize, from: usize, stride: usize, spare: usize): void {
  shuffleRows(spare, from, stride)
  shuffleRows(to, spare, 16)
  shuffleRows(spare, to, 16)
  shuffleRows(to, spare, 16)
}

/**
 * Fills `tables` (32 matrices, 8 KiB) for the hash key at `hashKey`: vector b of matrix p holds byte b of the products
 * of the key with the sixteen values of nibble p. Nibble 0 is the upper one of byte 0. `scratch`: two matrices.
 */
export function prepare(tables: usize, hashKey: usize, scratch: usize): void {
  // Bit 7 of byte 0 is the coefficient of x^0 (6.3).
  let high = bswap<u64>(load<u64>(hashKey))
  let low = bswap<u64>(load<u64>(hashKey, 8))
  for (let nibble: usize = 0; nibble < 32; nibble++) {
    v128.store(scratch, i64x2(0, 0))
    for (let bit: usize = 8; bit > 0; bit >>= 1) {
      store<u64>(scratch + bit * 16, bswap<u64>(high))
      store<u64>(scratch + bit * 16, bswap<u64>(low), 8)
      const reduction = (0 - (low & 1)) & ((<u64>0xe1) << 56)
      low = (low >> 1) | (high << 63)
      high = (high >> 1) ^ reduction
    }
    for (let bit: usize = 2; bit < 16; bit <<= 1) {
      for (let rest: usize = 1; rest < bit; rest++) {
        const sum = v128.xor(v128.load(scratch + bit * 16), v128.load(scratch + rest * 16))
        v128.store(scratch + (bit + rest) * 16, sum)
      }
    }
    transpose(tables + nibble * MATRIX, scratch, 16, scratch + MATRIX)
  }
}

/** Eight bytes of sixteen products: `nibbles` holds 32 vectors of nibbles of the other factors. */
function multiplyHalf(to: usize, tables: usize, nibbles: usize): void {
  let y0 = i64x2(0, 0)
  let y1 = y0
  let y2 = y0
  let y3 = y0
  let y4 = y0
  let y5 = y0
  let y6 = y0
  let y7 = y0
  for (const end = nibbles + 512; nibbles < end; nibbles += 16) {
    const nibble = v128.load(nibbles)
    y0 = v128.xor(y0, i8x16.swizzle(v128.load(tables), nibble))
    y1 = v128.xor(y1, i8x16.swizzle(v128.load(tables, 16), nibble))
    y2 = v128.xor(y2, i8x16.swizzle(v128.load(tables, 32), nibble))
    y3 = v128.xor(y3, i8x16.swizzle(v128.load(tables, 48), nibble))
    y4 = v128.xor(y4, i8x16.swizzle(v128.load(tables, 64), nibble))
    y5 = v128.xor(y5, i8x16.swizzle(v128.load(tables, 80), nibble))
    y6 = v128.xor(y6, i8x16.swizzle(v128.load(tables, 96), nibble))
    y7 = v128.xor(y7, i8x16.swizzle(v128.load(tables, 112), nibble))
    tables += MATRIX
  }
  v128.store(to, y0)
  v128.store(to, y1, 16)
  v128.store(to, y2, 32)
  v128.store(to, y3, 48)
  v128.store(to, y4, 64)
  v128.store(to, y5, 80)
  v128.store(to, y6, 96)
  v128.store(to, y7, 112)
}

/**
 * GHASH of the first `blockCount` blocks of sixteen units, which lie `stride` bytes apart from `units` on; sixteen
 * results at `to`. Whoever has fewer units ignores the rest. `scratch`: five matrices, and not at `to`.
 */
export function hash(to: usize, units: usize, stride: usize, blockCount: usize, tables: usize, scratch: usize): void {
  const input = scratch
  const spare = scratch + MATRIX
  const state = scratch + 2 * MATRIX
  const nibbles = scratch + 3 * MATRIX
  memory.fill(state, 0, MATRIX)
  const lowHalf = i8x16.splat(15)
  for (let block: usize = 0; block < blockCount; block++) {
    transpose(input, units + block * 16, stride, spare)
    for (let byte: usize = 0; byte < 16; byte++) {
      const sum = v128.xor(v128.load(input + byte * 16), v128.load(state + byte * 16))
      v128.store(nibbles + byte * 32, i8x16.shr_u(sum, 4))
      v128.store(nibbles + byte * 32, v128.and(sum, lowHalf), 16)
    }
    multiplyHalf(state, tables, nibbles)
    multiplyHalf(state + 128, tables + 128, nibbles)
  }
  transpose(to, state, 16, spare)
}
