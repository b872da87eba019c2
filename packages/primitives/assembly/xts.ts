// XTS over sectors of whole blocks: what lies around the block cipher. IEEE 1619, 5.3 and 5.4.

/** t * x in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1, little-endian. Without a branch: tweaks are secret. */
// @ts-ignore: decorator
@inline
function double(t: v128): v128 {
  // The signs of the words, moved to where each carries: the highest reduces, the second carries into the upper half.
  const signs = i32x4.shr_s(t, 31)
  const carries = v128.and(v128.shuffle<i32>(signs, signs, 3, 0, 1, 0), i32x4(0x87, 0, 1, 0))
  return v128.xor(i64x2.add(t, t), carries)
}

/** target = source xor tweaks, eight sectors side by side: their chains of doublings do not wait for each other. */
function maskEight(target: usize, source: usize, tweaks: usize, sectorSize: usize): void {
  let t0 = v128.load(tweaks)
  let t1 = v128.load(tweaks, 16)
  let t2 = v128.load(tweaks, 32)
  let t3 = v128.load(tweaks, 48)
  let t4 = v128.load(tweaks, 64)
  let t5 = v128.load(tweaks, 80)
  let t6 = v128.load(tweaks, 96)
  let t7 = v128.load(tweaks, 112)
  const distance = target - source
  for (const end = source + sectorSize; source < end; source += 16) {
    let at = source
    v128.store(at + distance, v128.xor(v128.load(at), t0))
    t0 = double(t0)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t1))
    t1 = double(t1)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t2))
    t2 = double(t2)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t3))
    t3 = double(t3)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t4))
    t4 = double(t4)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t5))
    t5 = double(t5)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t6))
    t6 = double(t6)
    at += sectorSize
    v128.store(at + distance, v128.xor(v128.load(at), t7))
    t7 = double(t7)
  }
}

/** t * x^4: for the four interleaved chains of a single sector. */
// @ts-ignore: decorator
@inline
function timesSixteen(t: v128): v128 {
  const high = i64x2.shr_u(t, 60)
  const carries = v128.shuffle<i64>(high, high, 1, 0)
  const reduced = v128.and(carries, i64x2(-1, 0))
  let product = v128.xor(i64x2.shl(t, 4), carries)
  product = v128.xor(product, i64x2.shl(reduced, 1))
  product = v128.xor(product, i64x2.shl(reduced, 2))
  return v128.xor(product, i64x2.shl(reduced, 7))
}

/** One sector of a multiple of four blocks: four chains, each four blocks apart. */
function maskOne(target: usize, source: usize, tweak: usize, sectorSize: usize): void {
  let t0 = v128.load(tweak)
  let t1 = double(t0)
  let t2 = double(t1)
  let t3 = double(t2)
  const distance = target - source
  for (const end = source + sectorSize; source < end; source += 64) {
    const to = source + distance
    v128.store(to, v128.xor(v128.load(source), t0))
    v128.store(to, v128.xor(v128.load(source, 16), t1), 16)
    v128.store(to, v128.xor(v128.load(source, 32), t2), 32)
    v128.store(to, v128.xor(v128.load(source, 48), t3), 48)
    t0 = timesSixteen(t0)
    t1 = timesSixteen(t1)
    t2 = timesSixteen(t2)
    t3 = timesSixteen(t3)
  }
}

/** One sector of any number of blocks. */
function maskAny(target: usize, source: usize, tweak: usize, sectorSize: usize): void {
  let t = v128.load(tweak)
  const distance = target - source
  for (const end = source + sectorSize; source < end; source += 16) {
    v128.store(source + distance, v128.xor(v128.load(source), t))
    t = double(t)
  }
}

/**
 * target = source xor the tweaks of every block. `tweaks` holds the first tweak of each of `sectorCount` sectors, 16
 * bytes each. `target` and `source` are the same or do not overlap; `sectorSize` is a multiple of 16.
 */
export function mask(target: usize, source: usize, tweaks: usize, sectorSize: usize, sectorCount: usize): void {
  while (sectorCount >= 8) {
    maskEight(target, source, tweaks, sectorSize)
    target += 8 * sectorSize
    source += 8 * sectorSize
    tweaks += 128
    sectorCount -= 8
  }
  for (; sectorCount > 0; sectorCount--) {
    if ((sectorSize & 63) == 0) maskOne(target, source, tweaks, sectorSize)
    else maskAny(target, source, tweaks, sectorSize)
    target += sectorSize
    source += sectorSize
    tweaks += 16
  }
}
