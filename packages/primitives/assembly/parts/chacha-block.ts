// The block function of ChaCha, four blocks side by side. RFC 8439, 2.3. Additions, XORs and rotations only: constant
// time.

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

/** Four blocks (2.3): the key, and per lane the counter and the three words of the nonce. ChaCha20 has 10 double rounds. */
export function fourBlocks(
  to: usize,
  key: usize,
  counter: v128,
  nonce0: v128,
  nonce1: v128,
  nonce2: v128,
  doubleRoundCount: u32,
): void {
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
  for (; doubleRoundCount > 0; doubleRoundCount--) {
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
