// XTS over sectors of whole blocks: what lies before the block cipher. IEEE 1619, 5.3 and 5.4. The tweaks are kept, so
// that what lies after it is a plain XOR: see xor.ts.

/** t * x in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1, little-endian. Without a branch: tweaks are secret. */
// @ts-ignore: decorator
@inline
function double(t: v128): v128 {
  // The signs of the words, moved to where each carries: the highest reduces, the second carries into the upper half.
  const signs = i32x4.shr_s(t, 31)
  const carries = v128.and(v128.shuffle<i32>(signs, signs, 3, 0, 1, 0), i32x4(0x87, 0, 1, 0))
  return v128.xor(i64x2.add(t, t), carries)
}

/** t * x^64: the lower half moves up, the upper half comes back times x^7 + x^2 + x + 1. */
function timesHalf(t: v128): v128 {
  const swapped = v128.shuffle<i64>(t, t, 1, 0)
  const upper = v128.and(swapped, i64x2(-1, 0))
  const carries = v128.xor(v128.xor(i64x2.shr_u(upper, 63), i64x2.shr_u(upper, 62)), i64x2.shr_u(upper, 57))
  let product = v128.xor(swapped, v128.shuffle<i64>(carries, carries, 1, 0))
  product = v128.xor(product, i64x2.shl(upper, 1))
  product = v128.xor(product, i64x2.shl(upper, 2))
  return v128.xor(product, i64x2.shl(upper, 7))
}

/** Masks and keeps one block; returns the tweak of the next one. */
// @ts-ignore: decorator
@inline
function maskBlock(target: usize, source: usize, kept: usize, t: v128): v128 {
  v128.store(target, v128.xor(v128.load(source), t))
  v128.store(kept, t)
  return double(t)
}

/** Eight sectors side by side: their chains of doublings do not wait for each other. */
function maskEight(target: usize, source: usize, kept: usize, tweaks: usize, sectorSize: usize): void {
  let t0 = v128.load(tweaks)
  let t1 = v128.load(tweaks, 16)
  let t2 = v128.load(tweaks, 32)
  let t3 = v128.load(tweaks, 48)
  let t4 = v128.load(tweaks, 64)
  let t5 = v128.load(tweaks, 80)
  let t6 = v128.load(tweaks, 96)
  let t7 = v128.load(tweaks, 112)
  const toTarget = target - source
  const toKept = kept - source
  for (const end = source + sectorSize; source < end; source += 16) {
    let at = source
    t0 = maskBlock(at + toTarget, at, at + toKept, t0)
    at += sectorSize
    t1 = maskBlock(at + toTarget, at, at + toKept, t1)
    at += sectorSize
    t2 = maskBlock(at + toTarget, at, at + toKept, t2)
    at += sectorSize
    t3 = maskBlock(at + toTarget, at, at + toKept, t3)
    at += sectorSize
    t4 = maskBlock(at + toTarget, at, at + toKept, t4)
    at += sectorSize
    t5 = maskBlock(at + toTarget, at, at + toKept, t5)
    at += sectorSize
    t6 = maskBlock(at + toTarget, at, at + toKept, t6)
    at += sectorSize
    t7 = maskBlock(at + toTarget, at, at + toKept, t7)
  }
}

/** 4096 bytes of one sector: four chains, each of them 64 blocks. Returns the tweak of the block after them. */
function maskPage(target: usize, source: usize, kept: usize, tweak: v128): v128 {
  let t0 = tweak
  let t1 = timesHalf(t0)
  let t2 = timesHalf(t1)
  let t3 = timesHalf(t2)
  for (const end = source + 1024; source < end; source += 16) {
    t0 = maskBlock(target, source, kept, t0)
    t1 = maskBlock(target + 1024, source + 1024, kept + 1024, t1)
    t2 = maskBlock(target + 2048, source + 2048, kept + 2048, t2)
    t3 = maskBlock(target + 3072, source + 3072, kept + 3072, t3)
    target += 16
    kept += 16
  }
  return t3
}

/** One sector of any number of blocks. */
function maskOne(target: usize, source: usize, kept: usize, tweak: usize, sectorSize: usize): void {
  let t = v128.load(tweak)
  const end = source + sectorSize
  for (; source + 4096 <= end; source += 4096) {
    t = maskPage(target, source, kept, t)
    target += 4096
    kept += 4096
  }
  for (; source < end; source += 16) {
    t = maskBlock(target, source, kept, t)
    target += 16
    kept += 16
  }
}

/**
 * target = source xor the tweaks of every block, which also go to `kept`. `tweaks` holds the first tweak of each of
 * `sectorCount` sectors, 16 bytes each. `target` and `source` are the same or do not overlap; `sectorSize` is a multiple
 * of 16.
 */
export function mask(
  target: usize,
  source: usize,
  kept: usize,
  tweaks: usize,
  sectorSize: usize,
  sectorCount: usize,
): void {
  // Sectors that are long enough have chains of their own, which are kinder to the cache than eight sectors are.
  for (; sectorCount >= 8 && sectorSize < 4096; sectorCount -= 8) {
    maskEight(target, source, kept, tweaks, sectorSize)
    target += 8 * sectorSize
    source += 8 * sectorSize
    kept += 8 * sectorSize
    tweaks += 128
  }
  for (; sectorCount > 0; sectorCount--) {
    maskOne(target, source, kept, tweaks, sectorSize)
    target += sectorSize
    source += sectorSize
    kept += sectorSize
    tweaks += 16
  }
}
