// Counter blocks for CTR. NIST SP 800-38A, 6.5 and B.1.

/**
 * Fills `target` with the counter blocks of `sectorCount` sectors: each sector's IV, counted up by one from block to
 * block as one big-endian number that wraps at 2^128. `ivs` holds 16 bytes per sector; `sectorSize` is a multiple of 16.
 */
export function count(target: usize, ivs: usize, sectorSize: usize, sectorCount: usize): void {
  for (; sectorCount > 0; sectorCount--) {
    let upper = bswap<u64>(load<u64>(ivs))
    let lower = bswap<u64>(load<u64>(ivs, 8))
    for (const end = target + sectorSize; target < end; target += 16) {
      store<u64>(target, bswap<u64>(upper))
      store<u64>(target, bswap<u64>(lower), 8)
      lower++
      if (lower == 0) upper++
    }
    ivs += 16
  }
}
