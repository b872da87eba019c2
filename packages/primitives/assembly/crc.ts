// CRC32C (RFC 3720, B.4) and other reflected CRCs of 32 bits, of many units. A state is what stands before the final XOR.
//
// Where there are tables for it, blocks of 128 bytes are folded onto each other. The four bytes of a block at b, b + 32, b + 64 and b + 96 are a column;
// for each of the 32 columns their sum is multiplied by x^1024, the length of a block, modulo the polynomial, and the
// product written as four bytes at the same places. That they can hold every remainder is a property of this polynomial
// and this distance (not of a distance of 16), and it saves all shuffles: 16 columns are four vectors, and a product is
// 32 lookups in tables of 16 bytes, one for each nibble of a column and byte of the product.

const BLOCK_SIZE: usize = 128
/** Bytes of 16 tables of 256 CRCs: that of a byte followed by 0 to 15 zero bytes. */
const CRCS_SIZE: usize = 16384

/** Bytes `place` of the products of 16 columns, whose bytes are given as nibbles. `folds` holds 8 tables a place. */
// @ts-ignore: decorator
@inline
function fold(
  folds: usize,
  low0: v128,
  high0: v128,
  low1: v128,
  high1: v128,
  low2: v128,
  high2: v128,
  low3: v128,
  high3: v128,
): v128 {
  const first = v128.xor(i8x16.swizzle(v128.load(folds), low0), i8x16.swizzle(v128.load(folds, 16), high0))
  const second = v128.xor(i8x16.swizzle(v128.load(folds, 32), low1), i8x16.swizzle(v128.load(folds, 48), high1))
  const third = v128.xor(i8x16.swizzle(v128.load(folds, 64), low2), i8x16.swizzle(v128.load(folds, 80), high2))
  const fourth = v128.xor(i8x16.swizzle(v128.load(folds, 96), low3), i8x16.swizzle(v128.load(folds, 112), high3))
  return v128.xor(v128.xor(first, second), v128.xor(third, fourth))
}

/** Folds one half of the columns of the block at `state` onto those of the block at `next`, in `state`. */
// @ts-ignore: decorator
@inline
function foldHalf(folds: usize, state: usize, next: usize): void {
  const nibble = i8x16.splat(15)
  const bytes0 = v128.load(state)
  const bytes1 = v128.load(state, 32)
  const bytes2 = v128.load(state, 64)
  const bytes3 = v128.load(state, 96)
  const low0 = v128.and(bytes0, nibble)
  const low1 = v128.and(bytes1, nibble)
  const low2 = v128.and(bytes2, nibble)
  const low3 = v128.and(bytes3, nibble)
  const high0 = v128.and(i16x8.shr_u(bytes0, 4), nibble)
  const high1 = v128.and(i16x8.shr_u(bytes1, 4), nibble)
  const high2 = v128.and(i16x8.shr_u(bytes2, 4), nibble)
  const high3 = v128.and(i16x8.shr_u(bytes3, 4), nibble)
  const folded0 = fold(folds, low0, high0, low1, high1, low2, high2, low3, high3)
  v128.store(state, v128.xor(folded0, v128.load(next)))
  const folded1 = fold(folds + 128, low0, high0, low1, high1, low2, high2, low3, high3)
  v128.store(state, v128.xor(folded1, v128.load(next, 32)), 32)
  const folded2 = fold(folds + 256, low0, high0, low1, high1, low2, high2, low3, high3)
  v128.store(state, v128.xor(folded2, v128.load(next, 64)), 64)
  const folded3 = fold(folds + 384, low0, high0, low1, high1, low2, high2, low3, high3)
  v128.store(state, v128.xor(folded3, v128.load(next, 96)), 96)
}

/** The CRC of byte `index` of `bytes`, followed by `zeroCount` - `index` zero bytes. */
// @ts-ignore: decorator
@inline
function entry(tables: usize, zeroCount: usize, bytes: u64, index: usize): u32 {
  return load<u32>(tables + (zeroCount - index) * 1024 + (<usize>(bytes >> (index * 8)) & 0xff) * 4)
}

/** The CRC of eight bytes, followed by `zeroCount` - 7 zero bytes. */
// @ts-ignore: decorator
@inline
function eight(tables: usize, zeroCount: usize, bytes: u64): u32 {
  const first = entry(tables, zeroCount, bytes, 0) ^ entry(tables, zeroCount, bytes, 1)
  const second = entry(tables, zeroCount, bytes, 2) ^ entry(tables, zeroCount, bytes, 3)
  const third = entry(tables, zeroCount, bytes, 4) ^ entry(tables, zeroCount, bytes, 5)
  const fourth = entry(tables, zeroCount, bytes, 6) ^ entry(tables, zeroCount, bytes, 7)
  return first ^ second ^ (third ^ fourth)
}

/** The state after `size` more bytes by lookups: sixteen bytes at a step, then eight, then one at a time. */
function slice(tables: usize, state: u32, from: usize, size: usize): u32 {
  const end = from + size
  for (; from + 16 <= end; from += 16) {
    state = eight(tables, 15, load<u64>(from) ^ (<u64>state)) ^ eight(tables, 7, load<u64>(from, 8))
  }
  if (from + 8 <= end) {
    state = eight(tables, 7, load<u64>(from) ^ (<u64>state))
    from += 8
  }
  for (; from < end; from++) {
    state = (state >> 8) ^ load<u32>(tables + ((state ^ load<u8>(from)) & 0xff) * 4)
  }
  return state
}

/** The state after `size` more bytes; folding pays from two blocks on. */
function update(tables: usize, scratch: usize, isFolding: bool, state: u32, from: usize, size: usize): u32 {
  if (!isFolding || size < 2 * BLOCK_SIZE) return slice(tables, state, from, size)
  const folds = tables + CRCS_SIZE
  const end = from + size
  memory.copy(scratch, from, BLOCK_SIZE)
  store<u32>(scratch, load<u32>(scratch) ^ state)
  for (from += BLOCK_SIZE; from + BLOCK_SIZE <= end; from += BLOCK_SIZE) {
    foldHalf(folds, scratch, from)
    foldHalf(folds, scratch + 16, from + 16)
  }
  return slice(tables, slice(tables, 0, scratch, BLOCK_SIZE), from, end - from)
}

/**
 * Each of the `count` states at `states` after `size` more bytes: for unit i those at `source` + i * `stride`. `tables`:
 * 16 KiB of CRCs, then 512 bytes of folds, looked at if `isFolding`; `scratch`: 128 bytes. No overlap; any alignment of `source`.
 */
export function extend(
  states: usize,
  count: usize,
  source: usize,
  size: usize,
  stride: usize,
  tables: usize,
  scratch: usize,
  isFolding: bool,
): void {
  for (; count > 0; count--) {
    store<u32>(states, update(tables, scratch, isFolding, load<u32>(states), source, size))
    states += 4
    source += stride
  }
}
