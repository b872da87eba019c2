// LRW over sectors of whole blocks: what lies before the block cipher. The tweak of the block with index n is key * n in
// GF(2^128) modulo x^128 + x^7 + x^2 + x + 1, both of them big-endian. The tweaks are kept, so that what lies after the
// block cipher is a plain XOR: see xor.ts. Branches and places depend on indices, which are no secret.

/** `products` at 16 bytes per k holds key * (2^(k+1) - 1): n + 1 differs from n by such a number of its lowest bits. */
// @ts-ignore: decorator
@inline
function product(products: usize, k: u64): v128 {
  return v128.load(products + 16 * (k as usize))
}

/** key * n. In its Gray code n is a sum of numbers of the form 2^(k+1) - 1, one for each bit k that is set. */
function times(products: usize, upper: u64, lower: u64): v128 {
  let sum = i64x2.splat(0)
  for (let bits = lower ^ ((lower >> 1) | (upper << 63)); bits != 0; bits &= bits - 1) {
    sum = v128.xor(sum, product(products, ctz(bits)))
  }
  for (let bits = upper ^ (upper >> 1); bits != 0; bits &= bits - 1) {
    sum = v128.xor(sum, product(products, 64 + ctz(bits)))
  }
  return sum
}

/**
 * target = source xor the tweaks of every block, which also go to `kept`. `ivs` holds the index of the first block of
 * each of `sectorCount` sectors, 16 bytes each. `target` and `source` are the same or do not overlap; `sectorSize` is a
 * multiple of 16.
 */
export function mask(
  target: usize,
  source: usize,
  kept: usize,
  products: usize,
  ivs: usize,
  sectorSize: usize,
  sectorCount: usize,
): void {
  for (; sectorCount > 0; sectorCount--) {
    let upper = bswap<u64>(load<u64>(ivs))
    let lower = bswap<u64>(load<u64>(ivs, 8))
    let tweak = times(products, upper, lower)
    for (const end = source + sectorSize; source < end; source += 16) {
      v128.store(target, v128.xor(v128.load(source), tweak))
      v128.store(kept, tweak)
      // The lowest zero and the ones below it change. Beyond 2^128 - 1 comes 0, and all of them do.
      const changed = ~lower != 0 ? ctz(~lower) : ~upper != 0 ? 64 + ctz(~upper) : 127
      tweak = v128.xor(tweak, product(products, changed))
      lower++
      if (lower == 0) upper++
      target += 16
      kept += 16
    }
    ivs += 16
  }
}
