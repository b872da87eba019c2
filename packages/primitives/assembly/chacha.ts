// ChaCha20 and Poly1305 over batches of units. RFC 8439. Additions, XORs, rotations and products only: constant time.

// @ts-ignore: decorator
@inline
function rotate16(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
}

// @ts-ignore: decorator
@inline
function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20))
}

// @ts-ignore: decorator
@inline
function rotate8(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)
}

// @ts-ignore: decorator
@inline
function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25))
}

/** Word w of four blocks, from vectors that hold one word each: four words of every block at `to`, 64 bytes apart. */
// @ts-ignore: decorator
@inline
function storeWords(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<i64>(abLow, cdLow, 0, 2))
  v128.store(to, v128.shuffle<i64>(abLow, cdLow, 1, 3), 64)
  v128.store(to, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), 128)
  v128.store(to, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), 192)
}

/** Four blocks (2.3): the key, and per lane the counter and the three words of the nonce. */
function fourBlocks(to: usize, key: usize, counter: v128, nonce0: v128, nonce1: v128, nonce2: v128): void {
  let x0 = i32x4.splat(0x61707865)
  let x1 = i32x4.splat(0x3320646e)
  let x2 = i32x4.splat(0x79622d32)
  let x3 = i32x4.splat(0x6b206574)
  let x4 = v128.load32_splat(key)
  let x5 = v128.load32_splat(key, 4)
  let x6 = v128.load32_splat(key, 8)
  let x7 = v128.load32_splat(key, 12)
  let x8 = v128.load32_splat(key, 16)
  let x9 = v128.load32_splat(key, 20)
  let x10 = v128.load32_splat(key, 24)
  let x11 = v128.load32_splat(key, 28)
  let x12 = counter
  let x13 = nonce0
  let x14 = nonce1
  let x15 = nonce2
  // Two quarter rounds side by side: more would not fit into the registers.
  for (let round = 0; round < 10; round++) {
    x0 = i32x4.add(x0, x4)
    x12 = rotate16(v128.xor(x12, x0))
    x1 = i32x4.add(x1, x5)
    x13 = rotate16(v128.xor(x13, x1))
    x8 = i32x4.add(x8, x12)
    x4 = rotate12(v128.xor(x4, x8))
    x9 = i32x4.add(x9, x13)
    x5 = rotate12(v128.xor(x5, x9))
    x0 = i32x4.add(x0, x4)
    x12 = rotate8(v128.xor(x12, x0))
    x1 = i32x4.add(x1, x5)
    x13 = rotate8(v128.xor(x13, x1))
    x8 = i32x4.add(x8, x12)
    x4 = rotate7(v128.xor(x4, x8))
    x9 = i32x4.add(x9, x13)
    x5 = rotate7(v128.xor(x5, x9))
    x2 = i32x4.add(x2, x6)
    x14 = rotate16(v128.xor(x14, x2))
    x3 = i32x4.add(x3, x7)
    x15 = rotate16(v128.xor(x15, x3))
    x10 = i32x4.add(x10, x14)
    x6 = rotate12(v128.xor(x6, x10))
    x11 = i32x4.add(x11, x15)
    x7 = rotate12(v128.xor(x7, x11))
    x2 = i32x4.add(x2, x6)
    x14 = rotate8(v128.xor(x14, x2))
    x3 = i32x4.add(x3, x7)
    x15 = rotate8(v128.xor(x15, x3))
    x10 = i32x4.add(x10, x14)
    x6 = rotate7(v128.xor(x6, x10))
    x11 = i32x4.add(x11, x15)
    x7 = rotate7(v128.xor(x7, x11))
    x0 = i32x4.add(x0, x5)
    x15 = rotate16(v128.xor(x15, x0))
    x1 = i32x4.add(x1, x6)
    x12 = rotate16(v128.xor(x12, x1))
    x10 = i32x4.add(x10, x15)
    x5 = rotate12(v128.xor(x5, x10))
    x11 = i32x4.add(x11, x12)
    x6 = rotate12(v128.xor(x6, x11))
    x0 = i32x4.add(x0, x5)
    x15 = rotate8(v128.xor(x15, x0))
    x1 = i32x4.add(x1, x6)
    x12 = rotate8(v128.xor(x12, x1))
    x10 = i32x4.add(x10, x15)
    x5 = rotate7(v128.xor(x5, x10))
    x11 = i32x4.add(x11, x12)
    x6 = rotate7(v128.xor(x6, x11))
    x2 = i32x4.add(x2, x7)
    x13 = rotate16(v128.xor(x13, x2))
    x3 = i32x4.add(x3, x4)
    x14 = rotate16(v128.xor(x14, x3))
    x8 = i32x4.add(x8, x13)
    x7 = rotate12(v128.xor(x7, x8))
    x9 = i32x4.add(x9, x14)
    x4 = rotate12(v128.xor(x4, x9))
    x2 = i32x4.add(x2, x7)
    x13 = rotate8(v128.xor(x13, x2))
    x3 = i32x4.add(x3, x4)
    x14 = rotate8(v128.xor(x14, x3))
    x8 = i32x4.add(x8, x13)
    x7 = rotate7(v128.xor(x7, x8))
    x9 = i32x4.add(x9, x14)
    x4 = rotate7(v128.xor(x4, x9))
  }
  x0 = i32x4.add(x0, i32x4.splat(0x61707865))
  x1 = i32x4.add(x1, i32x4.splat(0x3320646e))
  x2 = i32x4.add(x2, i32x4.splat(0x79622d32))
  x3 = i32x4.add(x3, i32x4.splat(0x6b206574))
  x4 = i32x4.add(x4, v128.load32_splat(key))
  x5 = i32x4.add(x5, v128.load32_splat(key, 4))
  x6 = i32x4.add(x6, v128.load32_splat(key, 8))
  x7 = i32x4.add(x7, v128.load32_splat(key, 12))
  x8 = i32x4.add(x8, v128.load32_splat(key, 16))
  x9 = i32x4.add(x9, v128.load32_splat(key, 20))
  x10 = i32x4.add(x10, v128.load32_splat(key, 24))
  x11 = i32x4.add(x11, v128.load32_splat(key, 28))
  storeWords(to, x0, x1, x2, x3)
  storeWords(to + 16, x4, x5, x6, x7)
  storeWords(to + 32, x8, x9, x10, x11)
  storeWords(
    to + 48,
    i32x4.add(x12, counter),
    i32x4.add(x13, nonce0),
    i32x4.add(x14, nonce1),
    i32x4.add(x15, nonce2),
  )
}

/**
 * `blockCount` blocks of keystream for every unit, counters from 0 on: the first half of a unit's first block is its key
 * of Poly1305 (2.6), the other blocks are for its data (2.8). `ivs`: 12 bytes a unit. Up to three blocks more are
 * written than were asked for: the lanes are filled without regard to where a unit ends. `scratch`: 64 bytes.
 */
export function keystream(
  to: usize,
  key: usize,
  ivs: usize,
  blockCount: u32,
  unitCount: usize,
  scratch: usize,
): void {
  let counter: u32 = 0
  let unit: usize = 0
  while (unit < unitCount) {
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const iv = ivs + unit * 12
      store<u32>(scratch + lane, counter)
      store<u32>(scratch + lane, load<u32>(iv), 16)
      store<u32>(scratch + lane, load<u32>(iv, 4), 32)
      store<u32>(scratch + lane, load<u32>(iv, 8), 48)
      counter++
      if (counter == blockCount) {
        counter = 0
        unit++
      }
    }
    fourBlocks(
      to,
      key,
      v128.load(scratch),
      v128.load(scratch, 16),
      v128.load(scratch, 32),
      v128.load(scratch, 48),
    )
    to += 256
  }
}

/** The last block that Poly1305 takes of every unit: the lengths of AAD and ciphertext, little-endian (2.8). */
export function lengths(to: usize, stride: usize, aadSize: u32, unitSize: u32, unitCount: usize): void {
  for (; unitCount > 0; unitCount--) {
    store<u64>(to, aadSize)
    store<u64>(to, unitSize, 8)
    to += stride
  }
}

/** Five limbs of 26 bits. */
const LIMB: u64 = 0x3ffffff

/** Poly1305 (2.5) of `size` bytes, a multiple of 16, with the 32-byte key at `key`; 16 bytes at `to`. */
function authenticateOne(to: usize, message: usize, size: usize, key: usize): void {
  // Clamping (2.5.1): with it, the sums of products below stay under 2^64.
  const clampedLow = load<u64>(key) & 0x0ffffffc0fffffff
  const clampedHigh = load<u64>(key, 8) & 0x0ffffffc0ffffffc
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
  const sumLow = (h0 | (h1 << 26) | (h2 << 52)) + load<u64>(key, 16)
  const carry = <u64>(sumLow < load<u64>(key, 16))
  store<u64>(to, sumLow)
  store<u64>(to, ((h2 >> 12) | (h3 << 14) | (h4 << 40)) + load<u64>(key, 24) + carry, 8)
}

/** The tags of all frames, 16 bytes each: frames of `size` bytes at one stride, their keys at another. */
export function authenticate(
  to: usize,
  frames: usize,
  stride: usize,
  size: usize,
  keys: usize,
  keyStride: usize,
  unitCount: usize,
): void {
  for (; unitCount > 0; unitCount--) {
    authenticateOne(to, frames, size, keys)
    to += 16
    frames += stride
    keys += keyStride
  }
}
