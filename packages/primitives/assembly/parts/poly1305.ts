// Poly1305 of whole blocks. RFC 8439, 2.5. Additions and products only: constant time.

/** Five limbs of 26 bits. */
const LIMB: u64 = 0x3ffffff

/**
 * Poly1305 (2.5) of `size` bytes, a multiple of 16: 16 bytes at `to`. `r`, 16 bytes, is the point at which the message
 * is evaluated; `s`, 16 bytes, is added at the end, and may be at `to`.
 */
export function poly1305(to: usize, message: usize, size: usize, r: usize, s: usize): void {
  // Clamping (2.5.1): with it, the sums of products below stay under 2^64.
  const clampedLow = load<u64>(r) & 0x0ffffffc0fffffff
  const clampedHigh = load<u64>(r, 8) & 0x0ffffffc0ffffffc
  const r0 = clampedLow & LIMB
  const r1 = (clampedLow >> 26) & LIMB
  const r2 = ((clampedLow >> 52) | (clampedHigh << 12)) & LIMB
  const r3 = (clampedHigh >> 14) & LIMB
  const r4 = clampedHigh >> 40
  // What overflows 2^130 comes back times five.
  const s1 = r1 * 5
  const s2 = r2 * 5
  const s3 = r3 * 5
  const s4 = r4 * 5
  let h0: u64 = 0
  let h1: u64 = 0
  let h2: u64 = 0
  let h3: u64 = 0
  let h4: u64 = 0
  for (const end = message + size; message < end; message += 16) {
    const low = load<u64>(message)
    const high = load<u64>(message, 8)
    h0 += low & LIMB
    h1 += (low >> 26) & LIMB
    h2 += ((low >> 52) | (high << 12)) & LIMB
    h3 += (high >> 14) & LIMB
    h4 += (high >> 40) | (1 << 24)
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1
    const d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2 + (d0 >> 26)
    const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3 + (d1 >> 26)
    const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4 + (d2 >> 26)
    const d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + (d3 >> 26)
    h0 = (d0 & LIMB) + (d4 >> 26) * 5
    h1 = (d1 & LIMB) + (h0 >> 26)
    h0 &= LIMB
    h2 = d2 & LIMB
    h3 = d3 & LIMB
    h4 = d4 & LIMB
  }
  h2 += h1 >> 26
  h1 &= LIMB
  h3 += h2 >> 26
  h2 &= LIMB
  h4 += h3 >> 26
  h3 &= LIMB
  h0 += (h4 >> 26) * 5
  h4 &= LIMB
  h1 += h0 >> 26
  h0 &= LIMB
  // h - p, taken instead of h where it is not negative: by a mask, not by a branch.
  const g0 = h0 + 5
  const g1 = h1 + (g0 >> 26)
  const g2 = h2 + (g1 >> 26)
  const g3 = h3 + (g2 >> 26)
  const g4 = h4 + (g3 >> 26) - (1 << 26)
  const isLess = <u64>(<i64>g4 >> 63)
  h0 = (h0 & isLess) | (g0 & LIMB & ~isLess)
  h1 = (h1 & isLess) | (g1 & LIMB & ~isLess)
  h2 = (h2 & isLess) | (g2 & LIMB & ~isLess)
  h3 = (h3 & isLess) | (g3 & LIMB & ~isLess)
  h4 = (h4 & isLess) | (g4 & LIMB & ~isLess)
  const addend = load<u64>(s)
  const sumLow = (h0 | (h1 << 26) | (h2 << 52)) + addend
  const carry = <u64>(sumLow < addend)
  store<u64>(to, sumLow)
  store<u64>(to, ((h2 >> 12) | (h3 << 14) | (h4 << 40)) + load<u64>(s, 8) + carry, 8)
}
